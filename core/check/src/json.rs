//! A small, strict JSON reader (RFC 8259): over borrowed text, without a heap, bounded in depth.
//!
//! [`Value::parse`] reads a text whole and refuses everything that is not JSON: a comment, a trailing
//! comma, `NaN`, a byte after the end, a lone surrogate, a text nested deeper than
//! [`privyseal_core::limits::MAX_JSON_DEPTH`]. What it gives borrows from the text; members and items are read
//! again, in place, when they are asked for.

mod scan;

use privyseal_core::token::text::JsonText;
use thiserror::Error;

use scan::Scanner;

/// One JSON value, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "JSON has these six")]
pub enum Value<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(&'t str),
    /// A string.
    String(JsonText<'t>),
    /// An array.
    Array(Array<'t>),
    /// An object.
    Object(Object<'t>),
}

/// An array: its text, brackets included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array<'t>(&'t str);

/// An object: its text, braces included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'t>(&'t str);

/// Why a text is not JSON, or not JSON that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not JSON that can be read: byte {offset} should be {expected}")]
#[non_exhaustive]
pub struct JsonError {
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// What would have been right there.
    pub expected: &'static str,
}

impl<'t> Value<'t> {
    /// Reads `text`, which must be one JSON value with nothing but white space around it.
    ///
    /// # Errors
    /// [`JsonError`], with the byte.
    pub fn parse(text: &'t str) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value(0)?;
        scanner.end()?;
        Ok(value)
    }

    /// What kind of value it is, with its article.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl<'t> Array<'t> {
    /// The items.
    pub fn items(&self) -> impl Iterator<Item = Value<'t>> + use<'t> {
        let mut scanner = Scanner::inside(self.0);
        core::iter::from_fn(move || scanner.next_item())
    }
}

impl<'t> Object<'t> {
    /// The members, in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = (JsonText<'t>, Value<'t>)> + use<'t> {
        let mut scanner = Scanner::inside(self.0);
        core::iter::from_fn(move || scanner.next_member())
    }

    /// The first member of this name.
    pub fn get(&self, name: &str) -> Option<Value<'t>> {
        self.members()
            .find(|(found, _)| found.equals(name))
            .map(|(_, value)| value)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members().count()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members().next().is_none()
    }

    /// Whether two members have the same name. Takes time that grows with the square of
    /// [`Object::len`]: ask for that first.
    pub fn has_duplicate(&self) -> bool {
        self.members().enumerate().any(|(position, (name, _))| {
            self.members()
                .take(position)
                .any(|(earlier, _)| earlier.chars().eq(name.chars()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    #[test]
    fn members_and_items() {
        let text = " {\"a\" : [1, -2.5e+3,\"x\\u0041\"], \"b\":{},\"c\":null ,\"d\":true}\n";
        let Ok(Value::Object(object)) = Value::parse(text) else {
            panic!("an object")
        };
        let names: Vec<_> = object
            .members()
            .map(|(name, _)| std::format!("{name}"))
            .collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        let Some(Value::Array(array)) = object.get("a") else {
            panic!("an array")
        };
        let items: Vec<_> = array.items().collect();
        assert_eq!(items[..2], [Value::Number("1"), Value::Number("-2.5e+3")]);
        assert_eq!(object.get("c"), Some(Value::Null));
        assert_eq!(object.get("e"), None);
        assert!(!object.is_empty());
        assert!(matches!(object.get("b"), Some(Value::Object(inner)) if inner.is_empty()));
    }

    #[test]
    fn duplicates_are_seen_through_escapes() {
        for (text, expected) in [
            (r#"{"a":1,"b":2}"#, false),
            (r#"{"a":1,"a":1}"#, true),
            (r#"{"a":1,"b":{"a":1}}"#, false),
            (r#"{"ab":1,"\u0061b":1}"#, true),
            ("{}", false),
        ] {
            let Ok(Value::Object(object)) = Value::parse(text) else {
                panic!("{text}")
            };
            assert_eq!(object.has_duplicate(), expected, "{text}");
        }
    }

    /// What is JSON and what is not is for `serde_json` to say.
    #[test]
    fn agrees_with_serde_json() {
        let texts = [
            "",
            " ",
            "null",
            "nul",
            "true",
            "false",
            "falsee",
            "0",
            "-0",
            "01",
            "-",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1e",
            "1E+5",
            "1e-",
            "1e-5",
            "1e+-5",
            "+1",
            "NaN",
            "\"\"",
            "\"",
            "\"a\u{1}\"",
            "\"\u{e9}\"",
            "\"\\q\"",
            "\"\\u00e9\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "[]",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{}",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":1 \"b\":2}",
            "[]]",
            "{}x",
            "/**/1",
            "\u{feff}1",
            "[[],{}, \"\\\\\" ]",
            "{\"a\":{\"b\":[{}]}}",
            "\t\r\n1\t",
            "\u{a0}1",
        ];
        for text in texts {
            let theirs = serde_json::from_str::<serde_json::Value>(text);
            assert_eq!(
                Value::parse(text).is_ok(),
                theirs.is_ok(),
                "{text:?}: {theirs:?}"
            );
        }
    }

    #[test]
    fn an_error_names_the_byte() {
        for (text, offset) in [("\"a\\", 2), ("\"a\\\u{e9}\"", 2), ("[1,]", 3), ("[1]x", 3)] {
            let error = Value::parse(text).unwrap_err();
            assert_eq!(error.offset, offset, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        use privyseal_core::limits::MAX_JSON_DEPTH;
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Value::parse(&nested(MAX_JSON_DEPTH)).is_ok());
        let error = Value::parse(&nested(MAX_JSON_DEPTH + 1)).unwrap_err();
        assert_eq!(error.offset, MAX_JSON_DEPTH);
        let deep: String = nested(100_000);
        assert!(Value::parse(&deep).is_err());
    }
}
