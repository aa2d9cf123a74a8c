//! A token as people have it: alone, or in a header, a form, JSON or a mail. And what stands in it, which nobody proved.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_check::json::Value;

use crate::base::display::is_invisible;

/// A token, taken out of what was around it.
pub(super) struct Pasted<'t> {
    /// The token; the whole text where no token can be told from it.
    pub(super) token: Cow<'t, str>,
    /// What it was taken out of, if that was more than white space.
    pub(super) found_in: Option<String>,
}

impl<'t> Pasted<'t> {
    pub(super) fn read(text: &'t str) -> Self {
        let token = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        if !token.contains(|c| !is_token_character(c)) {
            let is_alone = token == text.trim_ascii();
            let found_in = (!is_alone).then(|| "characters that cannot be seen".to_owned());
            let token = token.into();
            return Self { token, found_in };
        }
        match joined(token) {
            Some(joined) => Self {
                token: joined.into(),
                found_in: Some("several lines".to_owned()),
            },
            None => Self::inside(text.trim()),
        }
    }

    /// An assertion, or the first token that there is.
    fn inside(text: &'t str) -> Self {
        // What nobody sees inside a token is its fault, and does not end it.
        let is_hidden = |c: char| is_invisible(c) && !c.is_control();
        let runs = text.split(|c| !is_token_character(c) && !is_hidden(c));
        let before = |run: &str| {
            let start = run.as_ptr().addr().saturating_sub(text.as_ptr().addr());
            text.get(..start).unwrap_or_default()
        };
        let runs = runs.map(|run| {
            // %3D and the like: what stands before a token in an address inside an address.
            let is_escape = before(run).ends_with('%');
            let run = run.get(2..).filter(|_| is_escape).unwrap_or(run);
            let run = run.trim_matches(is_hidden);
            let sentence = run.strip_suffix('.');
            sentence.filter(|it| is_token(it)).unwrap_or(run)
        });
        let tokens = runs.filter(|run| is_token(run));
        let found: Vec<_> = tokens.map(|token| (token, place(before(token)))).collect();
        let is_assertion = |(_, place): &&(&str, String)| place.ends_with("client_assertion");
        let chosen = found.iter().find(is_assertion).or(found.first());
        let (token, found_in) = match (chosen, found.len()) {
            (None, _) => (text, None),
            (Some((token, place)), 1) => (*token, Some(place.clone())),
            (Some((token, place)), count) => {
                (*token, Some(format!("{place}, one of {count} tokens")))
            }
        };
        let token = token.into();
        Self { token, found_in }
    }
}

/// The one token that somebody broke into lines.
fn joined(text: &str) -> Option<String> {
    let joined: String = text.lines().map(str::trim).collect();
    (joined.len() < text.len() && is_token(&joined)).then_some(joined)
}

/// Whether that is a compact JWS or JWE whose header can be read.
fn is_token(text: &str) -> bool {
    matches!(text.split('.').count(), 3 | 5)
        && !text.contains(|c| !is_token_character(c))
        && decoded(text)[0].is_some()
}

/// What a token stood in, by what is before it.
fn place(before: &str) -> String {
    let before = before.trim_end_matches([' ', '"', '\'', '\\', '\t', '\r', '\n']);
    let name = |text: &str| {
        let text = text.trim_end_matches([' ', '"', '\'', '\\']);
        let name = text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        name.take(1)
            .flat_map(str::chars)
            .take(64)
            .collect::<String>()
    };
    match (
        before.strip_suffix('='),
        before.strip_suffix(':'),
        name(before),
    ) {
        (Some(form), _, _) if !name(form).is_empty() => format!("the form member {}", name(form)),
        (_, Some(json), _) if !name(json).is_empty() => format!("the member {}", name(json)),
        (_, _, word) if ["bearer", "dpop"].contains(&&*word.to_ascii_lowercase()) => {
            format!("an authorization with {word}")
        }
        _ => "other text".to_owned(),
    }
}

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

fn object(part: &str) -> Option<String> {
    let text = String::from_utf8(Base64UrlUnpadded::decode_vec(part).ok()?).ok()?;
    let is_object = matches!(Value::parse(&text), Ok(Value::Object(_)));
    is_object.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    const OTHER: &str = "eyJhbGciOiJub25lIn0.e30.";
    const JWE: &str = "eyJlbmMiOiJBMjU2R0NNIn0.a2V5.aXY.Y3Q.dGFn";

    #[test]
    fn a_token_is_found_in_what_people_paste() {
        let lines = format!("{}\r\n  {}\n", &TOKEN[..22], &TOKEN[22..]);
        for (text, token, place) in [
            (format!("\r\n\t {TOKEN}\n"), TOKEN, None),
            (
                format!("\u{a0}{TOKEN}"),
                TOKEN,
                Some("characters that cannot be seen"),
            ),
            (
                format!("\u{200b}{TOKEN}\u{feff}\n"),
                TOKEN,
                Some("characters that cannot be seen"),
            ),
            (lines, TOKEN, Some("several lines")),
            (
                format!("Authorization: Bearer {TOKEN}"),
                TOKEN,
                Some("an authorization with Bearer"),
            ),
            (
                format!("curl -H 'authorization: bearer {JWE}' https://a.example"),
                JWE,
                Some("an authorization with bearer"),
            ),
            (
                format!("grant_type=client_credentials&client_assertion={TOKEN}&client_id=x"),
                TOKEN,
                Some("the form member client_assertion"),
            ),
            (
                format!("https://a.example/cb#id_token={TOKEN}&state=1"),
                TOKEN,
                Some("the form member id_token"),
            ),
            (
                format!("{{\"access_token\" : \"{TOKEN}\", \"expires_in\": 3600}}"),
                TOKEN,
                Some("the member access_token"),
            ),
            (
                format!("\"{{\\\"id_token\\\":\\\"{TOKEN}\\\"}}\""),
                TOKEN,
                Some("the member id_token"),
            ),
            (
                format!("request={OTHER}&client_assertion={TOKEN}"),
                TOKEN,
                Some("the form member client_assertion, one of 2 tokens"),
            ),
            (
                format!("https://a.example/?to=https%3A%2F%2Fb.example%3Ft%3D{TOKEN}%26x"),
                TOKEN,
                Some("other text"),
            ),
            (
                format!("The token was {TOKEN}. Why?"),
                TOKEN,
                Some("other text"),
            ),
            (
                format!("{OTHER}\n{TOKEN}"),
                OTHER,
                Some("other text, one of 2 tokens"),
            ),
        ] {
            let found = Pasted::read(&text);
            assert_eq!(
                (&*found.token, found.found_in.as_deref()),
                (token, place),
                "{text}"
            );
        }
    }

    #[test]
    fn what_holds_no_token_stays_whole() {
        for text in [
            "",
            "Bearer abc",
            "{\"access_token\":\"opaque\"}",
            "www.example.com is a.b.c",
            "<b>",
            "a.b",
        ] {
            let found = Pasted::read(text);
            assert_eq!((&*found.token, found.found_in), (text, None));
        }
        let hidden = format!("{}\u{200b}{}", &TOKEN[..25], &TOKEN[25..]);
        assert_eq!(Pasted::read(&hidden).token, hidden);
    }
}
