//! How the cells ended.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::sync::{Mutex, PoisonError};

use privyseal_test_suite::target::Kind;

use crate::matrix::{Cell, Phase};

/// How a cell ends whose function is not called.
pub(crate) const NOT_REACHED: &str = "not reached";

#[derive(Default)]
pub(crate) struct Report(Mutex<Endings>);

/// How many cells of a place: a key, a function, whether it is the login for use, a time.
type Places = BTreeMap<(Kind, &'static str, bool, Phase), usize>;

#[derive(Default)]
struct Endings {
    counts: BTreeMap<String, usize>,
    failed: Vec<String>,
    not_reached: Places,
}

impl Report {
    /// `ending` is what a child told, or `FAILED` and a reason.
    pub(crate) fn add(&self, cell: &Cell, ending: &str) {
        let mut endings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kind, failed) = match ending.strip_prefix("FAILED ") {
            Some(reason) => ("failed", Some(format!("{cell}\n    {reason}"))),
            None => (ending, None),
        };
        if kind == NOT_REACHED {
            *endings.not_reached.entry(cell.place()).or_default() += 1;
        }
        *endings.counts.entry(kind.into()).or_default() += 1;
        endings.failed.extend(failed);
    }

    /// Shows how many cells ran, and fails if one did not do as it must, or did not run. Of a throw-away
    /// token it is known which functions are not called; of yours it is shown.
    pub(crate) fn finish(self, token: &str, expected: usize, yours: bool) {
        let endings = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ran: usize = endings.counts.values().sum();
        show(&format!(
            "fault matrix, {token}: {ran} of {expected} cells ran: {:?}",
            endings.counts
        ));
        assert!(
            endings.failed.is_empty(),
            "{token}: {} of {ran} cells failed:\n{}",
            endings.failed.len(),
            endings.failed.join("\n")
        );
        assert_eq!(ran, expected, "{token}: every cell must run");
        if yours {
            show(&format!("not reached: {:?}", endings.not_reached));
        } else {
            assert_eq!(endings.not_reached, not_called(), "{token}: not reached");
        }
    }
}

/// Mechanisms are looked at when a key is opened, and not when it is healed, and nothing is finalized before: all
/// their faults.
fn not_called() -> Places {
    let functions = ["C_GetMechanismList", "C_GetMechanismInfo"];
    let phases = [Phase::Middle, Phase::AfterHeal];
    let places = functions
        .into_iter()
        .flat_map(|function| phases.map(|phase| ((Kind::Plain, function, false, phase), 21)));
    places
        .chain([((Kind::Plain, "C_Finalize", false, Phase::First), 20)])
        .collect()
}

/// Past what holds back the output of tests that pass.
fn show(line: &str) {
    writeln!(stdout(), "{line}").expect("a standard output");
}
