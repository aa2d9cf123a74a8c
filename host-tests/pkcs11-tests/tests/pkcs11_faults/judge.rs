//! What must hold in every cell, read from the calls that the shim saw.

use std::collections::BTreeSet;

use privyseal_test_suite::fault_shim::{Call, context_logins, count, open_sessions, user_logins};

use crate::matrix::{Cell, Fault, Phase};

/// The names of the codes of the matrix (PKCS #11 3.1 section 5.1).
fn name(code: u64) -> &'static str {
    match code {
        0x05 => "CKR_GENERAL_ERROR",
        0x06 => "CKR_FUNCTION_FAILED",
        0x30 => "CKR_DEVICE_ERROR",
        0x32 => "CKR_DEVICE_REMOVED",
        0x60 => "CKR_KEY_HANDLE_INVALID",
        0x70 => "CKR_MECHANISM_INVALID",
        0x82 => "CKR_OBJECT_HANDLE_INVALID",
        0x90 => "CKR_OPERATION_ACTIVE",
        0xa0 => "CKR_PIN_INCORRECT",
        0xa4 => "CKR_PIN_LOCKED",
        0xb0 => "CKR_SESSION_CLOSED",
        0xb1 => "CKR_SESSION_COUNT",
        0xb3 => "CKR_SESSION_HANDLE_INVALID",
        0xe0 => "CKR_TOKEN_NOT_PRESENT",
        0x100 => "CKR_USER_ALREADY_LOGGED_IN",
        0x101 => "CKR_USER_NOT_LOGGED_IN",
        0x150 => "CKR_BUFFER_TOO_SMALL",
        0x190 => "CKR_CRYPTOKI_NOT_INITIALIZED",
        0x191 => "CKR_CRYPTOKI_ALREADY_INITIALIZED",
        _ => "?",
    }
}

/// An error names a function that failed, and its code; or says what is wrong with the signature.
pub(crate) fn error_is_telling(cell: &Cell, error: &str, calls: &[Call]) -> Result<(), String> {
    let told = match cell.fault {
        // Once a PIN was refused nothing is called any more, and a person has to act.
        _ if cell.is_pin_trouble() && error.contains("the key must be opened again") => {
            calls.iter().any(is_refused_login)
        }
        Fault::WrongSignature => error.contains("signature"),
        Fault::ShortSignature => error.contains("C_Sign gave 255 bytes"),
        Fault::WrongLength(length) => error.contains(&format!("C_Sign gave {length} bytes")),
        _ => calls
            .iter()
            .filter(|call| call.result != 0)
            .any(|call| error.contains(&call.function) && error.contains(name(call.result))),
    };
    if told {
        Ok(())
    } else {
        let failed: BTreeSet<String> = calls
            .iter()
            .filter(|call| call.result != 0)
            .map(|call| format!("{}: {}", call.function, name(call.result)))
            .collect();
        Err(format!(
            "an error that names no failed call: {error:?}; failed: {failed:?}"
        ))
    }
}

/// One login for an opening and one for an incident; none after the token has refused a PIN.
pub(crate) fn tries(cell: &Cell, opened: usize, calls: &[Call]) -> Result<(), String> {
    let earlier = usize::from(cell.phase == Phase::AfterHeal);
    // What must be lost for the function to be called at all is an incident, and its fault another.
    let prepared = usize::from(cell.phase != Phase::First && cell.incident().is_some());
    let incidents = earlier + prepared + 1;
    let logins = user_logins(calls);
    if logins > opened + incidents {
        return Err(format!(
            "{logins} logins for {opened} openings and {incidents} incidents"
        ));
    }
    match calls.iter().position(is_refused_login) {
        Some(place) if count(&calls[place + 1..], "C_Login") > 0 => {
            Err("the PIN was tried again after it was refused".into())
        }
        _ => Ok(()),
    }
}

/// Of one signature: a login for each operation that was begun, at most, and no login of any kind after one
/// of those failed: it may have cost a try.
pub(crate) fn logins_for_use(calls: &[Call]) -> Result<(), String> {
    let (logins, begun) = (context_logins(calls), count(calls, "C_SignInit"));
    if logins > begun {
        return Err(format!("{logins} logins for {begun} uses"));
    }
    // 0x100: it is logged in already.
    let failed = |call: &Call| call.context && !matches!(call.result, 0 | 0x100);
    match calls.iter().position(failed) {
        Some(place) if count(&calls[place + 1..], "C_Login") > 0 => {
            Err("a login followed on a login for use that failed".into())
        }
        _ => Ok(()),
    }
}

fn is_refused_login(call: &Call) -> bool {
    call.function == "C_Login" && matches!(call.result, 0xa0 | 0xa4)
}

/// All sessions are closed once the signer is gone. One of which the module said that it is gone is not
/// closed again: its number may be somebody else's by then.
pub(crate) fn sessions(calls: &[Call]) -> Result<(), String> {
    let mut open = open_sessions(calls);
    for call in calls {
        if call.function == "C_CloseSession" && call.faulty && says_gone(call.result) {
            open.remove(&call.session);
        }
    }
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("sessions left open: {open:?}"))
    }
}

fn says_gone(result: u64) -> bool {
    matches!(result, 0x32 | 0xb0 | 0xb3 | 0xe0 | 0x190)
}
