//! A token as people have it: alone, or in a header, a form or JSON.

use std::borrow::Cow;

use privyseal_check::json::Value;
use privyseal_core::token::text::JsonText;

use super::compact::is_token_character;
use super::redact::without_tokens;
use privyseal_hsm::is_invisible;

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
        if let Some(joined) = joined(token) {
            return Self {
                token: joined.into(),
                found_in: Some("several lines".to_owned()),
            };
        }
        if let Some((token, place)) = authorization(token) {
            return Self {
                token: token.into(),
                found_in: Some(place),
            };
        }
        let members = json(token).or_else(|| form(token));
        let (token, found_in) = match members.and_then(chosen) {
            Some((token, place)) => (token.into(), Some(place)),
            None => (text.trim().into(), None),
        };
        Self { token, found_in }
    }
}

/// The one token that somebody broke into lines.
fn joined(text: &str) -> Option<String> {
    let joined: String = text.lines().map(str::trim).collect();
    (joined.len() < text.len() && !joined.contains(|c| !is_token_character(c))).then_some(joined)
}

/// What an `Authorization` header shows, with or without its name.
fn authorization(text: &str) -> Option<(&str, String)> {
    let value = text.split_once(':').and_then(|(name, value)| {
        name.eq_ignore_ascii_case("authorization")
            .then(|| value.trim())
    });
    let (scheme, token) = value.unwrap_or(text).split_once(char::is_whitespace)?;
    let is_known = ["bearer", "dpop"].contains(&&*scheme.to_ascii_lowercase());
    let token = token.trim();
    let is_one = is_known && !token.contains(char::is_whitespace);
    is_one.then(|| (token, format!("an authorization with {scheme}")))
}

/// How a member is called to a person, and the names and values of all, decoded.
type Members = (&'static str, Vec<(String, String)>);

/// The strings of a JSON object.
fn json(text: &str) -> Option<Members> {
    let Ok(Value::Object(object)) = Value::parse(text) else {
        return None;
    };
    let strings = object.members().filter_map(|(name, value)| {
        let Value::String(value) = value else {
            return None;
        };
        Some((plain(&name), plain(&value)))
    });
    Some(("the member", strings.collect()))
}

/// The members of a form, or of the query and the fragment of an address.
fn form(text: &str) -> Option<Members> {
    let address = usize::from(text.contains("://"));
    let members = text.split(['?', '#', '&']).skip(address);
    let members: Option<_> = members
        .map(|member| {
            let mut pairs = form_urlencoded::parse(member.as_bytes()).into_owned();
            pairs.next().filter(|_| member.contains('='))
        })
        .collect();
    Some(("the form member", members?))
}

/// The `client_assertion`, whatever it is; where there is none, the first that has the parts of a token.
fn chosen((kind, members): Members) -> Option<(String, String)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.:#".contains(c);
    // Something else than a form may look like one.
    let mut names = members.iter().map(|(name, _)| name);
    if names.any(|name| name.contains(|c| !is_name(c))) {
        return None;
    }
    let is_assertion = |(name, _): &&(String, String)| name == "client_assertion";
    let has_parts = |(_, value): &&(String, String)| matches!(value.split('.').count(), 3 | 5);
    let count = members.iter().filter(has_parts).count();
    let first = match members.iter().filter(is_assertion).count() {
        0 => members.iter().find(has_parts),
        1 => members.iter().find(is_assertion),
        _ => None,
    };
    let (name, token) = first?;
    let of = match count {
        0 | 1 => String::new(),
        count => format!(", one of {count} tokens"),
    };
    Some((
        token.clone(),
        format!("{kind} {}{of}", without_tokens(name)),
    ))
}

pub(super) fn plain(text: &JsonText<'_>) -> String {
    text.chars().flatten().collect()
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
                format!("dpop {JWE}"),
                JWE,
                Some("an authorization with dpop"),
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
                format!("request={OTHER}&client_assertion={TOKEN}"),
                TOKEN,
                Some("the form member client_assertion, one of 2 tokens"),
            ),
            (
                format!("request={OTHER}&id_token={TOKEN}"),
                OTHER,
                Some("the form member request, one of 2 tokens"),
            ),
            // As a receiver reads it.
            (
                format!(
                    "id_token={OTHER}&client%5Fassertion={}",
                    TOKEN.replace('.', "%2e")
                ),
                TOKEN,
                Some("the form member client_assertion, one of 2 tokens"),
            ),
            (
                format!("{{\"id_token\":\"{OTHER}\",\"client\\u005fassertion\":\"{TOKEN}\"}}"),
                TOKEN,
                Some("the member client_assertion, one of 2 tokens"),
            ),
            // Who sent an assertion asks about that, whatever became of it.
            (
                format!("subject_token={TOKEN}&client_assertion=oops"),
                "oops",
                Some("the form member client_assertion"),
            ),
            (
                format!("https://a.example/?subject_token={TOKEN}#client_assertion=a.b.c="),
                "a.b.c=",
                Some("the form member client_assertion, one of 2 tokens"),
            ),
            (
                format!("{{\"id_token_hint\":\"{TOKEN}\",\"client_assertion\":\"\"}}"),
                "",
                Some("the member client_assertion"),
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
            "{\"access_token\":\"opaque\"}",
            "www.example.com is a.b.c",
            "<b>",
            "a.b",
            // Which of two would count nobody knows.
            &format!("client_assertion={TOKEN}&client_assertion={OTHER}"),
            &format!("https://a.example/?to=https%3A%2F%2Fb.example%3Ft%3D{TOKEN}%26x"),
            &format!("Authorization: Bearer {TOKEN}\n{OTHER}"),
            &format!("{TOKEN}=="),
            &format!("{TOKEN}!"),
            &format!("The token was {TOKEN}. Why?"),
        ] {
            let found = Pasted::read(text);
            assert_eq!((&*found.token, found.found_in), (text, None));
        }
        let hidden = format!("{}\u{200b}{}", &TOKEN[..25], &TOKEN[25..]);
        assert_eq!(Pasted::read(&hidden).token, hidden);
    }
}
