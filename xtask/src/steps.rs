//! Runs steps to the end whatever fails, and fails once with the list.

use std::time::Instant;

use crate::failure::{Failure, fail};

/// The steps of one command: each with its time and how it ended.
#[derive(Default)]
pub(crate) struct Steps {
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Steps {
    /// Runs one step under a heading; a failure is kept for the end.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<(), Failure>) {
        println!("\n==> {name}");
        let started = Instant::now();
        let outcome = work();
        let seconds = started.elapsed().as_secs_f32();
        let mark = if outcome.is_ok() { "ok    " } else { "FAILED" };
        self.lines.push(format!("{mark} {seconds:>7.1} s  {name}"));
        if let Err(failure) = outcome {
            println!("{failure}");
            self.failed.push(format!("{name}: {failure}"));
        }
    }

    /// Prints all steps with their times; fails if one of them did.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        println!("\n==> summary");
        for line in &self.lines {
            println!("{line}");
        }
        if self.failed.is_empty() {
            return Ok(());
        }
        let list = self.failed.join("\n- ");
        fail!(
            "{} of {} steps\n- {list}",
            self.failed.len(),
            self.lines.len()
        )
    }
}
