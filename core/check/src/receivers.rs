//! The receiver view: what receivers that exist would do with a token, read from their source code.
//!
//! A receiver is a table of demands; one engine judges them. A receiver demands less than its scheme in
//! most points and something else in some: a token can obey the scheme and still be refused.

mod demand;
mod table;

use heapless::Vec;

use super::CheckOptions;
use super::facts::Facts;
use super::rule::RuleId;
use super::verdict::Verdict;
use privyseal_core::scheme::{KeyReference, SchemeRules};

pub use demand::Demand;
pub use table::ALL;

/// The most demands of one receiver.
const MAX_DEMANDS: usize = 12;

/// What each receiver says that a token may meet.
pub(super) type Opinions = Vec<Opinion, { ALL.len() }>;

/// Software that receives tokens.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
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

/// Asks every receiver that an assertion of the scheme may meet. `judged` says how a rule of the spec view came out.
pub(super) fn judge(
    facts: &Facts<'_>,
    question: &CheckOptions<'_>,
    scheme: &SchemeRules,
    judged: impl Fn(RuleId) -> Verdict,
) -> Opinions {
    let (Ok(header), Ok(claims)) = (&facts.header, &facts.claims) else {
        return Opinions::new();
    };
    let meets = |receiver: &&Receiver| receiver.reads == scheme.key_reference().value();
    let opinion = |receiver: &'static Receiver| {
        let outcomes = receiver.demands.iter().map(|&demand| {
            let verdict = match demand {
                Demand::Signature => judged(RuleId::Signature),
                Demand::KidKnown => judged(RuleId::KeyKnown),
                demand => demand.judge(header, claims, question),
            };
            (demand, verdict)
        });
        Opinion {
            receiver,
            outcomes: outcomes.take(MAX_DEMANDS).collect(),
        }
    };
    ALL.iter().filter(meets).map(opinion).collect()
}
