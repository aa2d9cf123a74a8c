//! A canonical JSON writer: RFC 8785 (JCS) by construction.
//!
//! Members must come in ascending order, there is no white space, and strings carry the minimal
//! escapes of RFC 8785 section 3.2.2.2. Names are ASCII here, for which the order by UTF-16 code
//! units that section 3.2.3 demands is the order of bytes. Numbers are integers below 2^53, whose
//! canonical form is their decimal digits (section 3.2.2.3).
//!
//! A failure of the sink is sticky: [`Object::finish`] reports it, and nothing is written in between.
//! Names are literals of this crate, so their order is a matter of tests: a debug build asserts it, and
//! an independent JCS implementation judges every kind of text in `host-tests`.

// Half the time of the claims is in their names, which are constants only where they are inlined. A
// microcontroller has less flash than time: there they are not.
#![allow(clippy::inline_always)]

use super::digits::Digits;
use super::hex_digit;
use super::sink::{Sink, copy};

/// Bytes of a member's name with what stands around it; the longest name is that of
/// `client_notification_token`.
const MAX_NAME: usize = 32;

/// One JSON object being written.
pub struct Object<S: Sink> {
    sink: S,
    last: &'static str,
    /// Whether the last value is a string that lacks its closing quote: what comes next writes it along.
    open: bool,
    state: Result<(), S::Error>,
}

impl<S: Sink> Object<S> {
    /// Opens the object.
    pub fn new(sink: S) -> Self {
        let mut object = Self {
            sink,
            last: "",
            open: false,
            state: Ok(()),
        };
        object.put(b"{");
        object
    }

    /// A member whose value is a string.
    #[inline(always)]
    pub fn string(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.name::<true>(name);
        if self.state.is_ok() {
            self.state = escape(&mut self.sink, value.as_bytes());
        }
        self.open = true;
        self
    }

    /// A member whose value is a string; nothing where there is none.
    #[inline(always)]
    pub fn optional_string(&mut self, name: &'static str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.string(name, value),
            None => self,
        }
    }

    /// A member whose value is an integer.
    #[inline(always)]
    pub fn integer(&mut self, name: &'static str, value: u64) -> &mut Self {
        self.name::<false>(name);
        let mut digits = Digits::new();
        let digits = digits.of(value);
        self.put(digits);
        self
    }

    /// A member whose value is an integer; nothing where there is none.
    #[inline(always)]
    pub fn optional_integer(&mut self, name: &'static str, value: Option<u64>) -> &mut Self {
        match value {
            Some(value) => self.integer(name, value),
            None => self,
        }
    }

    /// A member whose value is an array of strings, each written by `write` as text that needs no
    /// escape (base64, for instance).
    pub fn plain_strings<T>(
        &mut self,
        name: &'static str,
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut S, T) -> Result<(), S::Error>,
    ) -> &mut Self {
        self.name::<false>(name);
        self.put(b"[");
        for (index, value) in values.into_iter().enumerate() {
            self.put(if index == 0 { b"\"" } else { b",\"" });
            if self.state.is_ok() {
                self.state = write(&mut self.sink, value);
            }
            self.put(b"\"");
        }
        self.put(b"]");
        self
    }

    /// A member whose value is JSON that `write` writes.
    pub fn raw(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut S) -> Result<(), S::Error>,
    ) -> &mut Self {
        self.name::<false>(name);
        if self.state.is_ok() {
            self.state = write(&mut self.sink);
        }
        self
    }

    /// A member whose value is an object, written by `write`.
    pub fn object(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut Object<&mut S>),
    ) -> &mut Self {
        self.name::<false>(name);
        if self.state.is_ok() {
            let mut inner = Object::new(&mut self.sink);
            write(&mut inner);
            self.state = inner.finish();
        }
        self
    }

    /// A member whose value is an object of these names, ascending and with one space between them, each with the value
    /// `null`; nothing where there is none.
    pub fn nulls(&mut self, name: &'static str, names: &str) -> &mut Self {
        if names.is_empty() {
            return self;
        }
        self.name::<false>(name);
        let names = names.as_bytes().split(|byte| *byte == b' ');
        for (index, inner) in names.enumerate() {
            self.put(if index == 0 { b"{" } else { b"," });
            self.put(b"\"");
            if self.state.is_ok() {
                self.state = escape(&mut self.sink, inner);
            }
            self.put(b"\":null");
        }
        self.put(b"}");
        self
    }

    /// Closes the object and reports the first failure, if there was one.
    ///
    /// # Errors
    /// The sink's first failure.
    #[inline]
    pub fn finish(&mut self) -> Result<(), S::Error> {
        self.put(if self.open { b"\"}" } else { b"}" });
        self.open = false;
        core::mem::replace(&mut self.state, Ok(()))
    }

    /// The name with everything around it, `","name":"` at most, in one write: the quote that closes the
    /// last value, and where `STRING` the one that opens the next. Names are literals: where this is
    /// inlined, all of that is a constant.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn name<const STRING: bool>(&mut self, name: &'static str) {
        debug_assert!(
            self.last < name,
            "{} before {name}: not canonical",
            self.last
        );
        let mut text = [0; MAX_NAME];
        let before: &[u8] = match (self.last.is_empty(), self.open) {
            (true, _) => b"\"",
            (false, false) => b",\"",
            (false, true) => b"\",\"",
        };
        let after: &[u8] = if STRING { b"\":\"" } else { b"\":" };
        let mut rest = text.as_mut_slice();
        for part in [before, name.as_bytes(), after] {
            let Some((place, after)) = rest.split_at_mut_checked(part.len()) else {
                // Our own names are shorter; a text without a name is not JSON to any reader.
                debug_assert!(false, "{name} is longer than MAX_NAME");
                return;
            };
            copy(place, part);
            rest = after;
        }
        let len = MAX_NAME.saturating_sub(rest.len());
        self.last = name;
        self.open = false;
        self.put(text.get(..len).unwrap_or(&[]));
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if self.state.is_ok() {
            self.state = self.sink.write(bytes);
        }
    }
}

opaque_debug! { [S: Sink] Object<S>; }

/// Writes UTF-8 text with the escapes of RFC 8785 section 3.2.2.2 and no others.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn escape<S: Sink>(sink: &mut S, text: &[u8]) -> Result<(), S::Error> {
    // Almost no text has a byte that needs one.
    if may_need_escape(text) {
        escape_runs(sink, text)
    } else {
        sink.write(text)
    }
}

/// Whether any byte may need an escape, eight at a time. A byte above 0x7f may be taken for one that
/// does, which costs time and nothing else.
#[inline]
fn may_need_escape(text: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The highest bit of a byte is set if it is below `limit` (or was above 0x7f).
    let below = |bytes: u64, limit: u64| bytes.wrapping_sub(ONES.wrapping_mul(limit));
    let found = |bytes: u64| {
        below(bytes, 0x20)
            | below(bytes ^ ONES.wrapping_mul(u64::from(b'"')), 1)
            | below(bytes ^ ONES.wrapping_mul(u64::from(b'\\')), 1)
            | bytes
    };
    let (chunks, rest) = text.as_chunks::<8>();
    // The last eight may be looked at twice; a text shorter than that, one by one.
    let found = match text.last_chunk() {
        Some(last) => chunks.iter().chain([last]).fold(0, |before, chunk| {
            before | found(u64::from_le_bytes(*chunk))
        }),
        None => rest.iter().fold(0, |before, byte| {
            before | found(ONES.wrapping_mul(u64::from(*byte)))
        }),
    };
    found & HIGH != 0
}

fn escape_runs<S: Sink>(sink: &mut S, text: &[u8]) -> Result<(), S::Error> {
    for run in text.split_inclusive(|&byte| needs_escape(byte)) {
        match run.split_last() {
            Some((&last, plain)) if needs_escape(last) => {
                sink.write(plain)?;
                escape_byte(sink, last)?;
            }
            _ => sink.write(run)?,
        }
    }
    Ok(())
}

const fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

fn escape_byte<S: Sink>(sink: &mut S, byte: u8) -> Result<(), S::Error> {
    let short = match byte {
        b'"' => b"\\\"",
        b'\\' => b"\\\\",
        0x08 => b"\\b",
        0x09 => b"\\t",
        0x0a => b"\\n",
        0x0c => b"\\f",
        0x0d => b"\\r",
        _ => {
            return sink.write(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                hex_digit(byte >> 4),
                hex_digit(byte & 0x0f),
            ]);
        }
    };
    sink.write(short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::{Overflow, SliceSink};

    fn written(write: impl FnOnce(&mut Object<&mut SliceSink<'_>>)) -> std::string::String {
        let mut buffer = [0; 256];
        let mut sink = SliceSink::new(&mut buffer);
        let mut object = Object::new(&mut sink);
        write(&mut object);
        object.finish().unwrap();
        std::string::String::from_utf8(sink.finish().unwrap().to_vec()).unwrap()
    }

    /// The escapes of RFC 8785 section 3.2.2.2; the string is that of its section 3.2.2 example.
    #[test]
    fn rfc8785_escapes() {
        let text = written(|object| {
            object.string("string", "\u{20ac}$\u{f}\nA'B\"\\\\\"/");
        });
        assert_eq!(
            text,
            "{\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    /// Texts are looked at eight bytes at a time: none hides what needs an escape.
    #[test]
    fn one_byte_that_needs_an_escape_is_found_wherever_it_is() {
        for escaped in [0, 0x1f, b'"', b'\\'] {
            for len in 1..=20 {
                for place in 0..len {
                    let mut value = std::vec![b'~'; len];
                    value[place] = escaped;
                    let value = core::str::from_utf8(&value).unwrap();
                    let text = written(|object| {
                        object.string("a", value);
                    });
                    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(parsed["a"], value);
                }
            }
        }
    }

    #[test]
    fn every_control_character_is_escaped() {
        for byte in 0..0x20_u8 {
            let value = [byte];
            let value = core::str::from_utf8(&value).unwrap();
            let text = written(|object| {
                object.string("a", value);
            });
            let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(parsed["a"], value);
            assert_eq!(text, serde_json::to_string(&parsed).unwrap());
        }
    }

    #[test]
    fn integers_are_their_digits() {
        for value in [0, 7, 10, 1_730_094_300, u64::MAX] {
            let text = written(|object| {
                object.integer("n", value);
            });
            assert_eq!(text, std::format!("{{\"n\":{value}}}"));
        }
    }

    #[test]
    #[should_panic(expected = "not canonical")]
    fn members_out_of_order_are_caught_in_debug_builds() {
        let mut buffer = [0; 64];
        Object::new(SliceSink::new(&mut buffer))
            .integer("b", 1)
            .integer("a", 2);
    }

    #[test]
    fn a_full_sink_is_reported_at_the_end() {
        let mut buffer = [0; 8];
        let mut object = Object::new(SliceSink::new(&mut buffer));
        object.string("a", "123").integer("b", 1);
        assert_eq!(object.finish(), Err(Overflow { capacity: 8 }));
    }
}
