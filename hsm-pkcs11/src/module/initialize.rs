//! `C_Initialize`, the first time and, where nothing else helps, again.

use std::ffi::CString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use cryptoki_sys::CKR_CRYPTOKI_NOT_INITIALIZED;

use super::{Module, Patience};
use crate::error::Error;
use crate::kept_pin::KeptPins;
use crate::limits::{REINITIALIZE_WAIT, START_WAIT};
use crate::raw::RawModule;
use crate::timed_lock::lock_within;

impl Module {
    /// Loads the library and initializes it, unless other code in this process has done so.
    pub(super) fn initialized(file: &Path, init_args: Option<&str>) -> Result<Self, Error> {
        let raw = RawModule::load(file).map_err(|reason| Error::Module {
            path: file.to_owned(),
            reason,
        })?;
        // The URI's parser lets no NUL byte pass.
        let init_args = init_args.and_then(|text| CString::new(text).ok());
        let mut module = Self {
            path: file.to_owned(),
            raw,
            init_args,
            ours: AtomicBool::new(false),
            sessions: AtomicUsize::new(0),
            epoch: AtomicU64::new(0),
            gate: RwLock::new(()),
            process: std::process::id(),
            kept_pins: KeptPins::default(),
            others: Patience::default(),
        };
        let others = module.alone(START_WAIT);
        *module.ours.get_mut() = module.raw.initialize(module.init_args.as_deref())?;
        drop(others);
        Ok(module)
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
        let alone = lock_within(REINITIALIZE_WAIT, || self.gate.try_write());
        let _alone = alone.ok_or(Error::ModuleInUse)?;
        if self.epoch() != epoch {
            return Ok(());
        }
        let _others = self.alone(START_WAIT);
        if self.is_ours() {
            // Sessions are as good as dead from here on, whatever the module says.
            self.epoch.fetch_add(1, Ordering::AcqRel);
            match self.raw.finalize() {
                Err(call) if call.rv() != Some(CKR_CRYPTOKI_NOT_INITIALIZED) => {
                    return Err(call.into());
                }
                _ => {}
            }
            self.ours.store(false, Ordering::Release);
        }
        if !self.raw.initialize(self.init_args.as_deref())? {
            return Err(Error::ForeignModule);
        }
        self.ours.store(true, Ordering::Release);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}
