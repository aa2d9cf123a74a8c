//! No byte of the key leaves the device: everything it says in its life is searched for it.

use privyseal_firmware_app::fake::Memory;
use privyseal_protocol::{Part, Request};
use privyseal_test_base::clock::run_start;
use privyseal_test_simulators::device_host::{exchange, provision, send_parts, step};
use privyseal_test_simulators::link::frame;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use crate::fixture::{key, policy, requests, restart, start, upload};

/// Bytes of a number of the key that must not stand anywhere: 8 at a time, so that half a number is found
/// too, in either order of bytes.
const WINDOW: usize = 8;

/// The secret numbers, big-endian.
pub(crate) fn numbers() -> Vec<(&'static str, Vec<u8>)> {
    let mut key = key().private_key().clone();
    key.precompute().expect("a key");
    let primes: Vec<_> = key
        .primes()
        .iter()
        .map(|prime| prime.to_be_bytes().to_vec())
        .collect();
    let number =
        |number: Option<&rsa::BoxedUint>| number.expect("precomputed").to_be_bytes().to_vec();
    let coefficient = key
        .crt_coefficient()
        .expect("an inverse")
        .to_be_bytes()
        .to_vec();
    assert_eq!(key.size(), 256);
    vec![
        ("d", key.d().to_be_bytes().to_vec()),
        ("p", primes[0].clone()),
        ("q", primes[1].clone()),
        ("dP", number(key.dp())),
        ("dQ", number(key.dq())),
        ("qInv", coefficient),
        ("seed", upload(&policy()).seed),
    ]
}

/// Which number has a piece in what was said.
pub(crate) fn found(said: &[u8]) -> Option<&'static str> {
    let windows: std::collections::HashSet<&[u8]> = said.windows(WINDOW).collect();
    numbers().into_iter().find_map(|(name, number)| {
        let reversed: Vec<u8> = number.iter().rev().copied().collect();
        [number, reversed]
            .iter()
            .flat_map(|number| number.windows(WINDOW))
            // Zeros before a number are no secret.
            .filter(|window| window.iter().any(|&byte| byte != 0))
            .any(|window| windows.contains(window))
            .then_some(name)
    })
}

#[test]
fn nothing_of_the_key_is_ever_said() {
    let good = upload(&policy());
    let mut said = Vec::new();
    let mut device = start(Memory::default());
    // A device that holds the key in its flash and has not checked it yet.
    send_parts(&mut device, &good).expect("all parts");
    let parts = [
        Part::Key,
        Part::Seed,
        Part::Policy,
        Part::Chain,
        Part::PublicKey,
    ];
    let mut ask_everything = |device: &mut _| {
        for request in requests() {
            said.extend(exchange(device, &frame(1, &Request::Sign(request))));
        }
        for part in parts {
            for offset in (0..20_000).step_by(128).chain([u16::MAX]) {
                said.extend(exchange(device, &frame(2, &Request::Read { part, offset })));
            }
        }
        for max in [0, u16::MAX] {
            said.extend(exchange(device, &frame(3, &Request::Log { from: 0, max })));
        }
        said.extend(exchange(device, &frame(4, &Request::Info)));
        let word = Request::SetTime {
            now: run_start() + 1,
            signature: &[1; 256],
        };
        said.extend(exchange(device, &frame(5, &word)));
    };
    ask_everything(&mut device);
    step(&mut device, privyseal_protocol::Provision::Commit).expect("a good upload");
    ask_everything(&mut device);
    let mut device = restart(&mut device);
    ask_everything(&mut device);
    let wipe = Request::Wipe {
        device: device.board().device,
    };
    exchange(&mut device, &frame(6, &wipe));
    provision(&mut device, &good).expect("a good upload");
    ask_everything(&mut device);
    assert!(said.len() > 100_000, "{}", said.len());
    // Frames hide zeros; what stands in them is searched as well as the frames.
    let mut content = Vec::new();
    let mut decoder = privyseal_protocol::FrameDecoder::new();
    for &byte in &said {
        if let Some(Ok(message)) = decoder.feed(byte) {
            content.extend_from_slice(message.body);
        }
    }
    assert_eq!(found(&said), None);
    assert_eq!(found(&content), None);
}

/// The search finds what it looks for.
#[test]
fn a_leak_would_be_found() {
    for (name, number) in numbers() {
        let middle = number.len() / 2;
        let mut said = vec![0x5a; 1000];
        said[500..500 + WINDOW].copy_from_slice(&number[middle..middle + WINDOW]);
        assert_eq!(found(&said), Some(name));
    }
    assert_eq!(found(&[0; 1000]), None);
}
