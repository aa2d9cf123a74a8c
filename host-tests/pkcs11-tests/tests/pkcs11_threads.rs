//! Eight threads, two thousand signatures each, and faults at random: everything that leaves is good.
//!
//! `TEST_PKCS11_SEED` repeats a run's faults, as far as threads let anything be repeated.

// A test stops where something is wrong, and says what it saw.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Uri, PoolOptions};
use privyseal_test_base::own_process::{OwnProcess, is_child, tell};
use privyseal_test_suite::fault_shim::{FaultShim, open_sessions, user_logins};
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::target::Target;

const DIR: &str = "PRIVYSEAL_TEST_DIR";

const THREADS: usize = 8;

const EACH: usize = 2_000;

/// Fewer than threads, so that they wait for each other.
const SESSIONS: u32 = 6;

/// The pool's last resort takes a fault that a new session does not cure twice in a row, in one signature. By
/// the chances below that is five times or so.
const LAST_RESORTS: usize = 30;

/// What goes wrong, in thousandths of the calls; the number after `@` is added to the seed.
const FAULTS: [&str; 9] = [
    "C_SignInit 1/1000@1 first sessions",
    "C_SignInit 2/1000@2 first session",
    "C_SignInit 5/1000@3 return 0xb3",
    "C_SignInit 5/1000@4 return-after 0x30",
    "C_Sign 5/1000@5 return 0x32",
    "C_Sign 5/1000@6 wrong",
    "C_Sign 5/1000@7 short 1",
    "C_Sign 2/1000@8 hang 20",
    "C_OpenSession 50/1000@9 return 0xb1",
];

/// Yours, if you have named one.
#[test]
fn eight_threads_with_random_faults_make_good_tokens_only() {
    const NAME: &str = "eight_threads_with_random_faults_make_good_tokens_only";
    run(NAME, "SoftHSM or yours", Target::chosen);
}

#[test]
fn kryoptic_in_eight_threads_too() {
    run(
        "kryoptic_in_eight_threads_too",
        "kryoptic",
        Target::kryoptic,
    );
}

fn run(name: &str, token: &str, target: impl FnOnce() -> Target) {
    if is_child(name) {
        return child();
    }
    let target = target();
    FaultShim::module();
    let dir = tempfile::tempdir_in(privyseal_test_base::scratch::cache_dir("tmp"))
        .expect("target/ can be written");
    let told = OwnProcess::new(name)
        .environment(target.environment())
        .environment(FaultShim::new(dir.path()).environment(target.module()))
        .environment([(DIR.into(), dir.path().into())])
        .silence(Duration::from_secs(60))
        .must_pass();
    let numbers = told.last().expect("the child tells its numbers");
    // Past what holds back the output of tests that pass.
    writeln!(stdout(), "{token}: {numbers}").expect("a standard output");
}

fn child() {
    let target = Target::from_environment().expect("set by the parent");
    let dir = PathBuf::from(std::env::var_os(DIR).expect("set by the parent"));
    let shim = FaultShim::new(&dir);
    let uri: Pkcs11Uri = target.uri(&FaultShim::module()).parse().unwrap();
    let file = target.pin_file().to_owned();
    let pins = move |_: &SecretRequest| Secret::new(fs::read_to_string(&file).unwrap().trim_end());
    let options = PoolOptions::default().sessions(Some(SESSIONS));
    let pool = Pkcs11Pool::open(&uri, pins, options).unwrap();
    let minter = Minter::new(pool.public_key());
    pool.close_idle();
    let before = (
        pool.sessions_in_use(),
        open_sessions(&shim.calls_since(0)).len(),
    );

    let seed = seed();
    shim.rules(&seeded(seed).iter().map(String::as_str).collect::<Vec<_>>());
    let tokens = Mutex::new(Vec::new());
    let lost = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (pool, minter, tokens, lost) = (&pool, &minter, &tokens, &lost);
            scope.spawn(move || work(number, pool, minter, tokens, lost));
        }
    });
    shim.rules(&[]);

    let tokens = tokens.into_inner().unwrap();
    // On a busy machine they take longer to judge than a child may be silent.
    let judged = tokens.chunks(EACH).flat_map(|some| {
        tell("all signed; judging");
        some
    });
    assert_eq!(minter.judge_all(judged), THREADS * EACH);
    pool.close_idle();
    let calls = shim.calls_since(0);
    let after = (pool.sessions_in_use(), open_sessions(&calls).len());
    assert_eq!(after, before, "sessions lent out, sessions open");
    // One login for each that a fault took. The pool's last resort takes one too; it must be rare.
    let lost_to = |function| {
        calls
            .iter()
            .filter(move |call| call.result == 0 && call.function == function)
    };
    let logins_lost = lost_to("C_CloseAllSessions").count();
    assert!(lost_to("C_CloseAllSessions").all(|call| call.faulty));
    let last_resorts = lost_to("C_Finalize").count();
    assert!(last_resorts <= LAST_RESORTS, "{last_resorts} of them");
    let logins = user_logins(&calls);
    assert!(
        logins <= 1 + logins_lost + last_resorts,
        "{logins} logins, {logins_lost} lost, {last_resorts} given up"
    );
    drop(pool);
    assert!(open_sessions(&shim.calls_since(0)).is_empty());
    let faults = calls.iter().filter(|call| call.faulty).count();
    assert!(
        faults > THREADS * EACH / 100,
        "the faults were injected: {faults}"
    );
    tell(&format!(
        "{} tokens good, {faults} faults (seed {seed}), {} signatures refused, {logins_lost} logins lost \
         and {last_resorts} given up, {} made again",
        tokens.len(),
        lost.into_inner(),
        logins - 1
    ));
}

fn work(
    number: usize,
    pool: &Pkcs11Pool,
    minter: &Minter,
    tokens: &Mutex<Vec<String>>,
    lost: &AtomicUsize,
) {
    for n in 0..EACH {
        // Each attempt has a jti of its own: whether a lost one was signed, nobody can tell.
        let mut attempt = 0;
        let token = loop {
            let mut signer = pool.signer().expect("a session in time");
            match minter.mint(&mut signer, &format!("{number}-{n}-{attempt}")) {
                Ok(token) => break token,
                Err(error) => {
                    attempt += 1;
                    assert!(attempt < 10, "does not heal: {error}");
                }
            }
        };
        lost.fetch_add(attempt, Ordering::Relaxed);
        tokens.lock().unwrap().push(token);
        if n % 100 == 0 {
            tell(&format!("thread {number}: {n}"));
        }
    }
}

fn seed() -> u64 {
    let given = std::env::var("TEST_PKCS11_SEED").ok();
    given.map_or(20_261_122, |seed| {
        seed.parse().expect("TEST_PKCS11_SEED is a number")
    })
}

fn seeded(seed: u64) -> Vec<String> {
    let line = |fault: &&str| {
        let (before, after) = fault.split_once('@').expect("a fault by chance");
        let (which, action) = after.split_once(' ').expect("a fault by chance");
        let which: u64 = which.parse().expect("a number");
        format!("{before}@{} {action}", seed.wrapping_add(which << 32))
    };
    FAULTS.iter().map(line).collect()
}
