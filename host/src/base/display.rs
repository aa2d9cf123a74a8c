//! Text from elsewhere (a server, a certificate) made fit for a message: bounded, harmless on a terminal,
//! and without tokens.

use core::fmt::Write as _;

use privyseal_hsm::is_invisible;
use zeroize::Zeroizing;

/// The most characters of a server's text in one message: some ten lines of a terminal.
pub const MAX_ERROR_TEXT: usize = 1024;

/// From this many characters on, a run without a break is taken for a token. A UUID has 36, so trace
/// ids stay readable; the signature of a JWS alone has 342.
const TOKEN_RUN: usize = 48;

/// What has fewer characters is no secret: anybody could guess it, and it may be a piece of any word.
const MIN_SECRET: usize = 8;

/// What stands for a token.
const LEFT_OUT: &str = "[token left out]";

/// `text`, with what looks like a JWS or another token left out, what could steer a terminal or turn
/// the reading direction escaped, and no longer than [`MAX_ERROR_TEXT`] characters. Occurrences of
/// `secrets` of eight characters or more are left out whatever they look like.
pub fn sanitize_for_display<'s>(text: &str, secrets: impl IntoIterator<Item = &'s str>) -> String {
    let secrets = secrets.into_iter().filter(|it| it.len() >= MIN_SECRET);
    let mut secrets: Vec<&str> = secrets.collect();
    secrets.sort_unstable_by_key(|secret| core::cmp::Reverse(secret.len()));
    // Short ones last: one that is by chance a piece of a token would cut it into harmless looking ones.
    let (long, short) = secrets.split_at(secrets.partition_point(|it| it.len() >= TOKEN_RUN));
    let text = long
        .iter()
        .fold(text.to_owned(), |text, secret| without(&text, secret));
    let shown = short
        .iter()
        .fold(without_runs(&text), |text, secret| without(&text, secret));
    if shown.chars().count() > MAX_ERROR_TEXT {
        return shown
            .chars()
            .take(MAX_ERROR_TEXT)
            .chain("...".chars())
            .collect();
    }
    shown
}

/// `text`, which is known to be no secret and short, with what could steer a terminal or turn the reading direction escaped.
pub fn escape_for_display(text: &str) -> String {
    text.chars().flat_map(escape_character).collect()
}

/// JSON as people read it, escaped as [`escape_json`] does.
pub fn json_for_display(value: &serde_json::Value) -> Zeroizing<String> {
    escape_json(&Zeroizing::new(format!("{value:#}")))
}

/// JSON in which what could steer a terminal or turn the reading direction is escaped: it stays the same JSON. It may be a
/// credential: there is one copy, which is wiped.
pub fn escape_json(json: &str) -> Zeroizing<String> {
    // Each of one or two units becomes six bytes for each.
    let room = |c: char| {
        if is_invisible(c) {
            6 * c.len_utf16()
        } else {
            c.len_utf8()
        }
    };
    let mut text = Zeroizing::new(String::with_capacity(json.chars().map(room).sum()));
    for c in json.chars() {
        match c {
            // Between values only.
            '\r' | '\t' => text.push(' '),
            c if is_invisible(c) && c != '\n' => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
            c => text.push(c),
        }
    }
    text
}

/// Without `secret`, in whatever case a server wrote it.
fn without(text: &str, secret: &str) -> String {
    // As long as before, byte for byte, so that places agree.
    let (lower, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut shown = String::new();
    let mut end = 0;
    for (start, found) in lower.match_indices(&secret) {
        shown.push_str(text.get(end..start).unwrap_or_default());
        shown.push_str(LEFT_OUT);
        end = start + found.len();
    }
    shown.push_str(text.get(end..).unwrap_or_default());
    shown
}

/// Escaped, and without what looks like a token.
fn without_runs(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = rest
            .find(|c: char| !is_token_character(c))
            .unwrap_or(rest.len());
        let (piece, after) = rest.split_at(if run == 0 { first.len_utf8() } else { run });
        if run >= TOKEN_RUN || (run >= 16 && piece.starts_with("eyJ")) {
            shown.push_str(LEFT_OUT);
        } else {
            shown.extend(piece.chars().flat_map(escape_character));
        }
        rest = after;
    }
    shown
}

/// The characters of a compact JWS, `%2E` and the like included.
const fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '=' | '%')
}

/// A character, escaped if it could steer a terminal or turn the reading direction, or if nobody sees it or tells it from
/// a space.
pub(crate) fn escape_character(c: char) -> impl Iterator<Item = char> {
    let (escape, plain) = if is_invisible(c) || (c.is_whitespace() && c != ' ') {
        (Some(c.escape_default()), None)
    } else {
        (None, Some(c))
    };
    escape.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same() {
        let value = serde_json::json!({"name": "\u{202e}live\u{e9}\u{9b}\u{e0001}\n", "a": [1]});
        let text = json_for_display(&value);
        assert!(
            text.contains("\\u202elive\u{e9}\\u009b\\udb40\\udc01\\n"),
            "{}",
            &*text
        );
        assert_eq!(
            &*escape_json("{\t\"a\":\r\n1\u{7f}}"),
            "{ \"a\": \n1\\u007f}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }

    #[test]
    fn plain_text_stays() {
        for text in [
            "",
            "Client not found",
            "trace 123e4567-e89b-42d3-a456-426614174000 \u{e9}",
        ] {
            assert_eq!(sanitize_for_display(text, None), text);
        }
    }

    #[test]
    fn tokens_are_left_out() {
        let jws = format!("eyJhbGciOi.{}.{}", "a".repeat(100), "b".repeat(342));
        let text = format!("bad assertion {jws} given");
        assert_eq!(
            sanitize_for_display(&text, None),
            "bad assertion [token left out] given"
        );
        assert_eq!(sanitize_for_display(&jws[20..80], None), "[token left out]");
        assert_eq!(
            sanitize_for_display("eyJhbGciOiJSUzI1NiIs", None),
            "[token left out]"
        );
        assert_eq!(
            sanitize_for_display("no: abc/defg", Some("abc/defg")),
            "no: [token left out]"
        );
        assert_eq!(
            sanitize_for_display("\u{c9}: ABC/defg, aBc/DEFG.", Some("abc/Defg")),
            "\u{c9}: [token left out], [token left out]."
        );
    }

    /// One secret in another, and one that is a letter of it, and none.
    #[test]
    fn a_short_secret_does_not_cut_a_long_one_into_pieces() {
        let long = "q7-xq7-x".repeat(15);
        for text in [
            &format!("{long} and q7-xq7-x"),
            &format!("{}! and q7-xq7-x", &long[..100]),
        ] {
            let shown = sanitize_for_display(text, ["a", "q7-xq7-x", long.as_str()]);
            assert!(!shown.contains("q7") && !shown.contains('7'), "{shown}");
            assert!(shown.contains(" and ["), "{shown}");
        }
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(
            sanitize_for_display("a\x1b[31m\nb\u{202e}\u{200b}\u{a0}c d", None),
            "a\\u{1b}[31m\\nb\\u{202e}\\u{200b}\\u{a0}c d"
        );
    }

    #[test]
    fn long_text_is_cut() {
        let text = "ab ".repeat(MAX_ERROR_TEXT);
        let shown = sanitize_for_display(&text, None);
        assert_eq!(shown.chars().count(), MAX_ERROR_TEXT + 3);
        assert!(shown.ends_with("..."));
    }
}
