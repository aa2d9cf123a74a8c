//! Every misbehaviour at every call: no wrong token, a clear error or none, an end in time, and the next
//! call works again.

use privyseal_hsm::SignerOptions;
use privyseal_test_base::clock::now;
use std::time::{Duration, Instant};

use privyseal_core::SignError;
use privyseal_test_base::scratch;
use privyseal_test_pki::test_key;
use privyseal_test_simulators::yubihsm_sim::{Cmd, Misbehaviour, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_yubihsm::audit::AuditDir;
use privyseal_yubihsm::{Error, YubihsmUri};

use super::{KEY, LABEL, open, uri};

/// Everything that a signer and an auditor do, in the order in which they do it.
const CALLS: [Cmd; 11] = [
    Cmd::GetObjectInfo,
    Cmd::GetPublicKey,
    Cmd::ListObjects,
    Cmd::GetOpaque,
    Cmd::SignPkcs1,
    Cmd::SignAttestationCertificate,
    Cmd::DeviceInfo,
    Cmd::GetStorageInfo,
    Cmd::GetLogEntries,
    Cmd::SetLogIndex,
    Cmd::CreateSession,
];

/// All of it once. Gives the token.
fn everything(uri: &YubihsmUri, audit: &AuditDir) -> Result<String, Error> {
    let mut signer = open(uri)?;
    let chain = signer.certificates()?;
    // What the list cuts off is refused by the core; the list itself cannot tell.
    let case = suite::cases(NOW.with(|it| *it))[0];
    let token = match suite::mint(&mut signer, &case, &chain) {
        Ok(token) => token,
        Err(SignError::Signer(error)) => return Err(error),
        Err(SignError::Token(error)) => {
            return Err(Error::Provision {
                object: "token".into(),
                reason: error.to_string(),
            });
        }
    };
    signer.device().attest(KEY)?;
    signer.device().info()?;
    audit.drain(signer.device())?;
    Ok(token)
}

thread_local! {
    /// One moment for all tokens of a test, so that they are the same bytes.
    static NOW: u64 = now();
}

/// Does everything with the misbehaviour at each of `calls`, once each.
fn at_every_call(what: Misbehaviour, calls: &[Cmd], timeout: u64) {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(2));
    let directory = scratch::cache_dir("tmp").join(format!("yubihsm-faults-{}", sim.port()));
    let uri = uri(&sim, &format!("key-id={KEY}?timeout={timeout}"));
    let _ = std::fs::remove_dir_all(&directory);
    let audit = AuditDir::open(&directory).unwrap();
    let right = everything(&uri, &audit).unwrap();
    for &call in calls {
        if call == Cmd::CreateSession {
            sim.drop_sessions();
        }
        sim.arm(what, call, 1);
        let begin = Instant::now();
        let result = everything(&uri, &audit);
        let took = begin.elapsed();
        assert!(
            took < Duration::from_secs(timeout + 6),
            "{what:?} at {call:?} took {took:?}"
        );
        assert_eq!(sim.disarm(), 0, "{what:?} at {call:?} never happened");
        match result {
            Ok(token) => assert_eq!(token, right, "{what:?} at {call:?}"),
            Err(error) => {
                let text = error.to_string();
                assert!(
                    text.len() > 20 && !text.contains("password"),
                    "{what:?} at {call:?}: {text}"
                );
            }
        }
        let again = everything(&uri, &audit);
        assert_eq!(
            again.unwrap_or_else(|error| panic!("{what:?} at {call:?}, then {error}")),
            right
        );
    }
    drop((sim, chain));
    std::fs::remove_dir_all(directory).unwrap();
}

macro_rules! faults {
    ($($name:ident: $what:expr, $timeout:literal;)*) => {
        $(#[test]
        fn $name() {
            at_every_call($what, &CALLS, $timeout);
        })*
    };
}

faults! {
    dropped_sessions: Misbehaviour::DropSession, 5;
    wrong_macs: Misbehaviour::BadMac, 5;
    answers_cut_off_in_the_head: Misbehaviour::CutFrame(2), 5;
    answers_cut_off_in_the_body: Misbehaviour::CutFrame(30), 5;
    empty_answers: Misbehaviour::CutFrame(0), 5;
    answers_to_other_questions: Misbehaviour::WrongCommand, 5;
    answers_in_pieces: Misbehaviour::SplitWrites, 2;
    http_errors: Misbehaviour::HttpError, 5;
    resets: Misbehaviour::Reset, 5;
    panics_of_the_crate: Misbehaviour::OversizeHttp, 2;
    refusals_log_full: Misbehaviour::Refuse(0x0a), 5;
    refusals_permissions: Misbehaviour::Refuse(0x09), 5;
    refusals_not_found: Misbehaviour::Refuse(0x0b), 5;
    refusals_that_the_crate_misnames: Misbehaviour::Refuse(0x0f), 5;
    refusals_unknown: Misbehaviour::Refuse(0x77), 5;
    sessions_full: Misbehaviour::SessionsFull, 5;
}

/// Fewer calls: each costs its time-out.
#[test]
fn hangs() {
    let hang = Misbehaviour::Hang(Duration::from_secs(2));
    let calls = [
        Cmd::GetObjectInfo,
        Cmd::GetOpaque,
        Cmd::SignPkcs1,
        Cmd::GetLogEntries,
        Cmd::CreateSession,
    ];
    at_every_call(hang, &calls, 1);
}

#[test]
fn signatures_that_are_none_never_become_a_token() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let mut signer = open(&uri(&sim, "key-id=100")).unwrap();
    let case = suite::cases(now())[0];
    for what in [
        Misbehaviour::ShortSignature,
        Misbehaviour::LongSignature,
        Misbehaviour::WrongSignature,
    ] {
        sim.arm(what, Cmd::SignPkcs1, 1);
        let error = suite::mint(&mut signer, &case, &chain).unwrap_err();
        if what == Misbehaviour::WrongSignature {
            let wrong = matches!(error, SignError::Token(privyseal_core::Error::Signature(_)));
            assert!(wrong, "{error}");
        } else {
            let wrong = matches!(error, SignError::Signer(Error::SignatureLength { .. }));
            assert!(wrong, "{error}");
        }
        assert_eq!(sim.disarm(), 0);
        suite::mint(&mut signer, &case, &chain).unwrap();
    }
}

#[test]
fn a_key_that_is_revoked_deleted_or_replaced_meanwhile_signs_nothing() {
    let change: [(fn(&YubihsmSim), &str); 3] = [
        (
            |sim| sim.revoke_sign(KEY),
            "SignPkcs1: INSUFFICIENT_PERMISSIONS (0x09)",
        ),
        (
            |sim| sim.delete_key(KEY),
            "SignPkcs1: OBJECT_NOT_FOUND (0x0b)",
        ),
        (
            |sim| sim.replace_key(KEY, LABEL, &test_key("stranger", 2048)),
            "does not verify",
        ),
    ];
    for (change, words) in change {
        let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
        let mut signer = open(&uri(&sim, "key-id=100")).unwrap();
        let case = suite::cases(now())[0];
        suite::mint(&mut signer, &case, &chain).unwrap();
        change(&sim);
        let error = suite::mint(&mut signer, &case, &chain).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// The crate's list ends before the unknown object, without a word.
#[test]
fn an_object_of_an_unknown_kind_hides_others_and_that_is_said() {
    let (sim, _, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let uri = uri(&sim, "key-id=100;cert-ids=101,102,103,104");
    let mut signer = open(&uri).unwrap();
    sim.arm(Misbehaviour::UnknownObjectType, Cmd::ListObjects, u32::MAX);
    assert_eq!(
        signer.certificates().unwrap(),
        chain,
        "by id nothing is hidden"
    );
    suite::mint(&mut signer, &suite::cases(now())[0], &chain).unwrap();
    let by_label = open(&super::uri(&sim, "key-id=100"))
        .unwrap()
        .certificates();
    assert!(
        matches!(by_label, Err(Error::Certificates(_))),
        "{by_label:?}"
    );
    let listing = privyseal_yubihsm::list(
        &uri,
        &mut super::password("password"),
        &SignerOptions::default(),
    )
    .unwrap();
    assert_eq!(
        listing.keys.len(),
        1,
        "the key that is named is found by its id"
    );
    assert_eq!((listing.hidden, listing.certificates.len()), (6, 0));
}
