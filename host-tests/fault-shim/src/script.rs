//! The rules in force, and how often each function was called since they are.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::sync::{Mutex, OnceLock, PoisonError};

use cryptoki_sys::{CK_RV, CK_SLOT_ID};

use crate::rule::{Action, Rule};

#[derive(Default)]
struct Script {
    text: String,
    rules: Vec<Rule>,
    calls: BTreeMap<&'static str, u64>,
    /// What everything returns, and the function that ends it.
    dead: Option<(CK_RV, String)>,
}

static SCRIPT: Mutex<Script> = Mutex::new(Script {
    text: String::new(),
    rules: Vec::new(),
    calls: BTreeMap::new(),
    dead: None,
});

/// What to do with this call of `function`. None: forward it.
pub(crate) fn next(function: &'static str, slot: Option<CK_SLOT_ID>) -> Option<Action> {
    let text = control();
    let mut script = SCRIPT.lock().unwrap_or_else(PoisonError::into_inner);
    if script.text != text {
        *script = Script {
            rules: text.lines().filter_map(Rule::parse).collect(),
            text,
            ..Script::default()
        };
    }
    script.next(function, slot)
}

impl Script {
    fn next(&mut self, function: &'static str, slot: Option<CK_SLOT_ID>) -> Option<Action> {
        if let Some((code, until)) = self.dead.take()
            && until != function
        {
            self.dead = Some((code, until));
            return Some(Action::Return(code));
        }
        let calls = self.calls.entry(function).or_default();
        *calls += 1;
        let nth = *calls;
        let hit = |rule: &&Rule| rule.function == function && rule.which.hits(nth, slot);
        let action = self.rules.iter().find(hit)?.action.clone();
        if let Action::Dead { code, until } = &action {
            self.dead = Some((*code, until.clone()));
        }
        Some(action)
    }
}

/// The control file. None of it if it is not there.
fn control() -> String {
    static PATH: OnceLock<Option<OsString>> = OnceLock::new();
    let path = PATH.get_or_init(|| std::env::var_os("FAULT_SHIM_CONTROL"));
    path.as_ref()
        .and_then(|path| fs::read_to_string(path).ok())
        .unwrap_or_default()
}
