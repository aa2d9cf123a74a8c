//! The vendor's library, loaded once.
//!
//! PKCS #11 knows one `C_Initialize` per process and library, shared by all code in the process. So
//! there is one context per library file, kept for the life of the process, and the calls to
//! `C_Initialize` are made one at a time (concurrent ones have crashed SoftHSM). Somebody else in the
//! process may have initialized the library first; that is fine. It is never finalized here: that
//! would pull the library from under that somebody.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Cryptoki, RvError};

use crate::error::{CallError, Error, SelectError};
use crate::uri::Pkcs11Uri;

static LOADED: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// A loaded and initialized module.
pub(crate) struct Module {
    path: PathBuf,
    context: Pkcs11,
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
        let module = Self::at(uri.module_path()?)?;
        module.check_library(uri)?;
        Ok(module)
    }

    /// The one way to the library: a check that must hold before every call belongs here.
    pub(crate) const fn context(&self) -> &Pkcs11 {
        &self.context
    }

    fn at(path: &Path) -> Result<Arc<Self>, Error> {
        let file = resolve(path)?;
        // A panic while loading leaves the map as it was.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.get(&file) {
            return Ok(Arc::clone(module));
        }
        let module = Arc::new(Self {
            path: file.clone(),
            context: initialized(&file)?,
        });
        loaded.insert(file, Arc::clone(&module));
        Ok(module)
    }

    fn check_library(&self, uri: &Pkcs11Uri) -> Result<(), Error> {
        let (description, manufacturer) = (&uri.library_description, &uri.library_manufacturer);
        if description.is_none() && manufacturer.is_none() && uri.library_version.is_none() {
            return Ok(());
        }
        let info = self
            .context
            .get_library_info()
            .map_err(|error| CallError::new("C_GetInfo", &error))?;
        let version = (
            info.library_version().major(),
            info.library_version().minor(),
        );
        let fits = description
            .as_deref()
            .is_none_or(|wanted| wanted == info.library_description())
            && manufacturer
                .as_deref()
                .is_none_or(|wanted| wanted == info.manufacturer_id())
            && uri.library_version.is_none_or(|wanted| wanted == version);
        if fits {
            Ok(())
        } else {
            Err(Error::Token(SelectError::OtherLibrary))
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

fn initialized(file: &Path) -> Result<Pkcs11, Error> {
    let context = Pkcs11::new(file).map_err(|error| match error {
        Cryptoki::Pkcs11(..) => Error::Call(CallError::new("C_GetFunctionList", &error)),
        Cryptoki::MissingSymbol(name) => Error::Module {
            path: file.to_owned(),
            reason: format!("it is no PKCS #11 library (it has no {name})"),
        },
        other => Error::Module {
            path: file.to_owned(),
            reason: other.to_string(),
        },
    })?;
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Cryptoki::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(context),
        Err(error) => Err(CallError::new("C_Initialize", &error).into()),
    }
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
            error.to_string().contains("module-path is missing: add"),
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
