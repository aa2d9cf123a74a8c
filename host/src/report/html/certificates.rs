//! Certificates and chains.

use privyseal_core::{ClientId, UnixTime};

use super::HtmlReport;
use super::words::{distance, left};
use crate::report::{CertificateReport, ChainReport};

impl ChainReport {
    /// The report for people who open a file.
    pub fn to_html(&self) -> HtmlReport {
        let mut html = HtmlReport::new("Certificate chain", self.verdict(), &self.headline());
        let party = self.party_id.as_ref().map_or("none", ClientId::as_str);
        let rules = self.rules();
        let moment = self.now.to_string();
        html.facts([
            ("Rules", rules),
            ("Judged at", &moment),
            ("Party id", party),
        ]);
        html.findings("Findings", &self.report);
        html.certificates(&self.certificates, self.now);
        html
    }
}

impl HtmlReport {
    /// Adds a section with certificates, leaf first, and what is left of them at `now`.
    pub fn certificates(&mut self, certificates: &[CertificateReport], now: UnixTime) {
        if certificates.is_empty() {
            return;
        }
        self.heading("Certificates");
        for (position, certificate) in certificates.iter().enumerate() {
            self.push("<section class=\"certificate\">");
            let role = match position {
                0 => "leaf",
                _ if certificate.issuer == certificate.subject => "root",
                _ => "CA",
            };
            self.element("h3", &format!("Certificate {position}, {role}"));
            self.facts(certificate.facts(|moment| match moment {
                end if end == certificate.not_after => format!(" ({})", left(end, now)),
                begin => format!(" ({})", distance(begin, now)),
            }));
            self.push("</section>");
        }
    }
}
