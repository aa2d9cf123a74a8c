//! Tokens as a person reads them: indented JSON, certificates by subject, times as dates.

use base64ct::{Base64, Encoding};
use serde_json::Value;

use super::console::base64url;
use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::token_dir::TokenDir;

/// How much of an opaque string is worth showing.
const SHOWN: usize = 12;

/// The header, with each certificate shortened and named by its subject.
pub(super) fn header(token: &TokenDir, part: &str) -> Result<String, Failure> {
    let mut header = json(part)?;
    let mut subjects = Vec::new();
    if let Some(entries) = header.get_mut("x5c").and_then(Value::as_array_mut) {
        for (place, entry) in entries.iter_mut().enumerate() {
            let text = entry.as_str().unwrap_or_default();
            let der = Base64::decode_vec(text).context("x5c")?;
            let file = certificate_file(place);
            token.write(&file, der)?;
            subjects.push(format!("x5c[{place}] {}", subject(token, &file)?));
            *entry = Value::String(shortened(text));
        }
    }
    Ok([vec![pretty(&header)?], subjects].concat().join("\n"))
}

/// The claims, followed by their times as dates.
pub(super) fn claims(part: &str) -> Result<String, Failure> {
    let claims = json(part)?;
    let mut lines = vec![pretty(&claims)?];
    let seconds = |name: &str| claims.get(name).and_then(Value::as_u64);
    for name in ["iat", "nbf", "exp"] {
        if let Some(at) = seconds(name) {
            let after = at.saturating_sub(seconds("iat").unwrap_or(at));
            let after = if after == 0 {
                String::new()
            } else {
                format!(" (iat + {after} s)")
            };
            lines.push(format!("{name} = {}{after}", utc(at)?));
        }
    }
    Ok(lines.join("\n"))
}

/// `2026-11-22 05:10:00 UTC`.
fn utc(seconds: u64) -> Result<String, Failure> {
    let date = Run::new("date").args(["-u", "-d", &format!("@{seconds}"), "+%F %T UTC"]);
    Ok({ date }.capture()?.text().trim().to_owned())
}

/// The answer of a server, with long opaque strings shortened.
pub(super) fn answer(text: &str) -> String {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let shown = values.map(|value| {
        let mut value = value.ok()?;
        shorten_secret(&mut value);
        pretty(&value).ok()
    });
    // What is not JSON is shown as it is.
    shown
        .collect::<Option<Vec<_>>>()
        .map_or_else(|| text.trim_end().to_owned(), |all| all.join("\n"))
}

/// Where [`header`] leaves the certificate at that place of `x5c`.
pub(super) fn certificate_file(place: usize) -> String {
    format!("x5c-{place}.der")
}

fn shorten_secret(value: &mut Value) {
    if let Some(Value::String(token)) = value.get_mut("access_token") {
        *token = shortened(token);
    }
}

fn shortened(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start}.. ({} characters)", text.chars().count())
}

fn subject(token: &TokenDir, file: &str) -> Result<String, Failure> {
    let show = token.tool("openssl").words("x509 -inform DER -in");
    let said = show
        .arg(token.shown(file))
        .words("-noout -subject")
        .capture()?;
    Ok(said.text().trim().to_owned())
}

fn json(part: &str) -> Result<Value, Failure> {
    serde_json::from_slice(&base64url(part)?).context("the token's JSON")
}

fn pretty(value: &Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).context("JSON")
}
