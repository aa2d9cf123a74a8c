//! The characters of a JSON string that lies in place, still escaped (RFC 8259 section 7).

use core::str::Chars;

/// Gives the characters one by one, a surrogate pair as the one character it stands for. In place of a
/// malformed escape it gives `None` once, and nothing after it.
#[derive(Clone)]
pub struct Unescape<'a> {
    rest: Chars<'a>,
}

impl<'a> Unescape<'a> {
    /// `escaped` is what stands between the quotes.
    pub fn new(escaped: &'a str) -> Self {
        Self {
            rest: escaped.chars(),
        }
    }

    fn escape(&mut self) -> Option<char> {
        match self.rest.next()? {
            plain @ ('"' | '\\' | '/') => Some(plain),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.code_point(),
            _ => None,
        }
    }

    fn code_point(&mut self) -> Option<char> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if self.rest.next()? != '\\' || self.rest.next()? != 'u' {
            return None;
        }
        let second = self.code_unit()?;
        if !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        let pair = (first & 0x3ff) << 10 | (second & 0x3ff);
        char::from_u32(pair.saturating_add(0x1_0000))
    }

    fn code_unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | self.rest.next()?.to_digit(16)?;
        }
        Some(unit)
    }
}

opaque_debug! { [] Unescape<'_>; }

impl Iterator for Unescape<'_> {
    type Item = Option<char>;

    fn next(&mut self) -> Option<Option<char>> {
        let character = match self.rest.next()? {
            '\\' => self.escape(),
            character => Some(character),
        };
        if character.is_none() {
            self.rest = "".chars();
        }
        Some(character)
    }
}

#[cfg(test)]
mod tests {
    use super::Unescape;
    use std::string::String;

    fn text(escaped: &str) -> Option<String> {
        Unescape::new(escaped).collect()
    }

    #[test]
    fn every_escape() {
        assert_eq!(
            text(r#"a\"\\\/\b\f\n\r\tz\u0041\u20ac"#).unwrap(),
            "a\"\\/\u{8}\u{c}\n\r\tzA\u{20ac}"
        );
        assert_eq!(
            text(r"\ud83d\ude00\uD834\uDD1E").unwrap(),
            "\u{1f600}\u{1d11e}"
        );
    }

    #[test]
    fn a_malformed_escape_is_said_once() {
        for bad in [
            r"\q",
            r"\u12",
            r"\u12G4",
            r"\ud83d",
            r"\ud83dx",
            r"\ud83d\n",
            r"\ude00",
            r"\ud83d\u0041",
            "\\",
        ] {
            let characters: std::vec::Vec<_> = Unescape::new(bad).take(100).collect();
            assert_eq!(characters.last(), Some(&None), "{bad}");
            assert_eq!(
                characters.iter().filter(|c| c.is_none()).count(),
                1,
                "{bad}"
            );
        }
    }
}
