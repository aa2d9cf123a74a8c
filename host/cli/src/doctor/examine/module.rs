//! The first steps: the module, its slots, the token's flags. No login is needed for them.

use privyseal::keys::SignerFailure;
use privyseal::report::Verdict;
use privyseal_hsm::PinState;
use privyseal_pkcs11::{ModuleInfo, Pkcs11Uri, SlotInfo, TokenInfo, module_info};

use super::DoctorReport;
use crate::advice::key::NO_TOKEN;
use crate::scan;

/// What the module shows, if it can be loaded.
pub(super) fn load(report: &mut DoctorReport, uri: &Pkcs11Uri) -> Option<ModuleInfo> {
    if let Err(error) = scan::survives(uri, scan::LIMIT, Some(scan::PATIENCE)) {
        report.token_trouble("module", error.to_string());
        report.next.push(
            "ask the module's vendor; until then p11-kit can run it in a process of its own (p11-kit server), \
             which p11-kit-client.so reaches"
                .to_owned(),
        );
        return None;
    }
    match module_info(uri) {
        Ok(module) => {
            report.add("module", Verdict::Passed, &module.library);
            Some(module)
        }
        Err(error) => {
            report.broke("module", &SignerFailure::new(error).into());
            None
        }
    }
}

/// Whether the next step makes sense.
pub(super) fn look(report: &mut DoctorReport, uri: &Pkcs11Uri) -> bool {
    let Some(module) = load(report, uri) else {
        return false;
    };
    for slot in &module.slots {
        let text = slot_text(slot);
        report.add("slots", Verdict::Note, text);
    }
    let meant: Vec<&SlotInfo> = module
        .slots
        .iter()
        .filter(|slot| slot.matches_uri)
        .collect();
    match meant.as_slice() {
        [slot] => {
            let text = format!("the URI means the token in slot {}", slot.slot_id);
            report.add("slots", Verdict::Passed, text);
            if let Ok(Some(token)) = &slot.token {
                flags(report, token);
            }
            true
        }
        meant => {
            let text = format!("the URI means {} tokens, not one", meant.len());
            report.token_trouble("slots", text);
            let has_token = module
                .slots
                .iter()
                .any(|slot| !matches!(slot.token, Ok(None)));
            let next = if has_token {
                "name the token in full: token=..;serial=.. as listed above (or put it in)"
            } else {
                NO_TOKEN
            };
            report.next.push(next.to_owned());
            false
        }
    }
}

fn slot_text(slot: &SlotInfo) -> String {
    let what = match &slot.token {
        Ok(Some(token)) => token.uri().to_string(),
        Ok(None) => "a token that is not initialized".to_owned(),
        Err(error) => format!("a token that cannot be read: {error}"),
    };
    format!("slot {}: {what}", slot.slot_id)
}

fn flags(report: &mut DoctorReport, token: &TokenInfo) {
    const NAME: &str = "token and PIN";
    let login = match (token.login_required, token.protected_auth_path) {
        (false, _) => "it needs no login",
        (true, true) => "it needs a login, and its PIN pad asks for the PIN",
        (true, false) => "it needs a login with a PIN",
    };
    report.add(NAME, Verdict::Note, login);
    let (verdict, text) = match token.pin_state {
        PinState::Ok => (Verdict::Passed, "the PIN's flags report no lost try"),
        PinState::CountLow => (
            Verdict::Note,
            "a wrong PIN was given since the last right one (CKF_USER_PIN_COUNT_LOW)",
        ),
        PinState::FinalTry => (
            Verdict::Broken,
            "ONE TRY IS LEFT (CKF_USER_PIN_FINAL_TRY); it is not spent unless you say so",
        ),
        PinState::Locked => (Verdict::Broken, "the PIN is locked (CKF_USER_PIN_LOCKED)"),
        _ => (Verdict::Note, "the PIN's flags cannot be read"),
    };
    match verdict {
        Verdict::Broken => report.token_trouble(NAME, text),
        verdict => report.add(NAME, verdict, text),
    }
}
