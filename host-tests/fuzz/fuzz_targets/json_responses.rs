//! What servers answer: token responses, refusals, and any JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privyseal_check::json::{Object, Value};
use privyseal_core::token::{ErrorResponse, TokenResponse};

fuzz_target!(|data: &[u8]| {
    let _ = TokenResponse::parse(data).is_ok();
    if let Ok(refusal) = ErrorResponse::parse(data) {
        // What is shown must end, and must not steer a terminal.
        let shown = format!("{} {:?}", refusal.error, refusal.error_description);
        assert!(!shown.contains('\u{1b}'));
    }
    if let Ok(text) = core::str::from_utf8(data)
        && let Ok(value) = Value::parse(text)
    {
        walk(value);
    }
});

fn walk(value: Value<'_>) {
    match value {
        Value::Object(object) => members(&object),
        Value::Array(array) => array.items().for_each(walk),
        // A string that was read has no malformed escape, so what is shown ends.
        Value::String(text) => drop(text.to_string()),
        _ => {}
    }
}

fn members(object: &Object<'_>) {
    assert_eq!(object.is_empty(), object.len() == 0);
    object.members().for_each(|(_, value)| walk(value));
}
