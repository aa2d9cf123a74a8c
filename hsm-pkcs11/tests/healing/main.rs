//! What is lost comes back: sessions, the login, the token, the module itself. One process, one token, one
//! step after the other, because each takes something from all of the process.
//!
//! `unsafe`: `C_CloseAllSessions`, which cryptoki does not have, and `fork`, to see that a child is turned
//! away. The child does nothing else and ends.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::slot::Slot;
use privyseal_core::signer::{SignerError as _, SignerErrorKind};
use privyseal_core::{SignError, Signer as _};
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Error, Pkcs11Pool, PoolOptions};

use token::{PIN, Token, sign};

struct Stage {
    token: Token,
    /// Another part of the process that uses the same module.
    other: Pkcs11,
    pool: Pkcs11Pool,
    asked: Arc<AtomicUsize>,
}

impl Stage {
    fn new() -> Self {
        let token = Token::new();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let pins = move |_: &SecretRequest| {
            counter.fetch_add(1, Ordering::Relaxed);
            Secret::new(PIN)
        };
        let options = PoolOptions::default().wait(Duration::from_millis(50));
        let pool = Pkcs11Pool::open(&token.uri(None), pins, options).unwrap();
        let other = Pkcs11::new(&token.softhsm).unwrap();
        Self {
            token,
            other,
            pool,
            asked,
        }
    }

    /// How often the PIN was asked for meanwhile.
    fn pins_during(&self, step: impl FnOnce(&Self)) -> usize {
        let before = self.asked.load(Ordering::Relaxed);
        step(self);
        self.asked.load(Ordering::Relaxed) - before
    }

    fn sign(&self) -> Result<Vec<u8>, SignError<Error>> {
        sign(&mut self.pool.signer().unwrap())
    }

    fn close_all_sessions(&self) {
        // SAFETY: the module is loaded already, and a number goes in.
        let rv = unsafe {
            let module = cryptoki_sys::Pkcs11::new(&self.token.softhsm).unwrap();
            module.C_CloseAllSessions(self.slot().id())
        };
        assert_eq!(rv, cryptoki_sys::CKR_OK);
    }

    fn slot(&self) -> Slot {
        let slots = self.other.get_slots_with_initialized_token().unwrap();
        assert_eq!(slots.len(), 1);
        slots[0]
    }
}

#[test]
fn what_is_lost_comes_back() {
    let stage = Stage::new();
    let request = stage.sign().unwrap();
    let same = |stage: &Stage| assert_eq!(stage.sign().unwrap(), request);
    assert_eq!(stage.asked.load(Ordering::Relaxed), 1, "one login so far");

    the_pool_is_bounded(&stage);

    // Somebody logged out: handles and sessions are there, the login is not.
    let pins = stage.pins_during(|stage| {
        let session = stage.other.open_ro_session(stage.slot()).unwrap();
        session.logout().unwrap();
        drop(session);
        same(stage);
    });
    assert_eq!(pins, 1, "one login for the incident");

    // Somebody closed all sessions.
    let pins = stage.pins_during(|stage| {
        stage.close_all_sessions();
        same(stage);
    });
    assert_eq!(pins, 1);

    // Many threads notice: still one login.
    let pins = stage.pins_during(|stage| {
        stage.close_all_sessions();
        let patient = |stage: &Stage| loop {
            match stage.pool.signer() {
                Ok(mut signer) => return sign(&mut signer).unwrap(),
                Err(error) => assert_eq!(error.kind(), SignerErrorKind::Busy, "{error}"),
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(patient(stage), request));
            }
        });
    });
    assert_eq!(pins, 1);

    // Somebody finalized the module.
    let pins = stage.pins_during(|stage| {
        stage.other.clone().finalize().unwrap();
        same(stage);
    });
    assert_eq!(pins, 1);

    // Somebody finalized and initialized it: now it is not ours, and new sessions are enough.
    let pins = stage.pins_during(|stage| {
        stage.other.clone().finalize().unwrap();
        let locking = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        stage.other.initialize(locking).unwrap();
        same(stage);
    });
    assert_eq!(pins, 1);

    the_token_is_pulled_and_put_back(&stage, &request);
    a_child_is_turned_away(&stage);
}

fn the_pool_is_bounded(stage: &Stage) {
    assert_eq!(stage.pool.max_sessions(), 3);
    let signers: Vec<_> = (0..3).map(|_| stage.pool.signer().unwrap()).collect();
    assert_eq!(stage.pool.sessions_in_use(), 3);
    let error = stage.pool.signer().unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Busy);
    assert!(
        error
            .to_string()
            .starts_with("all 3 sessions of the pool were in use for 50 ms"),
        "{error}"
    );
    drop(signers);
    assert_eq!(stage.pool.sessions_in_use(), 0);
    assert!(stage.pool.signer().is_ok());
}

/// SoftHSM does not see a token that came back until it is initialized again.
fn the_token_is_pulled_and_put_back(stage: &Stage, request: &[u8]) {
    let (inside, outside) = (
        stage.token.directory().join("tokens"),
        stage.token.directory().join("pulled"),
    );
    std::fs::rename(&inside, &outside).unwrap();
    std::fs::create_dir(&inside).unwrap();
    let mut signer = stage.pool.signer().unwrap();
    let pins = stage.pins_during(|_| {
        // SoftHSM may serve from memory for a while; what it signs then is right, or it is an error.
        let answers: Vec<_> = (0..3).map(|_| sign(&mut signer)).collect();
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            let SignError::Signer(error) = error else {
                panic!("a wrong signature: {error}");
            };
            let text = error.to_string();
            assert!(text.contains("C_") || text.contains("token"), "{text}");
        }
        assert!(answers.iter().any(Result::is_err), "{answers:?}");
    });
    assert_eq!(pins, 0, "no token, no PIN");
    std::fs::remove_dir(&inside).unwrap();
    std::fs::rename(&outside, &inside).unwrap();
    let pins = stage.pins_during(|_| assert_eq!(sign(&mut signer).unwrap(), request));
    assert_eq!(pins, 1);
}

fn a_child_is_turned_away(stage: &Stage) {
    unsafe extern "C" {
        fn fork() -> i32;
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        fn _exit(status: i32) -> !;
    }
    let mut signer = stage.pool.signer().unwrap();
    let parent = std::process::id();
    // SAFETY: the child makes no call of the module and ends without running destructors.
    let child = unsafe { fork() };
    if child == 0 {
        let turned_away = matches!(
            stage.pool.signer(),
            Err(Error::Forked { opened_in }) if opened_in == parent
        );
        let signing = matches!(
            sign(&mut signer),
            Err(SignError::Signer(Error::Forked { opened_in })) if opened_in == parent
        );
        // SAFETY: see above.
        unsafe { _exit(i32::from(!(turned_away && signing))) }
    }
    let mut status = -1;
    // SAFETY: the status is written to a variable of ours.
    assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child was turned away");
    assert!(sign(&mut signer).is_ok(), "the parent goes on");
    assert_eq!(signer.public_key(), stage.pool.public_key());
}
