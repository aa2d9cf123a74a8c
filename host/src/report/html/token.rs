//! Tokens: the report, and what stands in them.

use core::fmt;

use privyseal_check::Subject;
use privyseal_core::cert::Certificate;
use privyseal_core::{SchemeRules, UnixTime};
use serde_json::{Map, Value};

use super::words::{distance, left};
use super::{HtmlReport, Verdict, badge, escape};
use crate::jose::jws::decode_unverified;
use crate::report::{CertificateReport, ReceiverReport, TokenReport};

/// What stands in a token, as far as it can be read. Nobody proved it.
///
/// `Debug` does not show it: it may be about a person.
#[derive(Clone)]
pub struct TokenContent {
    header: Option<Map<String, Value>>,
    claims: Option<Map<String, Value>>,
}

impl TokenContent {
    /// Reads what can be read of `token`; white space around it does not count.
    pub fn read(token: &str) -> Self {
        let [header, claims] = decode_unverified(token.trim());
        Self { header, claims }
    }

    fn certificates(&self) -> Vec<CertificateReport> {
        let x5c = self.header.as_ref().and_then(|header| header.get("x5c"));
        let items = x5c.and_then(Value::as_array).into_iter().flatten();
        let ders = items.filter_map(crate::jose::jws::x5c_der);
        ders.filter_map(|der| {
            Certificate::from_der(&der)
                .ok()
                .map(|it| CertificateReport::new(&it))
        })
        .collect()
    }
}

impl fmt::Debug for TokenContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenContent").finish_non_exhaustive()
    }
}

impl TokenReport {
    /// The report for people who open a file. It shows the header and the claims, without the signature: so it is no
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
        let scheme = self
            .report
            .scheme
            .map_or("none that the content points at", SchemeRules::title);
        let guessed = if self.report.is_guess && self.report.scheme.is_some() {
            " (a guess from the content)"
        } else {
            ""
        };
        html.facts([
            ("Kind", self.report.kind.name().to_owned()),
            ("Rules", format!("{scheme}{guessed}")),
            ("Judged at", self.now.to_string()),
        ]);
        html.subjects(self);
        html.findings("Rules", &self.findings());
        html.members("Header", content.header.as_ref(), self.now);
        html.members("Claims", content.claims.as_ref(), self.now);
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
                self.push(badge(verdict));
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
                    self.push(badge(demand.verdict));
                    self.text(&format!(" {}: {text}", demand.demand));
                    self.push("</p>");
                }
            }
            self.push("</div></li>");
        }
        self.push("</ul>");
    }

    fn members(&mut self, heading: &str, members: Option<&Map<String, Value>>, now: UnixTime) {
        self.heading(heading);
        match members {
            Some(members) => self.push(&table(members, now)),
            None => self
                .push("<p>It is not a JSON object in base64url, so there is nothing to show.</p>"),
        }
    }
}

fn table(members: &Map<String, Value>, now: UnixTime) -> String {
    let row = |(name, value): (&String, &Value)| {
        let (key, value) = (escape(name), shown(name, value, now));
        format!("<div><dt><code>{key}</code></dt><dd>{value}</dd></div>")
    };
    format!("<dl>{}</dl>", members.iter().map(row).collect::<String>())
}

/// A value, and what it means where that is known.
fn shown(name: &str, value: &Value, now: UnixTime) -> String {
    match (name, value) {
        ("exp" | "iat" | "nbf" | "auth_time", Value::Number(number)) => {
            let moment = number
                .as_u64()
                .and_then(|seconds| UnixTime::from_secs(seconds).ok());
            let meaning = moment.map(|moment| {
                let distance = if name == "exp" {
                    left(moment, now)
                } else {
                    distance(moment, now)
                };
                format!(" <span class=\"meaning\">{moment}, {distance}</span>")
            });
            format!("{number}{}", meaning.unwrap_or_default())
        }
        ("x5c", Value::Array(items)) => match items.len() {
            1 => "1 certificate, below".to_owned(),
            count => format!("{count} certificates, below"),
        },
        (_, Value::String(text)) => match decode_unverified(text) {
            // A token inside the token.
            [Some(header), Some(claims)] => table(&header, now) + &table(&claims, now),
            _ => escape(text),
        },
        (_, other) => escape(&other.to_string()),
    }
}
