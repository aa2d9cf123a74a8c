//! The module of `host-tests/fault-shim`, freshly built: it forwards to a real PKCS #11 module, counts
//! calls, and breaks them as told. Its rules can be changed while a program runs.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use privyseal_test_base::scratch::{target_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, cargo, run_within};

/// The module, its rules and its log, in a directory of the test.
#[derive(Debug)]
pub struct FaultShim {
    control: PathBuf,
    log: PathBuf,
}

/// Tells a child where the module is.
const BUILT: &str = "FAULT_SHIM_BUILT";

/// One call that the module saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `C_Sign`, for example.
    pub function: String,
    /// The session, 0 where there is none.
    pub session: u64,
    /// What the caller got.
    pub result: u64,
    /// Whether it is a login for one use of a key (`CKU_CONTEXT_SPECIFIC`).
    pub context: bool,
    /// Whether a rule changed what happened.
    pub faulty: bool,
}

impl FaultShim {
    /// With its files in `dir`, which this process or its parent made. No rule is in force until
    /// [`FaultShim::rules`].
    pub fn new(dir: &Path) -> Self {
        Self {
            control: dir.join("fault-shim-rules"),
            log: dir.join("fault-shim-log"),
        }
    }

    /// The module's path. It is built first, once a process, unless the parent has done so.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn module() -> PathBuf {
        static PATH: OnceLock<PathBuf> = OnceLock::new();
        PATH.get_or_init(|| env::var_os(BUILT).map_or_else(build, PathBuf::from))
            .clone()
    }

    /// What a process that loads the module must have in its environment.
    pub fn environment(&self, real_module: &Path) -> Vec<(String, OsString)> {
        vec![
            ("FAULT_SHIM_MODULE".into(), real_module.into()),
            ("FAULT_SHIM_CONTROL".into(), self.control.clone().into()),
            ("FAULT_SHIM_LOG".into(), self.log.clone().into()),
            (BUILT.into(), Self::module().into()),
        ]
    }

    /// Puts these rules in force, in place of those before; the language is that of
    /// `host-tests/fault-shim/src/rule.rs`. Calls count from one again.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn rules(&self, rules: &[&str]) {
        static GENERATION: AtomicU64 = AtomicU64::new(0);
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        let text = format!("generation {id}.{generation}\n{}\n", rules.join("\n"));
        // Renamed into place, so that no call meets half a file.
        let new = self.control.with_extension("new");
        fs::write(&new, text).expect("the test's directory can be written");
        fs::rename(&new, &self.control).expect("the test's directory can be written");
    }

    /// How often `function` was called up to now.
    pub fn calls(&self, function: &str) -> usize {
        count(&self.calls_since(0), function)
    }

    /// The calls up to now, as a mark for [`FaultShim::calls_since`]. Zero is the first call.
    pub fn mark(&self) -> u64 {
        // Before the first call there is no file.
        fs::metadata(&self.log).map_or(0, |log| log.len())
    }

    /// The calls after a mark.
    ///
    /// # Panics
    /// If the log is not what the module writes.
    pub fn calls_since(&self, mark: u64) -> Vec<Call> {
        let mut log = String::new();
        if let Ok(mut file) = fs::File::open(&self.log) {
            file.seek(SeekFrom::Start(mark)).expect("a file");
            file.read_to_string(&mut log).expect("lines of text");
        }
        let call = |line| Call::parse(line).unwrap_or_else(|| panic!("the shim logged {line:?}"));
        log.lines().map(call).collect()
    }
}

impl Call {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            function: words.next()?.into(),
            session: words.next()?.parse().ok()?,
            result: u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?,
            context: words.clone().any(|word| word == "context"),
            faulty: words.any(|word| word == "fault"),
        })
    }
}

/// How many of `calls` are of `function`.
pub fn count(calls: &[Call], function: &str) -> usize {
    calls
        .iter()
        .filter(|call| call.function == function)
        .count()
}

/// How many of `calls` log the user in: not for one use of a key, but for as long as a session lasts.
pub fn user_logins(calls: &[Call]) -> usize {
    count(calls, "C_Login") - context_logins(calls)
}

/// How many of `calls` log in for one use of a key.
pub fn context_logins(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.context).count()
}

/// The sessions that are open after `calls`, which begin with the first of the process.
pub fn open_sessions(calls: &[Call]) -> BTreeSet<u64> {
    let mut open = BTreeSet::new();
    for call in calls.iter().filter(|call| call.result == 0) {
        match call.function.as_str() {
            "C_OpenSession" => _ = open.insert(call.session),
            "C_CloseSession" => _ = open.remove(&call.session),
            "C_CloseAllSessions" | "C_Finalize" => open.clear(),
            _ => {}
        }
    }
    open
}

fn build() -> PathBuf {
    let mut build = cargo(["build", "--quiet", "--package", "privyseal-fault-shim"]);
    run_within(LONG_LIMIT, build.current_dir(workspace()));
    let name = format!(
        "{}fault_shim{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    let path = target_dir().join("debug").join(name);
    assert!(path.exists(), "cargo built no {}", path.display());
    path
}
