//! A report as HTML: a fragment for a page that shows it, or one file that needs nothing else.
//!
//! Everything that comes from a token, a certificate or a server is escaped here, in one place. The file has no script,
//! and its Content-Security-Policy lets it load nothing.

mod certificates;
mod token;
mod words;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use super::{Finding, Report, Verdict};
use crate::base::display::escape_character;

pub use token::TokenContent;

/// The style of a report, for pages that show the fragment.
pub const STYLE: &str = include_str!("html/report.css");

/// What each file that [`HtmlReport::to_document`] makes begins with, by which it can be told from other files.
pub const START: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                         <meta name=\"generator\" content=\"Privyseal\">\n";

/// A report in the making: a verdict, and sections below it.
#[derive(Clone, Debug)]
pub struct HtmlReport {
    title: String,
    verdict: Verdict,
    body: String,
}

impl HtmlReport {
    /// A report under `title` that came out as `verdict`, which `headline` says in one line.
    pub fn new(title: &str, verdict: Verdict, headline: &str) -> Self {
        let mut report = Self {
            title: title.to_owned(),
            verdict,
            body: String::new(),
        };
        report.push("<p class=\"headline\">");
        report.push(&badge(verdict));
        report.push(" ");
        report.text(headline);
        report.push("</p>");
        report
    }

    /// Adds names with values.
    pub fn facts<N: AsRef<str>, V: AsRef<str>>(&mut self, facts: impl IntoIterator<Item = (N, V)>) {
        self.push("<dl>");
        for (name, value) in facts {
            self.fact(name.as_ref(), value.as_ref());
        }
        self.push("</dl>");
    }

    /// Adds a section with what was found, what is broken first.
    pub fn findings(&mut self, heading: &str, report: &Report) {
        self.heading(heading);
        let order = [Verdict::Broken, Verdict::NotChecked, Verdict::Note];
        let of = |verdict| {
            let findings = report.findings().iter();
            findings.filter(move |finding| finding.verdict == verdict)
        };
        self.push("<ul class=\"findings\">");
        order
            .into_iter()
            .flat_map(of)
            .for_each(|finding| self.finding(finding));
        self.push("</ul>");
        let passed = of(Verdict::Passed).count();
        if passed > 0 {
            let word = if passed == 1 {
                "rule holds"
            } else {
                "rules hold"
            };
            self.push(&format!(
                "<details><summary>{passed} {word}</summary><ul class=\"findings\">"
            ));
            of(Verdict::Passed).for_each(|finding| self.finding(finding));
            self.push("</ul></details>");
        }
    }

    /// Adds a section with a list.
    pub fn list<T: AsRef<str>>(&mut self, heading: &str, items: impl IntoIterator<Item = T>) {
        self.heading(heading);
        self.push("<ol>");
        for item in items {
            self.element("li", item.as_ref());
        }
        self.push("</ol>");
    }

    /// The report alone, for a page with [`STYLE`] that has an `h1`.
    pub fn to_fragment(&self) -> String {
        let class = class(self.verdict);
        format!("<article class=\"report {class}\">{}</article>", self.body)
    }

    /// A file of its own.
    pub fn to_document(&self) -> String {
        let hash = Base64::encode_string(&Sha256::digest(STYLE));
        let title = escape(&self.title);
        format!(
            "{START}<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
             base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{}\n</main>\n\
             </body>\n</html>\n",
            self.to_fragment()
        )
    }

    fn push(&mut self, html: &str) {
        self.body.push_str(html);
    }

    fn text(&mut self, text: &str) {
        self.body.push_str(&escape(text));
    }

    fn element(&mut self, name: &str, text: &str) {
        self.push(&format!("<{name}>{}</{name}>", escape(text)));
    }

    fn heading(&mut self, text: &str) {
        self.element("h2", text);
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.push("<div>");
        self.element("dt", name);
        self.element("dd", value);
        self.push("</div>");
    }

    fn finding(&mut self, finding: &Finding) {
        self.push("<li>");
        self.push(&badge(finding.verdict));
        self.push("<div>");
        if let Some(rule) = finding.rule {
            self.element("code", rule);
        }
        if let Some(text) = &finding.text {
            self.push(" ");
            self.element("span", text);
        }
        let rule = finding.rule.and_then(privyseal_check::RuleId::by_name);
        if let Some(rule) = rule.filter(|_| finding.verdict != Verdict::Passed) {
            self.push("<p>The rule: ");
            self.sentence(rule.demand());
            self.push("</p>");
        }
        if let Some(source) = finding.source {
            self.push("<p class=\"source\">");
            self.text(source);
            self.push("</p>");
        }
        self.push("</div></li>");
    }

    /// Text in which code stands between backticks.
    fn sentence(&mut self, text: &str) {
        for (position, piece) in text.split('`').enumerate() {
            if position % 2 == 0 {
                self.text(piece);
            } else {
                self.element("code", piece);
            }
        }
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Broken => "broken",
        Verdict::Note => "note",
        Verdict::NotChecked => "open",
    }
}

fn badge(verdict: Verdict) -> String {
    let (class, word) = (class(verdict), verdict.name());
    format!("<b class=\"badge {class}\">{word}</b>")
}

/// Text that neither HTML nor the reader's eye takes for something else.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.extend(escape_character(other)),
        }
    }
    html
}

#[cfg(test)]
mod tests;
