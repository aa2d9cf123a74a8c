//! A token report for people, and for machines (`docs/check.md` has the schema).

use core::fmt;

use privyseal_check::receivers::Opinion;
use privyseal_check::{Finding, Verdict};
use serde_json::{Value, json};

use super::TokenReport;

impl TokenReport {
    /// The report as JSON.
    pub fn to_json(&self) -> Value {
        let report = &self.report;
        json!({
            "obeys": report.scheme.is_some() && self.broken() == 0,
            "scheme": report.scheme.map(|scheme| scheme.name),
            "scheme_guessed": report.is_guess,
            "kind": report.kind.name(),
            "now": self.now.to_string(),
            "findings": report.findings().iter().map(finding_json).collect::<Value>(),
            "receivers": report.opinions().iter().map(opinion_json).collect::<Value>(),
        })
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.name(),
        "verdict": finding.verdict.as_str(),
        "text": text(&finding.verdict),
        "source": finding.source,
    })
}

fn opinion_json(opinion: &Opinion) -> Value {
    let demands = opinion.outcomes.iter().map(|(demand, verdict)| {
        json!({
            "demand": demand.to_string(),
            "verdict": verdict.as_str(),
            "text": text(verdict),
        })
    });
    json!({
        "name": opinion.receiver.name,
        "refuses": opinion.refuses(),
        "demands": demands.collect::<Value>(),
    })
}

/// Why it is broken or was not checked.
fn text(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Passed => None,
        Verdict::Broken(why) => Some(why.to_string()),
        Verdict::NotChecked(reason) => Some(reason.to_string()),
    }
}

impl fmt::Display for TokenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        let title = report
            .scheme
            .map_or("no scheme that the content points at", |scheme| {
                scheme.title
            });
        let guessed = if report.is_guess && report.scheme.is_some() {
            " (a guess from the content)"
        } else {
            ""
        };
        writeln!(f, "token     {}", report.kind.name())?;
        writeln!(f, "rules     {title}{guessed}")?;
        writeln!(f, "moment    {}\n", self.now)?;
        for finding in report.findings() {
            show_finding(f, finding)?;
        }
        if !report.opinions().is_empty() {
            writeln!(f, "\nreceivers, by their source code")?;
        }
        for opinion in report.opinions() {
            show_opinion(f, opinion)?;
        }
        match (self.broken(), report.scheme) {
            (0, Some(scheme)) => write!(f, "\nresult    obeys {}", scheme.title),
            (0, None) => write!(
                f,
                "\nresult    a JWS, of no scheme that the content points at"
            ),
            (1, _) => write!(f, "\nresult    1 rule is broken"),
            (count, _) => write!(f, "\nresult    {count} rules are broken"),
        }
    }
}

fn show_finding(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let (verdict, rule, source) = (
        finding.verdict.as_str(),
        finding.rule.name(),
        finding.source,
    );
    match text(&finding.verdict) {
        Some(text) => writeln!(f, "{verdict:<12}{rule:<28}{text} ({source})"),
        None => writeln!(f, "{verdict:<12}{rule:<28}({source})"),
    }
}

fn show_opinion(f: &mut fmt::Formatter<'_>, opinion: &Opinion) -> fmt::Result {
    let word = if opinion.refuses() {
        "refuses"
    } else {
        "accepts"
    };
    writeln!(f, "{word:<12}{}", opinion.receiver.name)?;
    for (demand, verdict) in &opinion.outcomes {
        if let Some(text) = text(verdict) {
            writeln!(f, "  {:<12}{demand}: {text}", verdict.as_str())?;
        }
    }
    Ok(())
}
