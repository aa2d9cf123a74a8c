//! A connector that does not answer. The `yubihsm` crate waits 20 s, with its locks held.

use privyseal_test_base::clock::now;
use std::time::{Duration, Instant};

use privyseal_core::{SignError, SignerError as _, SignerErrorKind};
use privyseal_test_simulators::yubihsm_sim::{Cmd, Misbehaviour, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_yubihsm::Error;

use super::{open, uri};

const HANG: Misbehaviour = Misbehaviour::Hang(Duration::from_secs(15));

/// Sooner than the hang is over, also on a busy machine.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_hang_is_a_time_out_and_the_next_call_works() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let mut signer = open(&uri(&sim, "key-id=100?timeout=1")).unwrap();
    sim.arm(HANG, Cmd::SignPkcs1, 1);
    let begin = Instant::now();
    let case = suite::cases(now())[0];
    let error = suite::mint(&mut signer, &case, &chain).unwrap_err();
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    let SignError::Signer(error) = error else {
        panic!("{error}")
    };
    assert!(
        matches!(error, Error::Timeout { begun: true, .. }),
        "{error}"
    );
    assert_eq!(error.kind(), SignerErrorKind::Timeout);
    assert!(
        error
            .to_string()
            .contains("whether the device did it is not known"),
        "{error}"
    );
    suite::mint(&mut signer, &case, &chain).unwrap();
}

/// Not one after the other: each waits its own second.
#[test]
fn other_threads_time_out_beside_the_one_that_hangs() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let uri = uri(&sim, "key-id=100?timeout=1");
    let case = suite::cases(now())[0];
    let mut signers: Vec<_> = (0..8).map(|_| open(&uri).unwrap()).collect();
    sim.arm(HANG, Cmd::SignPkcs1, 1);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for signer in &mut signers {
            let chain = &chain;
            scope.spawn(move || match suite::mint(signer, &case, chain) {
                // Whoever comes after the first has timed out gets a new client.
                Ok(_) | Err(SignError::Signer(Error::Timeout { .. })) => {}
                Err(error) => panic!("{error}"),
            });
        }
    });
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    let mut last = signers.pop().unwrap();
    suite::mint(&mut last, &case, &chain).unwrap();
}

#[test]
fn hangs_do_not_pile_up_without_end() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let mut signer = open(&uri(&sim, "key-id=100?timeout=1")).unwrap();
    sim.arm(HANG, Cmd::SignPkcs1, u32::MAX);
    let case = suite::cases(now())[0];
    for _ in 0..4 {
        let error = suite::mint(&mut signer, &case, &chain).unwrap_err();
        assert!(
            matches!(error, SignError::Signer(Error::Timeout { .. })),
            "{error}"
        );
    }
    // Refused at once: nothing is sent, so nothing is waited for.
    let error = suite::mint(&mut signer, &case, &chain).unwrap_err();
    assert!(
        matches!(error, SignError::Signer(Error::Stuck { count: 4, .. })),
        "{error}"
    );
}
