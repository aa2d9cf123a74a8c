//! Text without the tokens that stand in it, however they are written.

use core::ops::Range;

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_check::json::Value;

use super::compact::{is_token_character, object};
use privyseal_hsm::is_invisible;

/// What stands for a credential, or for what makes one of the rest.
pub(super) const LEFT_OUT: &str = "[left out]";

/// As URLs, HTML, JSON and other keyboards write the dot of a token.
const DOTS: &[&str] = &[
    "%2e", "%252e", "%25252e", "&#46;", "&#046;", "&#x2e;", "&period;", "\\u002e", "\u{ff0e}",
    "\u{3002}", "\u{ff61}", "[.]", "(.)",
];
/// What they, mail, shells and source code put between the characters of a token, beside white space.
const BLANKS: &[&str] = &[
    "=", "%3d", "%253d", "&#61;", "%20", "%09", "%0a", "%0d", "&nbsp;", "&#10;", "&#13;", "<br>",
    "<br/>", "<wbr>", "\\r", "\\n", "\\t", "\\", ">", "|", "\"", "'", "+",
];

/// A character of a token, and where the text has it.
struct Place {
    character: char,
    at: Range<usize>,
}

/// `text` in which each token is left out from its first to its last character: what decodes as a header with `alg`, and the
/// parts that follow it, up to five in all. Line breaks, blanks, padding and dots in disguise hide none.
pub(super) fn without_tokens(text: &str) -> String {
    let (mut run, mut found) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let begins = |word: &&&str| {
            let start = rest.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let at = text.len() - rest.len();
        let (character, len) = if let Some(dot) = DOTS.iter().find(begins) {
            (Some('.'), dot.len())
        } else if let Some(blank) = BLANKS.iter().find(begins) {
            (None, blank.len())
        } else {
            let is_blank = first.is_whitespace() || is_invisible(first);
            if !is_blank && !is_token_character(first) {
                found.extend(tokens(&run));
                run.clear();
            }
            (is_token_character(first).then_some(first), first.len_utf8())
        };
        run.extend(character.map(|character| Place {
            character,
            at: at..at + len,
        }));
        rest = &rest[len..];
    }
    found.extend(tokens(&run));
    let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
    for token in found {
        if token.start >= end {
            shown.push_str(&text[end..token.start]);
            shown.push_str(LEFT_OUT);
        }
        end = end.max(token.end);
    }
    shown + &text[end..]
}

/// Where tokens stand, in the order of their starts.
fn tokens(run: &[Place]) -> Vec<Range<usize>> {
    let parts: Vec<_> = run.split(|it| it.character == '.').collect();
    let starts = parts.windows(3).enumerate();
    let found = starts.filter_map(|(position, three)| {
        let start = header(three.first()?)?;
        // Those of a JWE, at most.
        let token = parts.iter().skip(position).take(5);
        let last = token.rev().find_map(|part| part.last())?;
        Some(start..last.at.end)
    });
    found.collect()
}

/// Where a header begins in a part, which may have other characters before it.
fn header(part: &[Place]) -> Option<usize> {
    /// Other starts than these are no accident.
    const MOST: usize = 64;
    let text: String = part.iter().map(|it| it.character).collect();
    let begins = |at: &usize| {
        let start = text.get(*at..at.saturating_add(4));
        let start = start.and_then(|it| Base64UrlUnpadded::decode_vec(it).ok());
        let start = start.unwrap_or_default();
        let inner = start.trim_ascii_start().strip_prefix(b"{");
        inner.is_some_and(|inner| matches!(inner.trim_ascii_start(), [] | [b'"', ..]))
    };
    (0..part.len()).filter(begins).take(MOST).find_map(|at| {
        let json = object(text.get(at..)?)?;
        let Ok(Value::Object(header)) = Value::parse(&json) else {
            return None;
        };
        header.get("alg")?;
        Some(part.get(at)?.at.start)
    })
}
