//! How the cells ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::matrix::Cell;

/// How a cell ends whose function is not called.
pub(crate) const NOT_REACHED: &str = "not reached";

#[derive(Default)]
pub(crate) struct Report(Mutex<Endings>);

#[derive(Default)]
struct Endings {
    counts: BTreeMap<String, usize>,
    failed: Vec<String>,
    not_reached: BTreeMap<String, usize>,
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
            let place = format!("{} {:?}", cell.function, cell.phase);
            *endings.not_reached.entry(place).or_default() += 1;
        }
        *endings.counts.entry(kind.into()).or_default() += 1;
        endings.failed.extend(failed);
    }

    /// Prints how many cells ran, and fails if one did not do as it must, or did not run.
    pub(crate) fn finish(self, expected: usize) {
        let endings = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ran: usize = endings.counts.values().sum();
        println!(
            "fault matrix: {ran} of {expected} cells ran: {:?}",
            endings.counts
        );
        println!(
            "not reached, because nobody calls it then, or asks for what it would have answered wrong: {:?}",
            endings.not_reached
        );
        assert!(
            endings.failed.is_empty(),
            "{} of {ran} cells failed:\n{}",
            endings.failed.len(),
            endings.failed.join("\n")
        );
        assert_eq!(ran, expected, "every cell must run");
    }
}
