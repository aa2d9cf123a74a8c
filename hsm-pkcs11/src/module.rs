//! The vendor's library, loaded once.
//!
//! PKCS #11 knows one `C_Initialize` per process and library, shared by all code in the process. So
//! there is one [`Module`] per library file, kept for the life of the process, and initialized by one thread
//! (concurrent calls of `C_Initialize` have crashed SoftHSM). That is a thread of its own: a library that hangs
//! while it is loaded or initialized keeps those from working who want this library, and no longer than
//! [`INITIALIZE_WAIT`]. Other code in the process may have initialized the library first; that is fine, and then
//! it is never finalized here: that would pull the library from under that code.
//!
//! Every call of the module is made between [`Module::enter`] and the drop of what it gives. That is
//! where a forked child is turned away, and what a re-initialization waits for.

mod find;
mod initialize;

pub use find::configured_modules;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::Duration;

use privyseal_hsm::{ProcessLock, lock};

use crate::error::{Error, SelectError};
use crate::kept_pin::KeptPins;
use crate::limits::{INITIALIZE_WAIT, REINITIALIZE_WAIT, SLOW_AFTER};
use crate::raw::RawModule;
use crate::timed_lock::lock_within;
use crate::uri::{Pkcs11Uri, fits, without_padding};
use crate::watch::{self, ModuleTrouble};

/// One slot for each library file. Its lock is held while the library is loaded and initialized.
type Place = Arc<Mutex<Option<Arc<Module>>>>;

static PLACES: Mutex<BTreeMap<PathBuf, Place>> = Mutex::new(BTreeMap::new());

/// Whether a process outlives the module that the URI names; if not, how it ended.
pub(crate) type Trial = fn(&Pkcs11Uri) -> Result<(), String>;

/// A loaded and initialized module.
pub(crate) struct Module {
    path: PathBuf,
    raw: RawModule,
    /// What `C_Initialize` is given, for modules that cannot do without.
    init_args: Option<CString>,
    /// Whether it was initialized here, so that it may be finalized here.
    ours: AtomicBool,
    /// How many sessions are open.
    sessions: AtomicUsize,
    /// Counts the initializations. Sessions of an earlier one are dead.
    epoch: AtomicU64,
    /// Read by every thread that calls the module, written by the thread that initializes it again.
    gate: RwLock<()>,
    /// The process that initialized it.
    process: u32,
    kept_pins: KeptPins,
    others: Patience,
}

/// How long other processes were waited for without result: one that hangs costs the longest of the waits, not their sum.
#[derive(Debug, Default)]
struct Patience(Mutex<Duration>);

impl Patience {
    /// What is left of `wait`.
    fn left(&self, wait: Duration) -> Duration {
        wait.saturating_sub(*lock(&self.0))
    }

    /// That `wait` is over. Who came to it once may wait again.
    fn note(&self, wait: Duration, is_alone: bool) {
        let mut waited = lock(&self.0);
        *waited = if is_alone {
            Duration::ZERO
        } else {
            wait.max(*waited)
        };
    }
}

/// A guard: while it exists, the module may be called and is not initialized again.
pub(crate) struct Entered<'m> {
    module: &'m Arc<Module>,
    _gate: RwLockReadGuard<'m, ()>,
}

impl<'m> Entered<'m> {
    pub(crate) fn raw(&self) -> &'m RawModule {
        &self.module.raw
    }

    pub(crate) const fn module(&self) -> &'m Arc<Module> {
        self.module
    }
}

privyseal_core::opaque_debug! { [] Module: path; }

impl Module {
    /// The module that `uri` names, loaded now or earlier. Its `library-` attributes must fit.
    pub(crate) fn load(uri: &Pkcs11Uri, trial: Option<Trial>) -> Result<Arc<Self>, Error> {
        let at = |path: PathBuf| Self::at(&path, uri.module_init_args(), trial);
        let module = match (at(find::library(uri)), find::with_prefix(uri)) {
            (Err(error @ Error::Module { .. }), Some(path)) => match at(path) {
                Err(Error::Module { .. }) => Err(error),
                prefixed => prefixed,
            },
            (found, _) => found,
        };
        let module = module.map_err(|error| find::unloaded(uri, error))?;
        module.enter()?.check_library(uri)?;
        Ok(module)
    }

    /// Permits calls of the module, in the process that initialized it only.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Entered<'_>, Error> {
        self.check_process()?;
        let waited = REINITIALIZE_WAIT;
        let gate = lock_within(waited, || self.gate.try_read());
        Ok(Entered {
            module: self,
            _gate: gate.ok_or(Error::TokenBusy { waited })?,
        })
    }

    /// A child of the process that opened the module shares its sessions without knowing, and some
    /// modules fail there and others go on: PKCS #11 wants the child to initialize it again.
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        match std::process::id() {
            now if now == self.process => Ok(()),
            _ => Err(Error::Forked {
                opened_in: self.process,
            }),
        }
    }

    pub(crate) const fn raw(&self) -> &RawModule {
        &self.raw
    }

    /// How many sessions are open. While there are some, others depend on the module as it is.
    pub(crate) const fn sessions(&self) -> &AtomicUsize {
        &self.sessions
    }

    /// Keeps other processes that use this module from initializing it, looking for tokens and logging in meanwhile; not
    /// longer than `wait`, less what was waited without result before. SoftHSM, of several that do so at once, misreads its tokens or ends the process.
    pub(crate) fn alone(&self, wait: Duration) -> Option<ProcessLock> {
        let lock = ProcessLock::take(&self.path, self.others.left(wait));
        self.others.note(wait, lock.is_some());
        lock
    }

    pub(crate) const fn kept_pins(&self) -> &KeptPins {
        &self.kept_pins
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn at(path: &Path, init_args: Option<&str>, trial: Option<Trial>) -> Result<Arc<Self>, Error> {
        let file = resolve(path)?;
        let place = Arc::clone(lock(&PLACES).entry(file.clone()).or_default());
        let ready = lock_within(Duration::ZERO, || place.try_lock()).and_then(|it| it.clone());
        let module = match ready.filter(|module| module.check_process().is_ok()) {
            Some(module) => module,
            None => Self::initialized_in_time(place, &file, init_args, trial)?,
        };
        let as_given = module.init_args.as_deref().map(std::ffi::CStr::to_bytes);
        if init_args.is_some() && init_args.map(str::as_bytes) != as_given {
            return Err(Error::Module {
                path: file,
                reason: "it was initialized earlier with other module-init-args".into(),
            });
        }
        Ok(module)
    }

    /// In a thread of its own, unless another thread has done it meanwhile.
    fn initialized_in_time(
        place: Place,
        file: &Path,
        init_args: Option<&str>,
        trial: Option<Trial>,
    ) -> Result<Arc<Self>, Error> {
        let (path, init_args) = (file.to_owned(), init_args.map(str::to_owned));
        // No channel: a loader that hangs lets no thread make its first use of one.
        let answer = Arc::new((Mutex::new(None), Condvar::new()));
        let of_work = Arc::clone(&answer);
        let work = move || {
            let Some(mut place) = lock_within(INITIALIZE_WAIT, || place.try_lock()) else {
                return;
            };
            let ready = place
                .clone()
                .filter(|module| module.check_process().is_ok());
            let module = match ready {
                Some(module) => Ok(module),
                None => survives(trial, &path, init_args.as_deref())
                    .and_then(|()| Self::initialized(&path, init_args.as_deref()).map(Arc::new)),
            };
            *place = module.clone().ok();
            drop(place);
            let (answer, is_there) = &*of_work;
            *lock(answer) = Some(module);
            is_there.notify_one();
        };
        let started = thread::Builder::new().name("pkcs11".into()).spawn(work);
        started.map_err(|error| Error::Module {
            path: file.to_owned(),
            reason: error.to_string(),
        })?;
        let (answer, is_there) = &*answer;
        let within = |limit| {
            let waited = is_there.wait_timeout_while(lock(answer), limit, |it| it.is_none());
            waited.unwrap_or_else(PoisonError::into_inner).0.take()
        };
        let in_time = within(SLOW_AFTER).or_else(|| {
            let left = INITIALIZE_WAIT.saturating_sub(SLOW_AFTER);
            watch::tell(&ModuleTrouble::SlowStart { path: file, left });
            within(left)
        });
        in_time.unwrap_or_else(|| {
            Err(Error::ModuleHangs {
                path: file.to_owned(),
                waited: INITIALIZE_WAIT,
            })
        })
    }
}

impl Entered<'_> {
    fn check_library(&self, uri: &Pkcs11Uri) -> Result<(), Error> {
        let (description, manufacturer) = (&uri.library_description, &uri.library_manufacturer);
        if description.is_none() && manufacturer.is_none() && uri.library_version.is_none() {
            return Ok(());
        }
        let info = self.raw().info()?;
        let version = info.libraryVersion;
        let version = format!("{}.{}", version.major, version.minor);
        let fits = fits(description.as_ref(), &text(&info.libraryDescription))
            && fits(manufacturer.as_ref(), &text(&info.manufacturerID))
            && fits(uri.library_version.as_ref(), &version);
        if fits {
            Ok(())
        } else {
            Err(Error::Token(SelectError::OtherLibrary))
        }
    }
}

fn survives(trial: Option<Trial>, path: &Path, init_args: Option<&str>) -> Result<(), Error> {
    let uri = Pkcs11Uri {
        module_path: Some(path.to_string_lossy().into_owned()),
        module_init_args: init_args.map(str::to_owned),
        ..Pkcs11Uri::default()
    };
    let tried = trial.map_or(Ok(()), |trial| trial(&uri));
    tried.map_err(|reason| Error::ModuleCrashes {
        path: path.to_owned(),
        reason,
    })
}

/// A field of fixed size as text.
pub(crate) fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(without_padding(field)).into_owned()
}

/// Widens a `CK_ULONG`, which has 32 bits on some platforms.
pub(crate) fn wide<T: Into<u64>>(number: T) -> u64 {
    number.into()
}

/// One file, one module, however its path is written. A bare name is left to the loader, which looks in the
/// folders of the system and not in the working directory: who can write there must not choose the library.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    if path.file_name() == Some(path.as_os_str()) {
        return Ok(path.to_owned());
    }
    path.canonicalize().map_err(|error| Error::Module {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use privyseal_core::signer::{SignerError as _, SignerErrorKind};

    #[test]
    fn a_process_that_hangs_costs_one_wait() {
        let [start, login] = [5, 10].map(Duration::from_secs);
        let others = Patience::default();
        let left = |wait| others.left(wait).as_secs();
        assert_eq!(left(start), 5);
        others.note(start, false);
        assert_eq!((left(start), left(login)), (0, 5));
        others.note(start, false);
        assert_eq!(left(login), 5);
        others.note(login, false);
        assert_eq!((left(start), left(login)), (0, 0));
        others.note(start, true);
        assert_eq!((left(start), left(login)), (5, 10));
    }

    fn refusal(uri: &str) -> Error {
        Module::load(&uri.parse().unwrap(), None).unwrap_err()
    }

    /// As on a machine without p11-kit.
    #[test]
    fn no_module_path() {
        let absent = Error::Module {
            path: "p11-kit-proxy.so".into(),
            reason: "not there".into(),
        };
        let error = find::unloaded(&"pkcs11:token=t".parse().unwrap(), absent);
        assert_eq!(error.kind(), SignerErrorKind::Configuration);
        let text = error.to_string();
        assert!(
            text.contains("module-path is missing: it is the path"),
            "{text}"
        );
    }

    #[test]
    fn no_module_of_that_name() {
        let error = refusal("pkcs11:?module-name=nonexistent");
        assert_eq!(error.kind(), SignerErrorKind::Unavailable);
        assert!(error.to_string().contains("nonexistent"), "{error}");
    }

    #[test]
    fn no_such_file() {
        let error = refusal("pkcs11:?module-path=/nonexistent/module.so");
        assert_eq!(error.kind(), SignerErrorKind::Unavailable);
        assert!(
            error.to_string().contains("/nonexistent/module.so"),
            "{error}"
        );
    }

    #[test]
    fn not_a_library() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let error = refusal(&format!("pkcs11:?module-path={}", file.replace(' ', "%20")));
        assert!(matches!(error, Error::Module { .. }), "{error}");
    }

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn a_library_of_another_kind() {
        let error = refusal("pkcs11:?module-path=libc.so.6");
        assert!(error.to_string().contains("no PKCS #11 library"), "{error}");
    }
}
