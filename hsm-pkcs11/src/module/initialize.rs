//! `C_Initialize`, the first time and, where nothing else helps, again.

use std::ffi::CString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as Cryptoki, RvError};

use super::{Module, patiently};
use crate::error::{CallError, Error};
use crate::raw::RawModule;

impl Module {
    /// Loads the library and initializes it, unless other code in this process has done so.
    pub(super) fn initialized(file: &Path, init_args: Option<&str>) -> Result<Self, Error> {
        let unusable = |error| unusable(file, &error);
        let context = Pkcs11::new(file).map_err(unusable)?;
        let raw = RawModule::load(file).map_err(unusable)?;
        // The URI's parser lets no NUL byte pass.
        let init_args = init_args.and_then(|text| CString::new(text).ok());
        let ours = initialize(&raw, init_args.as_ref())?;
        Ok(Self {
            path: file.to_owned(),
            context,
            raw,
            init_args,
            ours: AtomicBool::new(ours),
            epoch: AtomicU64::new(0),
            gate: RwLock::new(()),
            process: std::process::id(),
        })
    }

    /// Whether [`Module::initialize_again`] may finalize the module.
    pub(crate) fn is_ours(&self) -> bool {
        self.ours.load(Ordering::Acquire)
    }

    /// Finalizes the module and initializes it again, unless that has happened since `epoch`. All its
    /// sessions are dead then, those of other tokens too. Waits for calls that are under way; if they
    /// do not end, other tokens of the module are at work and it is left alone.
    ///
    /// A module that other code initialized is not finalized, but if that code finalized it, it
    /// is initialized here.
    pub(crate) fn initialize_again(self: &Arc<Self>, epoch: u64) -> Result<(), Error> {
        self.check_process()?;
        let _alone = patiently(|| self.gate.try_write()).ok_or(Error::ModuleInUse)?;
        if self.epoch() != epoch {
            return Ok(());
        }
        if self.is_ours() {
            // Sessions are as good as dead from here on, whatever the module says.
            self.epoch.fetch_add(1, Ordering::AcqRel);
            match self.context.clone().finalize() {
                Ok(()) | Err(Cryptoki::Pkcs11(RvError::CryptokiNotInitialized, _)) => {}
                Err(error) => return Err(CallError::new("C_Finalize", &error).into()),
            }
            self.ours.store(false, Ordering::Release);
        }
        if !initialize(&self.raw, self.init_args.as_ref())? {
            return Err(Error::ForeignModule);
        }
        self.ours.store(true, Ordering::Release);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}

/// Whether it was done here; if not, other code had done it.
fn initialize(raw: &RawModule, init_args: Option<&CString>) -> Result<bool, Error> {
    match raw.initialize(init_args.map(CString::as_c_str)) {
        Ok(()) => Ok(true),
        Err(Cryptoki::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(false),
        Err(error) => Err(CallError::new("C_Initialize", &error).into()),
    }
}

fn unusable(file: &Path, error: &Cryptoki) -> Error {
    let reason = match error {
        Cryptoki::Pkcs11(..) => return CallError::new("C_GetFunctionList", error).into(),
        Cryptoki::MissingSymbol(name) => format!("it is no PKCS #11 library (it has no {name})"),
        other => other.to_string(),
    };
    Error::Module {
        path: file.to_owned(),
        reason,
    }
}
