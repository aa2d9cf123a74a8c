//! The log: drained in time, proved, and compared with what we did.

use std::path::PathBuf;
use std::time::Duration;

use privyseal_core::SignError;
use privyseal_test_base::clock::now;
use privyseal_test_base::scratch;
use privyseal_test_simulators::yubihsm_sim::{Cmd, Misbehaviour, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_yubihsm::audit::{AuditDir, AuditError, AuditFinding, Reconciliation, reconcile};
use privyseal_yubihsm::{Error, YubihsmSigner};

use super::{KEY, open, password, uri};

const IDLE: Duration = Duration::from_secs(30);

struct Audit {
    path: PathBuf,
    directory: AuditDir,
}

impl Audit {
    fn new(sim: &YubihsmSim, name: &str) -> Self {
        let path = scratch::cache_dir("tmp").join(format!("yubihsm-{name}-{}", sim.port()));
        let _ = std::fs::remove_dir_all(&path);
        Self {
            directory: AuditDir::open(&path).unwrap(),
            path,
        }
    }

    fn signer(&self, sim: &YubihsmSim) -> YubihsmSigner {
        let path = self.path.to_str().unwrap().replace(' ', "%20");
        open(&uri(sim, &format!("key-id={KEY}?audit-dir={path}"))).unwrap()
    }

    fn reconcile(&self, signer: &YubihsmSigner) -> Reconciliation {
        self.directory.drain(signer.device()).unwrap();
        let entries = self.directory.entries().unwrap();
        reconcile(KEY, &entries, &self.directory.signatures().unwrap())
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Three times as many signatures as the log has entries, with force-audit.
#[test]
fn the_log_is_drained_in_time_and_every_signature_is_in_it() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    sim.force_audit(true);
    let audit = Audit::new(&sim, "drained");
    let mut signer = audit.signer(&sim);
    let case = suite::cases(now())[0];
    for _ in 0..200 {
        suite::mint(&mut signer, &case, &chain).unwrap();
    }
    let result = audit.reconcile(&signer);
    assert!(result.agrees(), "{result:?}");
    assert_eq!(
        (result.logged, result.ours.made, sim.signatures()),
        (200, 200, 200)
    );
}

/// Each start logs commands of its own: without a drain before them, the log is full after a dozen.
#[test]
fn with_force_audit_no_start_ever_stops() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    sim.force_audit(true);
    let audit = Audit::new(&sim, "starts");
    let case = suite::cases(now())[0];
    for _ in 0..30 {
        let mut signer = audit.signer(&sim);
        assert_eq!(signer.certificates().unwrap(), chain);
        suite::mint(&mut signer, &case, &chain).unwrap();
    }
    sim.fill_log();
    let mut signer = audit.signer(&sim);
    sim.fill_log();
    assert_eq!(signer.certificates().unwrap(), chain);
    suite::mint(&mut signer, &case, &chain).unwrap();
    let result = audit.reconcile(&signer);
    assert!(result.agrees() && result.logged == 31, "{result:?}");
}

#[test]
fn a_log_that_others_filled_is_drained_and_the_signature_made() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    sim.force_audit(true);
    let audit = Audit::new(&sim, "full");
    let mut signer = audit.signer(&sim);
    sim.fill_log();
    suite::mint(&mut signer, &suite::cases(now())[0], &chain).unwrap();
    let result = audit.reconcile(&signer);
    assert!(result.agrees() && result.logged == 1, "{result:?}");
}

#[test]
fn without_an_audit_directory_a_full_log_is_named_with_what_to_do() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    sim.force_audit(true);
    let mut signer = open(&uri(&sim, "key-id=100")).unwrap();
    sim.fill_log();
    let error = suite::mint(&mut signer, &suite::cases(now())[0], &chain)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("LOG_FULL") && error.contains("drain"),
        "{error}"
    );
}

#[test]
fn a_foreign_signature_is_found() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    sim.add_auth_key(9, "thief", 1 << 5);
    let audit = Audit::new(&sim, "foreign");
    let mut signer = audit.signer(&sim);
    let case = suite::cases(now())[0];
    suite::mint(&mut signer, &case, &chain).unwrap();
    assert!(audit.reconcile(&signer).agrees());
    // With our own authentication key, past the audit directory.
    suite::mint(&mut open(&uri(&sim, "key-id=100")).unwrap(), &case, &chain).unwrap();
    let result = audit.reconcile(&signer);
    assert_eq!(
        result.findings,
        [AuditFinding::ForeignSignatures {
            auth_key: 1,
            count: 1
        }]
    );
    // With another one.
    let thief = uri(&sim, "auth-key=9;key-id=100");
    let mut thief = YubihsmSigner::open(&thief, &mut password("thief")).unwrap();
    suite::mint(&mut thief, &case, &chain).unwrap();
    let findings = audit.reconcile(&signer).findings;
    assert!(
        matches!(
            findings[0],
            AuditFinding::ForeignSession { auth_key: 9, .. }
        ),
        "{findings:?}"
    );
}

/// The device signed, the answer never came: not ours, not foreign, open.
#[test]
fn a_signature_whose_answer_was_lost_is_open_and_not_foreign() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    let audit = Audit::new(&sim, "lost");
    let mut signer = audit.signer(&sim);
    let case = suite::cases(now())[0];
    sim.arm(Misbehaviour::Reset, Cmd::SignPkcs1, 1);
    suite::mint(&mut signer, &case, &chain).unwrap_err();
    suite::mint(&mut signer, &case, &chain).unwrap();
    let result = audit.reconcile(&signer);
    assert!(result.agrees(), "{result:?}");
    assert_eq!(
        (result.logged, result.ours.made, result.ours.open),
        (2, 1, 1)
    );
}

#[test]
fn a_broken_or_unreadable_log_is_not_forgotten_by_the_device() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    let audit = Audit::new(&sim, "broken");
    let mut signer = audit.signer(&sim);
    let case = suite::cases(now())[0];
    for _ in 0..3 {
        suite::mint(&mut signer, &case, &chain).unwrap();
    }
    for what in [Misbehaviour::BrokenLogChain, Misbehaviour::UnknownLogEntry] {
        sim.arm(what, Cmd::GetLogEntries, 1);
        let error = audit.directory.drain(signer.device()).unwrap_err();
        let right = match what {
            Misbehaviour::BrokenLogChain => {
                matches!(error, Error::Audit(AuditError::BrokenChain { .. }))
            }
            _ => matches!(error, Error::Audit(AuditError::Truncated { .. })),
        };
        assert!(right, "{error}");
    }
    let result = audit.reconcile(&signer);
    assert!(result.agrees() && result.logged == 3, "{result:?}");
}

/// Without force-audit a device overwrites; that is found, and signing with an audit directory stops.
#[test]
fn lost_entries_are_a_gap() {
    let (sim, _, chain) = YubihsmSim::with_seal(IDLE);
    let audit = Audit::new(&sim, "gap");
    let mut signer = audit.signer(&sim);
    audit.directory.drain(signer.device()).unwrap();
    let mut other = open(&uri(&sim, "key-id=100")).unwrap();
    let case = suite::cases(now())[0];
    for _ in 0..70 {
        suite::mint(&mut other, &case, &chain).unwrap();
    }
    let error = audit.directory.drain(signer.device()).unwrap_err();
    assert!(
        matches!(error, Error::Audit(AuditError::Gap { .. })),
        "{error}"
    );
    let failed = (0..10)
        .find_map(|_| suite::mint(&mut signer, &case, &chain).err())
        .unwrap();
    assert!(
        matches!(failed, SignError::Signer(Error::Audit(_))),
        "{failed}"
    );
}
