//! Strings of a JSON response, still in place and still escaped.

use core::fmt::{self, Write as _};

use serde::Deserialize;
use serde_json_core::str::EscapedStr;

use crate::encoding::sink::Sink;
use crate::encoding::unescape::Unescape;
use crate::field::is_b64token;

/// A JSON string, borrowed from the response. `Display` shows its text, with control characters escaped
/// so that a server cannot write on a person's terminal.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct JsonText<'a>(#[serde(borrow)] EscapedStr<'a>);

impl<'a> JsonText<'a> {
    /// `escaped` is what stands between the quotes.
    pub const fn from_escaped(escaped: &'a str) -> Self {
        Self(EscapedStr(escaped))
    }

    /// What stands between the quotes, still escaped.
    pub const fn as_escaped(&self) -> &'a str {
        self.0.0
    }

    /// The characters of the text; `None` in place of a malformed escape, after which nothing follows.
    pub fn chars(&self) -> impl Iterator<Item = Option<char>> + use<'a> {
        // Not by the fragments of serde-json-core: behind a malformed escape (which a surrogate pair
        // is to it) they never end.
        Unescape::new(self.0.0)
    }

    /// Whether the text is `other`.
    pub fn equals(&self, other: &str) -> bool {
        self.chars().eq(other.chars().map(Some))
    }

    /// Whether the text equals `other`, ASCII letters in either case.
    pub fn eq_ignore_ascii_case(&self, other: &str) -> bool {
        let mut expected = other.chars();
        self.chars()
            .all(|character| match (character, expected.next()) {
                (Some(left), Some(right)) => left.eq_ignore_ascii_case(&right),
                _ => false,
            })
            && expected.next().is_none()
    }
}

impl fmt::Display for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.chars() {
            match character {
                Some(character) if character.is_control() => character.escape_default().fmt(f)?,
                Some(character) => f.write_char(character)?,
                None => f.write_char(char::REPLACEMENT_CHARACTER)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A bearer or refresh token in a response: written where the caller says, shown nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a>(JsonText<'a>);

impl<'a> Secret<'a> {
    /// Checks that `text` is a token that fits an `Authorization: Bearer` header (b64token, RFC 6750
    /// section 2.1), and gives its length in bytes.
    pub(super) fn new(text: JsonText<'a>) -> Option<(Self, usize)> {
        let mut len: usize = 0;
        for character in text.chars() {
            let byte = character.and_then(|character| u8::try_from(character).ok());
            if !byte.is_some_and(is_b64token) {
                return None;
            }
            len = len.saturating_add(1);
        }
        Some((Self(text), len))
    }

    /// Writes the token itself into `sink`.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn expose_to<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let mut utf8 = [0; 4];
        for character in self.0.chars().flatten() {
            sink.write(character.encode_utf8(&mut utf8).as_bytes())?;
        }
        Ok(())
    }
}

opaque_debug! { [] Secret<'_>; }

#[cfg(test)]
mod tests {
    use super::JsonText;
    use std::string::ToString;

    /// A server's text ends, whatever is escaped in it.
    #[test]
    fn what_is_shown_ends() {
        let shown = |escaped| JsonText::from_escaped(escaped).to_string();
        assert_eq!(shown(r"no \ud83d\ude00\n"), "no \u{1f600}\\n");
        assert_eq!(shown(r"a\ud83d b"), "a\u{fffd}");
        assert!(JsonText::from_escaped(r"\u0062earer").eq_ignore_ascii_case("Bearer"));
        for other in ["beare", "bearers", "bearet"] {
            assert!(!JsonText::from_escaped("bearer").eq_ignore_ascii_case(other));
        }
        let text = JsonText::from_escaped(r"a\u0062");
        assert!(text.equals("ab") && !text.equals("a") && !text.equals("abc"));
        assert_eq!(text.as_escaped(), r"a\u0062");
        assert_eq!(std::format!("{text:?}"), "\"ab\"");
    }
}
