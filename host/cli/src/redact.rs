//! What is said of a command line must not repeat a PIN that stood in it.
//!
//! A key's URI can hold one (`pin-value`, RFC 7512 section 2.3), and a URI in the wrong place becomes part of a
//! message: of the parser's, which repeats what it does not expect, or of ours, which names a file that is
//! not there.

/// `text` with `...` for each PIN in a URI.
pub(super) fn redacted(text: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, value)) = pin(rest) {
        shown.push_str(&rest[..before]);
        shown.push_str("...");
        rest = &rest[before + value..];
    }
    shown + rest
}

/// Where the first PIN begins, and its length.
fn pin(text: &str) -> Option<(usize, usize)> {
    let mut values = text.match_indices(['=', ':']).filter_map(|(end, _)| {
        let (name, value) = (name_before(&text[..end]), value_of(&text[end + 1..]));
        let hidden = match name.to_ascii_lowercase().as_str() {
            // Also as people remember it.
            "pin-value" | "pin_value" | "pinvalue" | "pin" => true,
            // A location, or a PIN in its place.
            "pin-source" => !value.contains(['/', '.']),
            _ => false,
        };
        // After a colon comes what is said of it, if a blank follows.
        let said = value.is_empty() && text[end..].starts_with(':');
        (hidden && !said).then_some((end + 1, value.len()))
    });
    values.next()
}

fn name_before(text: &str) -> &str {
    let name = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    &text[name.len()..]
}

fn value_of(text: &str) -> &str {
    let value = &text[..text.find(ends).unwrap_or(text.len())];
    // What a message says of it follows a colon.
    value.trim_end_matches(':')
}

/// What no value holds unescaped; a terminal's colours begin with a control character.
fn ends(c: char) -> bool {
    matches!(c, '&' | ';' | '\'' | '"' | '`') || c.is_whitespace() || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn only_the_value_is_hidden() {
        for (text, shown) in [
            ("", ""),
            ("a pin-value is there", "a pin-value is there"),
            (
                "use pin-source=file:/run/pin",
                "use pin-source=file:/run/pin",
            ),
            ("spin=1", "spin=1"),
            (
                "unexpected argument 'pkcs11:token=T?pin-value=471147' found",
                "unexpected argument 'pkcs11:token=T?pin-value=...' found",
            ),
            (
                "x?PIN-Value=4711&module-path=/m.so pin-value=1 é pin=2",
                "x?PIN-Value=...&module-path=/m.so pin-value=... é pin=...",
            ),
            ("?pin-value=pin-value=1", "?pin-value=..."),
            ("?pin-value=é' found", "?pin-value=...' found"),
            ("?pin-value:4711", "?pin-value:..."),
            ("?pin=4711", "?pin=..."),
            ("needs a PIN: no pin-source", "needs a PIN: no pin-source"),
            ("?pin-source=4711&x", "?pin-source=...&x"),
            (
                "cannot read ?pin-source=4711: none",
                "cannot read ?pin-source=...: none",
            ),
            ("?pin-source=/run/pin&x", "?pin-source=/run/pin&x"),
            ("?pin-value=", "?pin-value=..."),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }
}
