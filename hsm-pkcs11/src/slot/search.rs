//! Which module has the token, where a URI names none: one of p11-kit's.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;

use privyseal_hsm::lock;

use super::{look, matching_token};
use crate::error::Error;
use crate::limits::{INITIALIZE_WAIT, SLOW_AFTER, START_WAIT};
use crate::module::{Module, Trial, configured_modules};
use crate::uri::Pkcs11Uri;
use crate::watch::{self, ModuleTrouble};

/// What the modules answered.
#[derive(Default)]
struct Answers {
    missing: BTreeSet<String>,
    /// Those that have a token that is meant.
    found: Vec<Arc<Module>>,
}

static TRIAL: OnceLock<Trial> = OnceLock::new();

/// From now on a module that nobody named, one of several, is loaded only if a process of its own outlives that: `trial` starts
/// one, for which [`module_info`](crate::module_info) is enough, or says how it ended. The first caller in a process is heard.
pub fn try_modules_by(trial: fn(&Pkcs11Uri) -> Result<(), String>) {
    let _ = TRIAL.set(trial);
}

/// The module that `uri` names; where it names none, the one of p11-kit's that has its token. Each is started on its own, so
/// that one that hangs keeps nobody from the others. If not just one has it, p11-kit's proxy, which knows all of them.
pub(crate) fn module_of(uri: &Pkcs11Uri) -> Result<Arc<Module>, Error> {
    let is_named = uri.module_path.is_some() || uri.module_name.is_some();
    if is_named {
        return Module::load(uri, None);
    }
    let names: BTreeSet<_> = configured_modules().into_iter().collect();
    let trial = TRIAL.get().copied().filter(|_| names.len() > 1);
    // Slots are numbered by the proxy, and arguments are one module's.
    if uri.slot_id.is_some() || uri.module_init_args.is_some() {
        return Module::load(uri, trial);
    }
    let answers = Answers {
        missing: names.clone(),
        ..Answers::default()
    };
    let shared = Arc::new((Mutex::new(answers), Condvar::new()));
    for name in names {
        let of_thread = Arc::clone(&shared);
        let uri = uri.in_module(name.clone());
        let ask = move || {
            let found = with_token(&uri, trial);
            if let Err(Error::ModuleCrashes { path, reason }) = &found {
                watch::tell(&ModuleTrouble::Crash { path, reason });
            }
            let (answers, came) = &*of_thread;
            let mut answers = lock(answers);
            if !matches!(found, Err(Error::ModuleHangs { .. })) {
                answers.missing.remove(&name);
            }
            let found = found.ok().flatten();
            // Two names may mean one library.
            let is_new =
                |it: &Arc<Module>| !answers.found.iter().any(|known| Arc::ptr_eq(known, it));
            let found = found.filter(is_new);
            answers.found.extend(found);
            came.notify_one();
        };
        let started = thread::Builder::new().name("pkcs11".into()).spawn(ask);
        started.map_err(|error| Error::Module {
            path: "p11-kit-proxy".into(),
            reason: error.to_string(),
        })?;
    }
    let (answers, came) = &*shared;
    let wait = |limit, is_enough: fn(&Answers) -> bool| {
        let waits = |it: &mut Answers| !it.missing.is_empty() && !is_enough(it);
        let waited = came.wait_timeout_while(lock(answers), limit, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0
    };
    drop(wait(SLOW_AFTER, |_| false));
    let mut answers = wait(INITIALIZE_WAIT, |it| !it.found.is_empty());
    match (answers.found.pop(), answers.missing.first()) {
        (Some(module), _) if answers.found.is_empty() => Ok(module),
        (None, Some(name)) => Err(Error::ModuleHangs {
            path: name.into(),
            waited: INITIALIZE_WAIT,
        }),
        _ => Module::load(uri, trial),
    }
}

/// The module that `uri` names, if it has a token that is meant.
fn with_token(uri: &Pkcs11Uri, trial: Option<Trial>) -> Result<Option<Arc<Module>>, Error> {
    let module = Module::load(uri, trial)?;
    let entered = module.enter()?;
    let _alone = module.alone(START_WAIT);
    let mut slots = entered.raw().slots()?.into_iter();
    let has_token =
        slots.any(|slot| matching_token(&entered, slot, &look(&entered, slot), uri).is_some());
    drop(entered);
    Ok(has_token.then_some(module))
}
