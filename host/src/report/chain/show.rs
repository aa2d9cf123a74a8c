//! A chain report for people, and for machines.

use core::fmt;

use privyseal_core::ClientId;
use serde_json::{Value, json};

use super::{CertificateReport, ChainReport, Verdict};

impl Verdict {
    /// The word for it, in reports and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Broken => "broken",
            Self::Note => "note",
        }
    }
}

impl ChainReport {
    /// The report as JSON. `valid` is true when no rule is broken and the chain is complete; moments are
    /// RFC 3339.
    pub fn to_json(&self) -> Value {
        json!({
            "valid": self.broken() == 0 && self.is_complete,
            "complete": self.is_complete,
            "now": self.now.to_string(),
            "scheme": self.scheme.map(|scheme| scheme.name),
            "party_id": self.party_id.as_ref().map(ClientId::as_str),
            "certificates": self.certificates.iter().map(CertificateReport::to_json).collect::<Value>(),
            "findings": self
                .findings
                .iter()
                .map(|finding| json!({"verdict": finding.verdict.as_str(), "text": finding.text}))
                .collect::<Value>(),
        })
    }
}

impl CertificateReport {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "subject": self.subject,
            "issuer": self.issuer,
            "organization_identifier": self.organization_identifier,
            "serial": self.serial,
            "not_before": self.not_before.to_string(),
            "not_after": self.not_after.to_string(),
            "key": self.key,
            "key_usages": self.key_usages,
            "extended_key_usages": self.extended_key_usages,
            "ca": self.is_ca,
            "path_len": self.path_len,
            "signature_algorithm": self.signature_algorithm,
            "x5t#S256": self.x5t_s256(),
            "x5t#s256_hex": self.x5t_s256_hex(),
        })
    }
}

impl fmt::Display for ChainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, certificate) in self.certificates.iter().enumerate() {
            let role = match position {
                0 => " (leaf)",
                _ if certificate.issuer == certificate.subject => " (root)",
                _ => "",
            };
            writeln!(f, "certificate {position}{role}\n{certificate}")?;
        }
        for finding in &self.findings {
            writeln!(f, "{:8}{}", finding.verdict.as_str(), finding.text)?;
        }
        writeln!(f)?;
        match &self.party_id {
            Some(id) => writeln!(f, "party id  {id}")?,
            None => writeln!(
                f,
                "party id  none can be derived (no organizationIdentifier)"
            )?,
        }
        let rules = self.scheme.map_or("RFC 5280 alone", |scheme| scheme.title);
        write!(f, "result    ")?;
        match self.broken() {
            0 if self.is_complete => write!(f, "valid")?,
            0 => write!(
                f,
                "no rule is broken, but what stands above the last one is not known"
            )?,
            1 => write!(f, "not valid: 1 rule is broken")?,
            count => write!(f, "not valid: {count} rules are broken")?,
        }
        write!(f, " ({rules}, at {})", self.now)
    }
}

impl fmt::Display for CertificateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  subject    {}", self.subject)?;
        writeln!(f, "  issuer     {}", self.issuer)?;
        writeln!(f, "  serial     {}", self.serial)?;
        writeln!(f, "  valid      {} to {}", self.not_before, self.not_after)?;
        write!(f, "  key        {}", self.key)?;
        match &self.key_usages {
            Some(usages) => writeln!(f, ", usage {}", usages.join(", "))?,
            None => writeln!(f, ", usage not restricted")?,
        }
        if !self.extended_key_usages.is_empty() {
            writeln!(f, "  purposes   {}", self.extended_key_usages.join(", "))?;
        }
        if self.is_ca {
            match self.path_len {
                Some(limit) => writeln!(f, "  CA         at most {limit} CAs below it")?,
                None => writeln!(f, "  CA         yes")?,
            }
        }
        writeln!(f, "  x5t#S256   {}", self.x5t_s256())?;
        writeln!(f, "  as hex     {}", self.x5t_s256_hex())
    }
}
