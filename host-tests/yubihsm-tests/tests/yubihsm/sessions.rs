//! The session: dropped by the device, leaked by clients, and shared by threads.

use privyseal_test_base::clock::now;
use std::time::{Duration, Instant};

use privyseal_core::{SignError, SignerError as _, SignerErrorKind};
use privyseal_test_simulators::yubihsm_sim::{Cmd, Misbehaviour, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_yubihsm::Error;

use super::{open, uri};

/// The `yubihsm` crate alone would fail until it was idle for 29 s.
#[test]
fn a_dropped_session_is_rebuilt_without_a_word() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let mut signer = open(&uri(&sim, "key-id=100")).unwrap();
    let case = suite::cases(now())[0];
    let first = suite::mint(&mut signer, &case, &chain).unwrap();
    for _ in 0..3 {
        sim.drop_sessions();
        assert_eq!(suite::mint(&mut signer, &case, &chain).unwrap(), first);
    }
    assert_eq!((sim.sessions_opened(), sim.signatures()), (4, 4));
}

#[test]
fn a_session_that_is_always_dropped_is_an_error_and_not_a_loop() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let mut signer = open(&uri(&sim, "key-id=100")).unwrap();
    sim.arm(Misbehaviour::DropSession, Cmd::SignPkcs1, 2);
    let case = suite::cases(now())[0];
    let error = suite::mint(&mut signer, &case, &chain).unwrap_err();
    assert!(
        matches!(error, SignError::Signer(Error::SessionLost { .. })),
        "{error}"
    );
    assert_eq!((sim.disarm(), sim.signatures()), (0, 0));
    suite::mint(&mut signer, &case, &chain).unwrap();
}

/// 16 clients that went away without a word hold all sessions until the device has lost patience.
#[test]
fn a_full_device_is_waited_for() {
    let (sim, _, _) = YubihsmSim::with_seal(Duration::from_secs(2));
    sim.add_auth_key(2, "other", 1 << 5);
    // Sessions that nobody closes: of clients that are set aside because they hang.
    sim.arm(Misbehaviour::SessionsFull, Cmd::CreateSession, 4);
    let begin = Instant::now();
    open(&uri(&sim, "key-id=100?session-wait=20")).unwrap();
    assert_eq!(sim.disarm(), 0, "it asked until there was a session");
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn a_device_that_stays_full_is_named() {
    let (sim, _, _) = YubihsmSim::with_seal(Duration::from_secs(30));
    sim.arm(Misbehaviour::SessionsFull, Cmd::CreateSession, u32::MAX);
    let begin = Instant::now();
    let error = open(&uri(&sim, "key-id=100?session-wait=1")).unwrap_err();
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    assert!(matches!(error, Error::SessionsFull { .. }), "{error}");
    assert_eq!(error.kind(), SignerErrorKind::Busy);
    assert!(error.to_string().contains("SESSIONS_FULL"), "{error}");
}

#[test]
fn many_signers_and_threads_share_one_session() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let uri = uri(&sim, "key-id=100");
    let case = suite::cases(now())[0];
    let expected = suite::mint(&mut open(&uri).unwrap(), &case, &chain).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let mut signer = open(&uri).unwrap();
                assert_eq!(suite::mint(&mut signer, &case, &chain).unwrap(), expected);
            });
        }
    });
    assert_eq!((sim.sessions_opened(), sim.open_sessions()), (1, 1));
}
