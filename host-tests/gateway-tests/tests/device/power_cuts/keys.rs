//! The power goes while a key is made, certified, installed and unlocked.

use privyseal_firmware_app::fake::Memory;
use privyseal_protocol::{DeviceState, Generate, Refusal};
use privyseal_test_simulators::device_host::{generate, info, provision, request_csr, sign};

use super::{cut_everywhere, is_blank, request, settled, small};
use crate::at_rest::{SECRET, WRONG, locked, unlock};
use crate::fixture::start;
use crate::generating::{ASKED, csr_request, generated, installation};
use crate::log;

/// A seed with which a new device is fast.
const QUICK: Generate<'_> = Generate {
    seed: &[46; 48],
    ..ASKED
};

/// A key is made or is not; what is made can be certified.
#[test]
fn generating() {
    let (mut old, mut new) = (0, 0);
    cut_everywhere(
        &small(),
        |device| generate(device, &QUICK),
        |memory, _, cut| {
            let mut device = settled(&memory);
            match info(&mut device).state {
                DeviceState::Empty => {
                    old += 1;
                    assert!(is_blank(&mut device), "{cut:?}");
                }
                DeviceState::Uncertified => {
                    new += 1;
                    request_csr(&mut device, &csr_request()).expect("a whole key signs");
                }
                state => panic!("{cut:?}: {state}"),
            }
            log::check(&mut device);
        },
    );
    assert!(old > 12 && new > 2, "{old} {new}");
}

/// The key is never lost, and the installation there or not.
#[test]
fn certifying_and_installing() {
    let mut device = generated(&ASKED);
    let (memory, key) = (device.board().memory(), info(&mut device).key);
    let good = installation(&mut device);
    let settle = |memory: &Memory, cut| {
        let mut device = settled(memory);
        let account = info(&mut device);
        assert_eq!(account.key, key, "{cut:?}");
        (device, account.state)
    };
    let check = |memory, done, cut| {
        assert_eq!(done, Err(Refusal::Storage), "{cut:?}");
        let (mut device, state) = settle(&memory, cut);
        assert_eq!(state, DeviceState::Uncertified, "{cut:?}");
        request_csr(&mut device, &csr_request()).expect("a request");
    };
    cut_everywhere(&memory, |device| request_csr(device, &csr_request()), check);

    let (mut old, mut new) = (0, 0);
    cut_everywhere(
        &memory,
        |device| provision(device, &good),
        |memory, _, cut| {
            let (mut device, state) = settle(&memory, cut);
            if state == DeviceState::Uncertified {
                old += 1;
                if old % 8 != 0 {
                    // Once in a while is enough for what comes next: it takes its time.
                    return;
                }
                provision(&mut device, &good).expect("it can be installed again");
            } else {
                new += 1;
            }
            sign(&mut device, request(0)).expect("a whole device signs");
            log::check(&mut device);
        },
    );
    assert!(old > 40 && new > 2, "{old} {new}");
}

/// Whatever is cut, the device is locked with its key, and a wrong secret has been counted before it was tried.
#[test]
fn unlocking() {
    let mut device = locked();
    let (memory, key) = (device.board().memory(), info(&mut device).key);
    for (secret, refusal) in [(SECRET, None), (WRONG, Some(Refusal::Unlock))] {
        let mut cuts = 0;
        cut_everywhere(
            &memory,
            |device| unlock(device, secret),
            |memory, done, cut| {
                cuts += 1;
                assert!(done.is_err(), "{cut:?}");
                let mut device = start(memory);
                let account = info(&mut device);
                assert_eq!((account.state, account.key), (DeviceState::Locked, key));
                let tried = log::check(&mut device);
                let is_counted = tried.last().is_some_and(|newest| newest.debt > 0);
                assert!(is_counted || refusal.is_none() || cuts <= 3, "{cut:?}");
                unlock(&mut device, SECRET).expect("the right secret");
                sign(&mut device, request(0)).expect("a token");
                log::check(&mut device);
            },
        );
        assert!(cuts >= 6, "{cuts}");
    }
}
