//! Goes through a JSON text once, from left to right.

use super::{Array, JsonError, Object, Value};
use privyseal_core::encoding::unescape::Unescape;
use privyseal_core::limits::MAX_JSON_DEPTH;
use privyseal_core::token::text::JsonText;

/// White space of RFC 8259 section 2.
const WHITE: [char; 4] = [' ', '\t', '\n', '\r'];

/// A text and how far it was read.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'t> {
    whole: usize,
    rest: &'t str,
}

impl<'t> Scanner<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self {
            whole: text.len(),
            rest: text,
        }
    }

    /// Behind the bracket that opens `text`.
    pub(super) fn inside(text: &'t str) -> Self {
        Self::new(text.get(1..).unwrap_or(""))
    }

    /// Reads one value and the white space around it.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value<'t>, JsonError> {
        self.white();
        let start = self.rest;
        let value = match self.peek() {
            Some(b'{') => {
                self.list(depth, b'}', "a comma or a closing brace")?;
                Value::Object(Object(self.since(start)))
            }
            Some(b'[') => {
                self.list(depth, b']', "a comma or a closing bracket")?;
                Value::Array(Array(self.since(start)))
            }
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Value::Number(self.since(start))
            }
            _ => self.word()?,
        };
        self.white();
        Ok(value)
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), JsonError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.expected("the end"))
        }
    }

    /// The next item of an array that was read before.
    pub(super) fn next_item(&mut self) -> Option<Value<'t>> {
        self.white();
        self.eat(b',');
        self.value(0).ok()
    }

    /// The next member of an object that was read before.
    pub(super) fn next_member(&mut self) -> Option<(JsonText<'t>, Value<'t>)> {
        self.white();
        self.eat(b',');
        self.member(0).ok()
    }

    /// Members up to a brace, or items up to a bracket.
    fn list(&mut self, depth: usize, close: u8, expected: &'static str) -> Result<(), JsonError> {
        let depth = self.open(depth)?;
        if self.eat(close) {
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.member(depth)?;
            } else {
                self.value(depth)?;
            }
            if self.eat(close) {
                return Ok(());
            }
            self.want(b',', expected)?;
        }
    }

    /// Passes the opening bracket and gives the depth inside.
    fn open(&mut self, depth: usize) -> Result<usize, JsonError> {
        if depth >= MAX_JSON_DEPTH {
            return Err(self.expected("less deeply nested"));
        }
        self.skip(1);
        self.white();
        Ok(depth.saturating_add(1))
    }

    fn member(&mut self, depth: usize) -> Result<(JsonText<'t>, Value<'t>), JsonError> {
        self.white();
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member's name in quotes"));
        }
        let name = self.string()?;
        self.white();
        self.want(b':', "a colon")?;
        Ok((name, self.value(depth)?))
    }

    fn string(&mut self) -> Result<JsonText<'t>, JsonError> {
        self.skip(1);
        let start = self.rest;
        loop {
            self.skip(plain_len(self.rest.as_bytes()));
            match self.peek() {
                Some(b'"') => break,
                // The character behind a backslash is ASCII in every escape that is one.
                Some(b'\\') if self.rest.get(..2).is_some() => self.skip(2),
                _ => return Err(self.expected("a character of a string, or its closing quote")),
            }
        }
        let text = self.since(start);
        if text.contains('\\') && Unescape::new(text).any(|character| character.is_none()) {
            return Err(self.expected(
                "the end of a string whose escapes RFC 8259 section 7 knows, with no half of a surrogate pair (section 8.2)",
            ));
        }
        self.skip(1);
        Ok(JsonText::from_escaped(text))
    }

    /// `[-] int [frac] [exp]` (RFC 8259 section 6).
    fn number(&mut self) -> Result<(), JsonError> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        match self.rest.bytes().take_while(u8::is_ascii_digit).count() {
            0 => Err(self.expected("a digit")),
            count => {
                self.skip(count);
                Ok(())
            }
        }
    }

    fn word(&mut self) -> Result<Value<'t>, JsonError> {
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.expected("a value"))
    }

    fn white(&mut self) {
        self.rest = self.rest.trim_start_matches(WHITE);
    }

    fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        if is_there {
            self.skip(1);
        }
        is_there
    }

    fn want(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    /// Only ever called with the length of ASCII, or of whole characters, at the front.
    fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or("");
    }

    /// What was read since the rest was `start`.
    fn since(&self, start: &'t str) -> &'t str {
        start
            .get(..start.len().saturating_sub(self.rest.len()))
            .unwrap_or("")
    }

    fn expected(&self, expected: &'static str) -> JsonError {
        JsonError {
            offset: self.whole.saturating_sub(self.rest.len()),
            expected,
        }
    }
}

/// How many bytes at the front are characters of a string as they stand; many at a time, which a processor compares at once.
fn plain_len(bytes: &[u8]) -> usize {
    let is_plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    let (many, _) = bytes.as_chunks::<32>();
    let plain = many.iter().take_while(|chunk| {
        chunk
            .iter()
            .fold(true, |plain, byte| plain & is_plain(byte))
    });
    let (plain, rest) = bytes.split_at(plain.count().saturating_mul(32));
    let last = rest.iter().take_while(|byte| is_plain(byte)).count();
    plain.len().saturating_add(last)
}
