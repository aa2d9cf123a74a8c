//! The report for people, and for machines.

use core::fmt;

use serde_json::{Value, json};

use super::DoctorReport;

impl DoctorReport {
    /// The report as JSON: `ok`, `steps` with their `findings`, and what to do `next`.
    pub fn to_json(&self) -> Value {
        let steps = self.steps.iter().map(|step| {
            let findings = step.findings.iter();
            json!({
                "name": step.name,
                "findings": findings
                    .map(|finding| json!({"verdict": finding.verdict.as_str(), "text": finding.text}))
                    .collect::<Value>(),
            })
        });
        json!({
            "ok": self.broken() == 0,
            "steps": steps.collect::<Value>(),
            "next": self.next,
        })
    }
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{}", step.name)?;
            for finding in &step.findings {
                writeln!(f, "  {:6} {}", finding.verdict.as_str(), finding.text)?;
            }
        }
        f.write_str("next")?;
        self.next
            .iter()
            .try_for_each(|next| write!(f, "\n  {next}"))
    }
}
