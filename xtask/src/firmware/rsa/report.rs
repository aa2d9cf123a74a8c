//! What the counting image prints, as numbers, and the rules that they must obey.

use std::collections::BTreeMap;

use crate::failure::{Failure, fail};

/// Signatures that the image makes: three keys, four messages.
const SIGNATURES: usize = 12;
/// Instructions of a signature with the assembly kernels, at most.
const MOST_INSTRUCTIONS: u64 = 12_000_000;
/// Bytes of stack of a signature, less than.
const STACK: u64 = 5 * 1024;

/// Others on the same emulated part, counted the same way: name, whether it blinds, whether it checks what
/// it signs, millions of instructions, stack and heap in KB.
const OTHERS: &str = "\
wolfSSL 5.7.2, Cortex-M assembly        no      no            16.2   10.6 / 0 KB
mbedTLS 2.28.3                         yes     yes            47.8   0.8 / 6.7 KB
mbedTLS 3.6.6                          yes     yes            55.0   0.6 / 7.0 KB
BearSSL 0.6 i31                         no      no            55.0   2.5 / 0 KB
crypto-bigint 0.7.10, CRT              yes     yes            69.2   15.3 / 0 KB
rsa 0.10.0-rc.20                       yes     yes            72.1   10.7 / 6.4 KB";

/// Which inner loops an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernels {
    /// Safe Rust.
    Portable,
    /// Assembly around UMAAL.
    Umaal,
}

impl Kernels {
    pub(super) const ALL: [Self; 2] = [Self::Portable, Self::Umaal];

    /// The feature that chooses it.
    pub(super) fn feature(self) -> Option<&'static str> {
        match self {
            Self::Portable => None,
            Self::Umaal => Some("umaal"),
        }
    }

    fn name(self) -> &'static str {
        self.feature().unwrap_or("portable")
    }
}

/// The lines of one image: `word key=value ...`.
#[derive(Debug)]
pub(super) struct Report {
    kernels: Kernels,
    signatures: Vec<BTreeMap<String, String>>,
    /// Everything else that is counted, once per key, by name.
    parts: Vec<(String, Vec<u64>)>,
    /// Bytes of stack, of signatures and of new blindings: one in 64 signatures needs one.
    stacks: Vec<u64>,
    /// Whether assembly and portable kernels gave the same results, where that was asked.
    agreement: Option<bool>,
}

impl Report {
    /// Reads all lines; an image that did not come to its end is a failure.
    pub(super) fn read(kernels: Kernels, text: &str) -> Result<Self, Failure> {
        let mut report = Self {
            kernels,
            signatures: Vec::new(),
            parts: Vec::new(),
            stacks: Vec::new(),
            agreement: None,
        };
        let first = format!("kernels {}", kernels.name());
        if text.lines().next() != Some(&first) || text.lines().last() != Some("done") {
            return fail!("the image should say `{first}` to `done`, and says:\n{text}");
        }
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let kind = words.next().unwrap_or_default();
            let values: BTreeMap<String, String> = words
                .filter_map(|word| word.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            if kind == "signature" || values.contains_key("stack") {
                report.stacks.push(number(&values, "stack"));
            }
            match kind {
                "signature" => report.signatures.push(values),
                "phase" | "other" => report.add_part(&values),
                "agreement" => report.agreement = Some(number(&values, "agree") == 1),
                _ => {}
            }
        }
        Ok(report)
    }

    fn add_part(&mut self, values: &BTreeMap<String, String>) {
        let name = values.get("name").cloned().unwrap_or_default();
        let count = number(values, "instructions");
        match self.parts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, counts)) => counts.push(count),
            None => self.parts.push((name, vec![count])),
        }
    }

    /// Every rule that the numbers break, in words.
    pub(super) fn broken_rules(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut rule = |holds: bool, what: String| {
            if !holds {
                broken.push(format!("{}: {what}", self.kernels.name()));
            }
        };
        let all_are = |name, value| {
            let found = self.all(name);
            (found.iter().all(|it| *it == value), found)
        };
        let made = self.signatures.len();
        rule(
            made == SIGNATURES,
            format!("{made} signatures, not {SIGNATURES}"),
        );
        let counts = self.all("instructions");
        rule(
            is_constant(&counts),
            format!("signatures differ: {counts:?}"),
        );
        for (name, counts) in &self.parts {
            rule(
                is_constant(counts),
                format!("{name} differs between keys: {counts:?}"),
            );
        }
        let (holds, found) = all_are("genuine", 1);
        rule(
            holds,
            format!("signatures that are not the judge's (0): {found:?}"),
        );
        let (holds, found) = all_are("left", 0);
        rule(
            holds,
            format!("words of the key left on the stack: {found:?}"),
        );
        let stack = self.stack();
        rule(
            stack < STACK,
            format!("{stack} bytes of stack, limit {STACK}"),
        );
        if self.kernels == Kernels::Umaal {
            let most = counts.iter().copied().max().unwrap_or(u64::MAX);
            rule(
                most <= MOST_INSTRUCTIONS,
                format!("{most} instructions, limit {MOST_INSTRUCTIONS}"),
            );
            let agree = self.agreement == Some(true);
            rule(
                agree,
                "the assembly does not agree with the portable kernels".to_owned(),
            );
        }
        broken
    }

    /// The deepest.
    fn stack(&self) -> u64 {
        self.stacks.iter().copied().max().unwrap_or(u64::MAX)
    }

    fn all(&self, name: &str) -> Vec<u64> {
        self.signatures.iter().map(|s| number(s, name)).collect()
    }
}

/// A value as a number; what is not one is the number that no rule accepts.
fn number(values: &BTreeMap<String, String>, name: &str) -> u64 {
    let value = values.get(name).and_then(|value| value.parse().ok());
    value.unwrap_or(u64::MAX)
}

fn is_constant(counts: &[u64]) -> bool {
    counts.windows(2).all(|pair| pair[0] == pair[1]) && !counts.contains(&u64::MAX)
}

/// The numbers of both images, and others' beside them.
pub(super) fn print(reports: &[Report]) {
    println!("\nRSA-2048, PKCS#1 v1.5 with SHA-256, Cortex-M4F");
    println!(
        "{:<34} {:>7} {:>7} {:>15}   stack / heap",
        "", "blinded", "checked", "M instructions"
    );
    println!("{OTHERS}");
    for report in reports {
        let name = format!("this engine, {} kernels", report.kernels.name());
        let count = report.all("instructions").first().map_or(0, |c| *c);
        let stack = report.stack();
        println!(
            "{name:<34} {:>7} {:>7} {:>15}   {stack} / 0 bytes",
            "yes",
            "yes",
            millions(count)
        );
        for (part, counts) in &report.parts {
            let count = counts.first().map_or(0, |c| *c);
            println!("  {part:<48} {:>15}", millions(count));
        }
    }
}

/// `10_015_662` as `10.016`.
fn millions(count: u64) -> String {
    let thousands = count.saturating_add(500) / 1000;
    format!("{}.{:03}", thousands / 1000, thousands % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an image without fault prints, with one text replaced by another.
    fn broken(from: &str, to: &str) -> Vec<String> {
        let signature = |number: usize| {
            let (key, message) = (number / 4, number % 4);
            let found = "instructions=10000000 stack=3800 left=0 genuine=1";
            format!("signature key={key} message={message} {found}")
        };
        let import = |key: usize| format!("other key={key} name=import instructions=5 stack=3700");
        let lines: Vec<String> = ["kernels umaal", "agreement rounds=50 agree=1"]
            .map(str::to_owned)
            .into_iter()
            .chain((0..12).map(signature))
            .chain((0..3).map(import))
            .chain(["done".to_owned()])
            .collect();
        let text = lines.join("\n");
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        Report::read(Kernels::Umaal, &text)
            .expect("complete")
            .broken_rules()
    }

    #[test]
    fn an_image_without_fault_breaks_no_rule() {
        assert_eq!(broken("done", "done"), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found() {
        let cases = [
            (
                "instructions=10000000",
                "instructions=10000001",
                "signatures differ",
            ),
            (
                "key=2 name=import instructions=5",
                "key=2 name=import instructions=6",
                "import differs",
            ),
            ("genuine=1", "genuine=0", "not the judge's"),
            ("left=0", "left=1", "left on the stack"),
            ("stack=3800", "stack=5120", "bytes of stack"),
            ("stack=3700", "stack=5120", "bytes of stack"),
            ("agree=1", "agree=0", "does not agree"),
            ("agreement rounds", "nothing rounds", "does not agree"),
            ("signature key=1", "nothing key=1", "11 signatures"),
            (
                "instructions=10000000",
                "instructions=12000001",
                "limit 12000000",
            ),
            ("instructions=10000000", "instructions=none", "differ"),
        ];
        for (from, to, expected) in cases {
            let rules = broken(from, to).join("\n");
            assert!(rules.contains(expected), "{to}: {rules}");
        }
    }

    #[test]
    fn an_image_that_stops_early_is_a_failure() {
        assert!(Report::read(Kernels::Portable, "kernels portable\nhard fault\n").is_err());
        assert!(Report::read(Kernels::Portable, "kernels umaal\ndone\n").is_err());
    }
}
