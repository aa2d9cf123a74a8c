//! The vendor's library, loaded once.
//!
//! PKCS #11 knows one `C_Initialize` per process and library, shared by all code in the process. So
//! there is one context per library file, kept for the life of the process, and the calls to
//! `C_Initialize` are made one at a time (concurrent ones have crashed SoftHSM). Other code in the
//! process may have initialized the library first; that is fine, and then it is never finalized here:
//! that would pull the library from under that code.
//!
//! Every call of the module is made between [`Module::enter`] and the drop of what it gives. That is
//! where a forked child is turned away, and what a re-initialization waits for.

mod initialize;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, TryLockError, TryLockResult};
use std::thread;
use std::time::Instant;

use cryptoki::context::Pkcs11;

use crate::error::{CallError, Error, SelectError};
use crate::limits::{REINITIALIZE_POLL, REINITIALIZE_WAIT};
use crate::raw::RawModule;
use crate::uri::{Pkcs11Uri, fits};

static LOADED: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// A loaded and initialized module.
pub(crate) struct Module {
    path: PathBuf,
    context: Pkcs11,
    raw: RawModule,
    /// What `C_Initialize` is given, for modules that cannot do without.
    init_args: Option<CString>,
    /// Whether it was initialized here, so that it may be finalized here.
    ours: AtomicBool,
    /// Counts the initializations. Sessions of an earlier one are dead.
    epoch: AtomicU64,
    /// Read by every thread that calls the module, written by the thread that initializes it again.
    gate: RwLock<()>,
    /// The process that initialized it.
    process: u32,
}

/// Leave to call the module; it is not re-initialized meanwhile.
pub(crate) struct Entered<'m> {
    module: &'m Arc<Module>,
    _gate: RwLockReadGuard<'m, ()>,
}

impl<'m> Entered<'m> {
    pub(crate) fn context(&self) -> &'m Pkcs11 {
        &self.module.context
    }

    pub(crate) fn raw(&self) -> &'m RawModule {
        &self.module.raw
    }

    pub(crate) const fn module(&self) -> &'m Arc<Module> {
        self.module
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Module {
    /// The module that `uri` names, loaded now or earlier. Its `library-` attributes must fit.
    pub(crate) fn load(uri: &Pkcs11Uri) -> Result<Arc<Self>, Error> {
        let module = Self::at(uri.module_path()?, uri.module_init_args())?;
        module.enter()?.check_library(uri)?;
        Ok(module)
    }

    /// Leave to call the module, in the process that initialized it only.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Entered<'_>, Error> {
        self.check_process()?;
        let gate = patiently(|| self.gate.try_read()).ok_or(Error::TokenBusy {
            waited: REINITIALIZE_WAIT,
        })?;
        Ok(Entered {
            module: self,
            _gate: gate,
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

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn at(path: &Path, init_args: Option<&str>) -> Result<Arc<Self>, Error> {
        let file = resolve(path)?;
        // A panic while loading leaves the map as it was.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.get(&file)
            && module.check_process().is_ok()
        {
            let as_given = module.init_args.as_deref().map(std::ffi::CStr::to_bytes);
            if init_args.is_some() && init_args.map(str::as_bytes) != as_given {
                return Err(Error::Module {
                    path: file,
                    reason: "it was initialized earlier with other module-init-args".into(),
                });
            }
            return Ok(Arc::clone(module));
        }
        let module = Arc::new(Self::initialized(&file, init_args)?);
        loaded.insert(file, Arc::clone(&module));
        Ok(module)
    }
}

impl Entered<'_> {
    fn check_library(&self, uri: &Pkcs11Uri) -> Result<(), Error> {
        let (description, manufacturer) = (&uri.library_description, &uri.library_manufacturer);
        if description.is_none() && manufacturer.is_none() && uri.library_version.is_none() {
            return Ok(());
        }
        let info = self
            .context()
            .get_library_info()
            .map_err(|error| CallError::new("C_GetInfo", &error))?;
        let version = (
            info.library_version().major(),
            info.library_version().minor(),
        );
        let fits = fits(description.as_deref(), info.library_description())
            && fits(manufacturer.as_deref(), info.manufacturer_id())
            && fits(uri.library_version.as_ref(), &version);
        if fits {
            Ok(())
        } else {
            Err(Error::Token(SelectError::OtherLibrary))
        }
    }
}

/// A side of the gate, tried again and again instead of waited for: no thread is held up for ever by a module
/// that hangs, nor by a writer that waits, if he has entered already and enters once more.
fn patiently<G>(mut attempt: impl FnMut() -> TryLockResult<G>) -> Option<G> {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(gate) => return Some(gate),
            Err(TryLockError::Poisoned(gate)) => return Some(gate.into_inner()),
            Err(TryLockError::WouldBlock) if start.elapsed() < REINITIALIZE_WAIT => {
                thread::sleep(REINITIALIZE_POLL);
            }
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}

/// One file, one module, however its path is written. A bare name is left to the system's search path.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    if path.components().count() == 1 && !path.exists() {
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

    fn refusal(uri: &str) -> Error {
        Module::load(&uri.parse().unwrap()).unwrap_err()
    }

    #[test]
    fn no_module_path() {
        let error = refusal("pkcs11:token=t");
        assert_eq!(error.kind(), SignerErrorKind::Configuration);
        assert!(
            error
                .to_string()
                .contains("module-path is missing: it is the path"),
            "{error}"
        );
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
