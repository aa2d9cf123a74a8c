//! What the counting image prints, as numbers, and the rules that they must obey.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Signatures that the image makes of each size: four keys, one of them with the largest and the smallest prime, and four
/// messages.
const SIGNATURES: usize = 16;

/// What the numbers of one size may be.
#[derive(Debug)]
struct Limits {
    bits: u64,
    /// Instructions of a signature with the assembly kernels, at most.
    signature: u64,
    /// Instructions of generating a key with them, on average.
    generation: u64,
    /// Bytes of stack of a signature, less than.
    stack: u64,
    /// Bytes of stack of a step of a generation, less than.
    depth: u64,
}

const LIMITS: [Limits; 3] = [
    Limits::new(2048, 10_100_000, 600_000_000, [5, 6]),
    Limits::new(3072, 34_000_000, 2_500_000_000, [7, 9]),
    Limits::new(4096, 80_000_000, 8_000_000_000, [9, 12]),
];

impl Limits {
    /// The stack in KiB, of a signature and of a generation's step.
    const fn new(bits: u64, signature: u64, generation: u64, stack: [u64; 2]) -> Self {
        Self {
            bits,
            signature,
            generation,
            stack: stack[0] * 1024,
            depth: stack[1] * 1024,
        }
    }
}

/// Others on the same emulated part (mps2-an386 in QEMU), counted the same way by us on 2026-11-22, with programs that are
/// not kept: not in this run. Name, whether it blinds, whether it checks what
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

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Umaal => "umaal",
        }
    }
}

/// The lines of one image: `word key=value ...`.
#[derive(Debug)]
pub(super) struct Report {
    kernels: Kernels,
    sizes: [Size; LIMITS.len()],
    /// Whether assembly and portable kernels gave the same results, where that was asked.
    agreement: Option<bool>,
}

/// What an image says of one size.
#[derive(Debug)]
struct Size {
    limits: &'static Limits,
    signatures: Vec<Values>,
    /// Everything else that is counted, once per key, by name.
    parts: Vec<(String, Vec<u64>)>,
    /// Bytes of stack, of signatures and of new blindings: one in 64 signatures needs one.
    stacks: Vec<u64>,
    /// Of 65 signatures, the one that draws a new blinding, and what the others take.
    redrawn: Vec<Values>,
    /// Generations whose first candidates are the primes of a key.
    planted: Vec<Values>,
    /// Instructions of each generated key.
    generated: Vec<u64>,
}

type Values = BTreeMap<String, String>;

impl Report {
    /// Reads all lines; an image that did not come to its end is a failure.
    pub(super) fn read(kernels: Kernels, text: &str) -> Result<Self, String> {
        let mut report = Self {
            kernels,
            sizes: LIMITS.each_ref().map(|limits| Size {
                limits,
                signatures: Vec::new(),
                parts: Vec::new(),
                stacks: Vec::new(),
                redrawn: Vec::new(),
                planted: Vec::new(),
                generated: Vec::new(),
            }),
            agreement: None,
        };
        let first = format!("kernels {}", kernels.name());
        if text.lines().next() != Some(&first) || text.lines().last() != Some("done") {
            return Err(format!(
                "the image should say `{first}` to `done`, and says:\n{text}"
            ));
        }
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let kind = words.next().unwrap_or_default();
            let values: Values = words
                .filter_map(|word| word.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            if kind == "agreement" {
                report.agreement = Some(number(&values, "agree") == 1);
            }
            let bits = number(&values, "bits");
            if let Some(size) = report.sizes.iter_mut().find(|s| s.limits.bits == bits) {
                size.add(kind, values);
            }
        }
        Ok(report)
    }

    /// Every rule that the numbers break, in words.
    pub(super) fn broken_rules(&self) -> Vec<String> {
        let assembly = self.kernels == Kernels::Umaal;
        let mut broken: Vec<_> = self
            .sizes
            .iter()
            .flat_map(|size| {
                let broken = size.broken_rules(assembly).into_iter();
                broken.map(|what| {
                    format!("{}: RSA-{}: {what}", self.kernels.name(), size.limits.bits)
                })
            })
            .collect();
        if assembly && self.agreement != Some(true) {
            broken.push("umaal: the assembly does not agree with the portable kernels".to_owned());
        }
        broken
    }
}

impl Size {
    fn add(&mut self, kind: &str, values: Values) {
        if kind == "signature" || values.contains_key("stack") {
            self.stacks.push(number(&values, "stack"));
        }
        match kind {
            "signature" => self.signatures.push(values),
            "planted" => self.planted.push(values),
            "generated" => self.generated.push(number(&values, "instructions")),
            "phase" | "other" | "kept" | "redrawn" => {
                if kind == "redrawn" {
                    self.redrawn.push(values.clone());
                }
                let name = values.get("name").cloned().unwrap_or_default();
                let count = number(&values, "instructions");
                match self.parts.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, counts)) => counts.push(count),
                    None => self.parts.push((name, vec![count])),
                }
            }
            _ => {}
        }
    }

    /// Every rule that the numbers break, in words.
    fn broken_rules(&self, assembly: bool) -> Vec<String> {
        let mut broken = Vec::new();
        let mut rule = |holds: bool, what: String| {
            if !holds {
                broken.push(what);
            }
        };
        let made = self.signatures.len();
        rule(
            made == SIGNATURES,
            format!("{made} signatures, not {SIGNATURES}"),
        );
        let counts = all(&self.signatures, "instructions");
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
        if self.limits.bits == 2048 {
            let [others, rest] = ["others", "rest"].map(|name| all(&self.redrawn, name));
            rule(
                rest == [64; 2] && is_constant(&others),
                format!("of 65 signatures not 64 alike: {:?}", self.redrawn),
            );
        }
        let planted = self.planted.len();
        rule(planted == 3, format!("{planted} planted keys, not 3"));
        for (values, what) in [
            (&self.signatures, "signature"),
            (&self.planted, "generation"),
        ] {
            let genuine = all(values, "genuine");
            rule(
                genuine.iter().all(|g| *g == 1),
                format!("{what}: not the judge's (0): {genuine:?}"),
            );
            let left = all(values, "left");
            rule(
                left.iter().all(|l| *l == 0),
                format!("{what}: words of the key left on the stack: {left:?}"),
            );
        }
        let most = |name, found: Option<u64>, limit| {
            let found = found.unwrap_or(u64::MAX);
            (found <= limit, format!("{name}: {found}, limit {limit}"))
        };
        let limits = self.limits;
        let depth = all(&self.planted, "depth").into_iter().max();
        let mut limited = vec![
            most("bytes of stack", self.stack(), limits.stack),
            most("bytes of stack of a generation", depth, limits.depth),
        ];
        if assembly {
            let signature = counts.iter().copied().max();
            limited.push(most("instructions", signature, limits.signature));
        }
        if let Some(mean) = self.mean_generation() {
            let what = "instructions of a generation";
            limited.push(most(what, Some(mean), limits.generation));
        }
        for (holds, what) in limited {
            rule(holds, what);
        }
        broken
    }

    /// The deepest.
    fn stack(&self) -> Option<u64> {
        self.stacks.iter().copied().max()
    }

    fn mean_generation(&self) -> Option<u64> {
        let keys = u64::try_from(self.generated.len()).unwrap_or(u64::MAX);
        self.generated.iter().sum::<u64>().checked_div(keys)
    }
}

fn all(values: &[Values], name: &str) -> Vec<u64> {
    values.iter().map(|values| number(values, name)).collect()
}

/// A value as a number; what is not one is the number that no rule accepts.
fn number(values: &Values, name: &str) -> u64 {
    let value = values.get(name).and_then(|value| value.parse().ok());
    value.unwrap_or(u64::MAX)
}

fn is_constant(counts: &[u64]) -> bool {
    counts.windows(2).all(|pair| pair[0] == pair[1]) && !counts.contains(&u64::MAX)
}

/// The numbers of both images, and others' beside them.
pub(super) fn shown(reports: &[Report]) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a string");
    line(
        "PKCS#1 v1.5 with SHA-256, Cortex-M4F; others with RSA-2048, counted on 2026-11-22"
            .to_owned(),
    );
    line(format!(
        "{:<34} {:>7} {:>7} {:>15}   stack / heap",
        "", "blinded", "checked", "M instructions"
    ));
    line(OTHERS.to_owned());
    for (report, size) in reports
        .iter()
        .flat_map(|report| report.sizes.iter().map(move |size| (report, size)))
    {
        let (kernels, bits) = (report.kernels.name(), size.limits.bits);
        let name = format!("this engine, RSA-{bits}, {kernels}");
        let count = all(&size.signatures, "instructions")
            .first()
            .map_or(0, |c| *c);
        line(format!(
            "{name:<34} {:>7} {:>7} {:>15}   {} / 0 bytes",
            "yes",
            "yes",
            millions(count),
            size.stack().unwrap_or(0)
        ));
        for (part, counts) in &size.parts {
            let count = counts.first().map_or(0, |c| *c);
            line(format!("  {part:<48} {:>15}", millions(count)));
        }
        if let Some(mean) = size.mean_generation() {
            let name = format!("generation, mean of {}", size.generated.len());
            line(format!("  {name:<48} {:>15}", millions(mean)));
        }
    }
    text
}

/// `10_015_662` as `10.016`.
fn millions(count: u64) -> String {
    let thousands = count.saturating_add(500) / 1000;
    format!("{}.{:03}", thousands / 1000, thousands % 1000)
}

#[cfg(test)]
mod tests;
