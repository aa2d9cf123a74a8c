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
            self.facts(certificate.facts(now));
            self.push("</section>");
        }
    }
}

impl CertificateReport {
    fn facts(&self, now: UnixTime) -> Vec<(&'static str, String)> {
        let usages = self.key_usages.as_ref();
        let usages = usages.map_or_else(|| "not restricted".to_owned(), |usages| usages.join(", "));
        let until = left(self.not_after, now);
        let from = distance(self.not_before, now);
        let mut facts = vec![
            ("Subject", self.subject.clone()),
            ("Issuer", self.issuer.clone()),
            ("Serial number", self.serial.clone()),
            ("Valid from", format!("{} ({from})", self.not_before)),
            ("Valid to", format!("{} ({until})", self.not_after)),
            ("Key", self.key.clone()),
            ("Key usage", usages),
        ];
        if let Some(id) = &self.organization_identifier {
            facts.insert(1, ("organizationIdentifier", id.clone()));
        }
        if !self.extended_key_usages.is_empty() {
            facts.push(("Extended key usage", self.extended_key_usages.join(", ")));
        }
        facts.push(("x5t#S256", self.x5t_s256.clone()));
        facts.push(("SHA-256", self.x5t_s256_hex.clone()));
        facts
    }
}
