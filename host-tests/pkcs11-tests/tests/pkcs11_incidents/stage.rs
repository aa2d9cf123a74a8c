//! A pool behind the fault shim, in a process of its own.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use privyseal_hsm::{Secret, SecretProvider, SecretRequest, SignerOptions};
use privyseal_pkcs11::{Error, Pkcs11Pool, Pkcs11Uri, PoolOptions, PooledSigner};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_suite::fault_shim::{Call, FaultShim};
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::target::{Kind, Target};

const DIR: &str = "PRIVYSEAL_TEST_DIR";

/// Runs `test` of that name in a child, with a key of that kind.
pub(crate) fn in_own_process(name: &str, kind: Kind, test: impl FnOnce(&Stage)) {
    if is_child(name) {
        let dir = PathBuf::from(std::env::var_os(DIR).expect("set by the parent"));
        return test(&Stage {
            target: Target::from_environment().expect("set by the parent"),
            shim: FaultShim::new(&dir),
        });
    }
    let target = Target::softhsm();
    FaultShim::module();
    let dir = tempfile::tempdir_in(cache_dir("tmp")).expect("target/ can be written");
    OwnProcess::new(name)
        .environment(target.environment_for(kind))
        .environment(FaultShim::new(dir.path()).environment(target.module()))
        .environment([
            (DIR.into(), dir.path().into()),
            ("STATE_DIRECTORY".into(), dir.path().into()),
        ])
        .silence(Duration::from_secs(60))
        .must_pass();
}

pub(crate) struct Stage {
    pub(crate) target: Target,
    pub(crate) shim: FaultShim,
}

impl Stage {
    pub(crate) fn pool(&self) -> Bench<'_> {
        self.pool_that_waits(PoolOptions::default().wait)
    }

    pub(crate) fn pool_that_waits(&self, wait: Duration) -> Bench<'_> {
        let uri: Pkcs11Uri = self.target.uri(&FaultShim::module()).parse().unwrap();
        let file = self.target.pin_file().to_owned();
        let pins =
            move |_: &SecretRequest| Secret::new(fs::read_to_string(&file).unwrap().trim_end());
        let options = PoolOptions::default().wait(wait);
        self.bench(Pkcs11Pool::open(&uri, pins, options).unwrap())
    }

    /// A pool that asks `pins` while it opens, and may keep what it is given.
    pub(crate) fn pool_that_keeps(&self, pins: &mut dyn SecretProvider) -> Bench<'_> {
        let uri: Pkcs11Uri = self.target.uri(&FaultShim::module()).parse().unwrap();
        let options = PoolOptions::default().signer(SignerOptions::default().keep_pin(true));
        self.bench(Pkcs11Pool::open_as(&uri, pins, options).unwrap())
    }

    fn bench(&self, pool: Pkcs11Pool) -> Bench<'_> {
        Bench {
            shim: &self.shim,
            minter: Minter::new(pool.public_key()),
            pool,
            mark: AtomicU64::new(0),
        }
    }
}

/// An open pool.
pub(crate) struct Bench<'s> {
    shim: &'s FaultShim,
    minter: Minter,
    pub(crate) pool: Pkcs11Pool,
    /// Where the calls of the latest step begin.
    mark: AtomicU64,
}

impl Bench<'_> {
    /// One token, judged; or why there is none.
    pub(crate) fn sign(&self) -> Result<(), String> {
        let mut signer = self.pool.signer().map_err(|error| error.to_string())?;
        self.sign_with(&mut signer)
    }

    pub(crate) fn sign_with(&self, signer: &mut PooledSigner<'_>) -> Result<(), String> {
        match self.minter.mint(signer, "incident") {
            Ok(token) => {
                self.minter.judge(&token).unwrap();
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// The error of a signature that fails, as the pool gives it.
    pub(crate) fn failure(&self, signer: &mut PooledSigner<'_>) -> Error {
        match self.minter.mint(signer, "incident") {
            Err(privyseal_core::SignError::Signer(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    /// The calls that `step` made, with these rules in force.
    pub(crate) fn calls_with(&self, rules: &[&str], step: impl FnOnce()) -> Vec<Call> {
        self.shim.rules(rules);
        self.mark.store(self.shim.mark(), Ordering::Relaxed);
        step();
        let calls = self.calls();
        self.shim.rules(&[]);
        calls
    }

    /// The calls of this step up to now.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shim.calls_since(self.mark.load(Ordering::Relaxed))
    }
}
