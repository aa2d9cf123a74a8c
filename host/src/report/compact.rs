//! What stands in a compact token, which nobody proved.

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_check::json::Value;

pub(super) const fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// The header and the claims of a compact JWS, and the header of a JWE, each where it is a JSON object. Not verified: good
/// for showing to a person, and for nothing else.
pub(super) fn decoded(token: &str) -> [Option<String>; 2] {
    let parts: Vec<_> = token.splitn(6, '.').collect();
    match parts[..] {
        [header, claims, _] => [object(header), object(claims)],
        [header, _, _, _, _] => [object(header).filter(|it| it.contains("\"enc\"")), None],
        _ => [None, None],
    }
}

pub(super) fn object(part: &str) -> Option<String> {
    let text = String::from_utf8(Base64UrlUnpadded::decode_vec(part).ok()?).ok()?;
    let is_object = matches!(Value::parse(&text), Ok(Value::Object(_)));
    is_object.then_some(text)
}
