//! The receiver view: what receivers that exist would do with a token, read from their source code.
//!
//! A receiver is a table of demands; one engine judges them. A receiver demands less than its scheme in
//! most points and something else in some: a token can obey the scheme and still be refused.

mod demand;
mod table;

use heapless::Vec;

use super::CheckOptions;
use super::facts::Facts;
use super::report::Report;
use super::rule::RuleId;
use super::verdict::{Reason, Verdict};
use privyseal_core::scheme::KeyReference;

pub use demand::Demand;
pub use table::ALL;

/// The most receivers that one token may meet.
pub const MAX_RECEIVERS: usize = ALL.len();

/// The most demands of one receiver.
pub const MAX_DEMANDS: usize = 12;

/// Software that receives tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name.
    pub name: &'static str,
    /// The tokens it may meet: those of schemes that name a key in this way.
    pub reads: KeyReference,
    /// What it demands.
    pub demands: &'static [Demand],
}

/// What one receiver would do.
#[derive(Clone, Debug)]
pub struct Opinion {
    /// Who.
    pub receiver: &'static Receiver,
    /// Each demand and whether it is met.
    pub outcomes: Vec<(Demand, Verdict), MAX_DEMANDS>,
}

impl Opinion {
    /// The demands that are not met: why the receiver would refuse.
    pub fn refusals(&self) -> impl Iterator<Item = &(Demand, Verdict)> {
        self.outcomes
            .iter()
            .filter(|(_, verdict)| matches!(verdict, Verdict::Broken(_)))
    }

    /// Whether the receiver would refuse.
    pub fn refuses(&self) -> bool {
        self.refusals().next().is_some()
    }
}

/// Asks every receiver that the scheme's tokens may meet.
pub(super) fn judge(facts: &Facts<'_>, question: &CheckOptions<'_>, report: &mut Report) {
    let Some(scheme) = report
        .scheme
        .filter(|_| facts.header.is_ok() && facts.claims.is_ok())
    else {
        return;
    };
    if report.kind != super::Kind::Assertion {
        return;
    }
    for receiver in ALL
        .iter()
        .filter(|receiver| receiver.reads == scheme.key_reference().value())
    {
        let mut outcomes = Vec::new();
        for &demand in receiver.demands {
            let verdict = match demand {
                Demand::Signature => judged(report, RuleId::Signature),
                Demand::KidKnown => judged(report, RuleId::KeyKnown),
                demand => demand.judge(facts, question),
            };
            let _ = outcomes.push((demand, verdict));
        }
        report.add(Opinion { receiver, outcomes });
    }
}

/// The spec view has judged it already.
fn judged(report: &Report, rule: RuleId) -> Verdict {
    report
        .verdict(rule)
        .unwrap_or(Verdict::NotChecked(Reason::Needs(rule)))
}
