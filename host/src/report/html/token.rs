//! Tokens: the report, and what stands in them.

use base64ct::{Base64, Encoding};
use privyseal_check::json::{Array, Object, Value};
use privyseal_check::{Kind, Subject};
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
use privyseal_core::token::text::JsonText;

use super::words::{distance, left};
use super::{HtmlReport, Verdict, badge, escape};
use crate::report::compact::decoded;
use crate::report::pasted::{Pasted, plain};
use crate::report::redact::{LEFT_OUT, without_tokens};
use crate::report::{CertificateReport, ReceiverReport, TokenReport};

/// What stands in a token, as far as it can be read. Nobody proved it.
///
/// `Debug` does not show it: it may be about a person.
#[derive(Clone)]
pub struct TokenContent {
    header: Option<String>,
    claims: Option<String>,
}

impl TokenContent {
    /// Reads what can be read of the token in `text`, which [`TokenReport::of_pasted`] takes, too.
    pub fn read(text: &str) -> Self {
        let [header, claims] = decoded(&Pasted::read(text).token);
        Self { header, claims }
    }

    /// Whether there is a token whose header can be read.
    pub const fn is_token(&self) -> bool {
        self.header.is_some()
    }

    fn certificates(&self) -> Vec<CertificateReport> {
        let header = self.header.as_deref().and_then(object);
        let Some(Value::Array(x5c)) = header.and_then(|header| header.get("x5c")) else {
            return Vec::new();
        };
        let read = |item| {
            let Value::String(text) = item else {
                return None;
            };
            let der = Base64::decode_vec(&plain(&text)).ok()?;
            let certificate = Certificate::from_der(&der).ok()?;
            Some(CertificateReport::new(&certificate))
        };
        x5c.items().filter_map(read).collect()
    }
}

privyseal_core::opaque_debug! { [] TokenContent; }

impl TokenReport {
    /// The report for people who open a file. It shows the header and the claims, without any signature or token: so it is no
    /// credential.
    pub fn to_html(&self, content: &TokenContent) -> HtmlReport {
        let verdict = match (self.broken(), self.report.scheme) {
            (0, Some(_)) if self.not_judged(&[Subject::Rules, Subject::Trust]).is_none() => {
                Verdict::Passed
            }
            (0, _) => Verdict::NotChecked,
            _ => Verdict::Broken,
        };
        let mut html = HtmlReport::new("Token", verdict, &self.headline());
        let found_in = self.found_in.clone().map(|place| ("Found in", place));
        let facts = [
            ("Kind", self.report.kind.name().to_owned()),
            ("Rules", self.rules()),
            ("Judged at", self.now.to_string()),
        ];
        html.facts(facts.into_iter().chain(found_in));
        html.subjects(self);
        html.findings("Rules", &self.findings());
        html.members("Header", content.header.as_deref(), self.now);
        if self.report.kind != Kind::Encrypted {
            html.members("Claims", content.claims.as_deref(), self.now);
        }
        html.certificates(&content.certificates(), self.now);
        html.receivers(self);
        html
    }
}

impl HtmlReport {
    fn subjects(&mut self, report: &TokenReport) {
        self.push("<ul class=\"subjects\">");
        for subject in Subject::ALL {
            if let Some(verdict) = report.outcome(subject) {
                self.push("<li>");
                self.text(subject.name());
                self.push(" ");
                self.push(&badge(verdict));
                self.push("</li>");
            }
        }
        self.push("</ul>");
    }

    fn receivers(&mut self, report: &TokenReport) {
        let opinions = report.report.opinions();
        if opinions.is_empty() {
            return;
        }
        self.heading("Receivers, by their source code");
        self.push("<ul class=\"findings\">");
        for receiver in opinions.iter().map(ReceiverReport::new) {
            self.push(if receiver.refuses {
                "<li><b class=\"badge broken\">refuses</b><div>"
            } else {
                "<li><b class=\"badge passed\">accepts</b><div>"
            });
            self.element("strong", receiver.name);
            for demand in &receiver.demands {
                if let Some(text) = &demand.text {
                    self.push("<p>");
                    self.push(&badge(demand.verdict));
                    self.text(&format!(" {}: {text}", demand.demand));
                    self.push("</p>");
                }
            }
            self.push("</div></li>");
        }
        self.push("</ul>");
    }

    fn members(&mut self, heading: &str, members: Option<&str>, now: UnixTime) {
        self.heading(heading);
        match members {
            Some(members) => self.push(&table(members, now)),
            None => self
                .push("<p>It cannot be read as a JSON object in base64url, so there is nothing to show.</p>"),
        }
    }
}

/// The members as the token has them: in its order, and each as often as it is there.
fn table(members: &str, now: UnixTime) -> String {
    let row = |(name, value): (JsonText<'_>, Value<'_>)| {
        let name = plain(&name);
        let (key, value) = (
            escape(&without_credentials(&name)),
            shown(&name, value, now),
        );
        format!("<div><dt><code>{key}</code></dt><dd>{value}</dd></div>")
    };
    let rows = object(members).map(|object| object.members().map(row).collect::<String>());
    format!("<dl>{}</dl>", rows.unwrap_or_default())
}

fn object(text: &str) -> Option<Object<'_>> {
    match Value::parse(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A value, and what it means where that is known.
fn shown(name: &str, value: Value<'_>, now: UnixTime) -> String {
    match (name, value) {
        _ if is_credential(name) => format!("<span class=\"meaning\">{LEFT_OUT}</span>"),
        ("exp" | "iat" | "nbf" | "auth_time", Value::Number(digits)) => {
            let seconds = digits.parse().ok();
            let moment = seconds.and_then(|seconds| UnixTime::from_secs(seconds).ok());
            let meaning = moment.map(|moment| {
                let distance = if name == "exp" {
                    left(moment, now)
                } else {
                    distance(moment, now)
                };
                format!(" <span class=\"meaning\">{moment}, {distance}</span>")
            });
            format!("{digits}{}", meaning.unwrap_or_default())
        }
        ("x5c", Value::Array(items)) => match items.items().count() {
            1 => "1 certificate, below".to_owned(),
            count => format!("{count} certificates, below"),
        },
        (_, Value::String(text)) => {
            let text = plain(&text);
            match decoded(&text) {
                // A token inside the token.
                [Some(header), Some(claims)] => table(&header, now) + &table(&claims, now),
                _ if is_like_json(&text) => escape(&harmless(value)),
                _ => escape(&without_credentials(&text)),
            }
        }
        (_, other) => escape(&harmless(other)),
    }
}

/// Whether a member of that name is a credential, or what makes one of the rest, whatever its form.
fn is_credential(name: &str) -> bool {
    // A request for claims, and a JWS.
    const OTHERS: [&str; 2] = ["id_token", "login_hint_token"];
    /// The private members of a JWK (RFC 7518 section 6), which may lack its `kty`.
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    const ENDS: [&str; 6] = [
        "token",
        "secret",
        "password",
        "authorization",
        "signature",
        "ciphertext",
    ];
    let name = name.to_ascii_lowercase();
    PRIVATE.contains(&&*name)
        || (!OTHERS.contains(&&*name) && ENDS.iter().any(|end| name.ends_with(end)))
}

/// Whether a string without its quotes would be taken for something else.
fn is_like_json(text: &str) -> bool {
    let is_word = ["", "true", "false", "null"].contains(&text);
    is_word
        || text.starts_with(['{', '[', '"'])
        || text.trim() != text
        || text.parse::<f64>().is_ok()
}

/// As the token writes it, without credentials, however deep.
fn harmless(value: Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Number(digits) => digits.to_owned(),
        Value::String(text) => quoted(&text),
        Value::Array(array) if is_token_in_pieces(array) => format!("\"{LEFT_OUT}\""),
        Value::Array(array) => {
            let items: Vec<_> = array.items().map(harmless).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => {
            let member = |(name, value): (JsonText<'_>, Value<'_>)| {
                let value = if is_credential(&plain(&name)) {
                    format!("\"{LEFT_OUT}\"")
                } else {
                    harmless(value)
                };
                format!("{}:{value}", quoted(&name))
            };
            let members: Vec<_> = object.members().map(member).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// Whether its strings together have a token: parts, or lines.
fn is_token_in_pieces(array: Array<'_>) -> bool {
    let strings = array.items().filter_map(|item| match item {
        Value::String(text) => Some(plain(&text)),
        _ => None,
    });
    let strings: Vec<_> = strings.collect();
    strings.len() > 1
        && ["", "."].iter().any(|glue| {
            let whole = strings.join(glue);
            without_tokens(&whole) != whole
        })
}

fn quoted(text: &JsonText<'_>) -> String {
    let plain = plain(text);
    match without_credentials(&plain) {
        harmless if harmless == plain => format!("\"{}\"", text.as_escaped()),
        harmless => serde_json::Value::from(harmless).to_string(),
    }
}

/// Text in which there is no token, and in no JSON or PEM a credential.
fn without_credentials(text: &str) -> String {
    if text.contains("PRIVATE KEY-----") {
        return LEFT_OUT.to_owned();
    }
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = Value::parse(text) {
        let harmless = harmless(value);
        if harmless.contains(LEFT_OUT) {
            return harmless;
        }
    }
    without_tokens(text)
}
