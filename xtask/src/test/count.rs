//! What test programs print, added up.
//!
//! Our own and not cargo-nextest: it starts a process for each test, and tests here share what takes long to make (a
//! Keycloak, keys, certificates) within a process; it leaves out the examples in the documentation; and a fresh machine
//! would have to build it first.

use std::collections::BTreeSet;

use crate::failure::{Failure, fail};

/// How many of the slowest test programs are named.
const SLOWEST: usize = 10;

/// Sums over the result lines of all test programs, and what those that failed said about it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Count {
    passed: usize,
    failed: usize,
    ignored: usize,
    /// From `failures:` to the result line, of each program that failed.
    failures: Vec<String>,
    in_failures: bool,
    /// The program that runs, and how many tests it said it would run, until it says how they ended.
    program: String,
    announced: Option<usize>,
    /// Programs that ended without a result, or with fewer than they had announced.
    unfinished: Vec<String>,
    /// Seconds of each program.
    times: Vec<(f32, String)>,
    /// Names of the tests that passed.
    pub(super) names: BTreeSet<String>,
}

impl Count {
    /// Reads a line of cargo (`Running tests/a.rs (..)`, `Doc-tests a`) or of a test program (`running 4 tests`,
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; ..; finished in 0.02s`).
    pub(super) fn add(&mut self, line: &str) {
        if let Some((_, result)) = line.split_once("test result: ") {
            self.in_failures = false;
            return self.add_result(result);
        }
        self.in_failures |= line == "failures:";
        if self.in_failures {
            self.failures.push(line.to_owned());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["Running", .., program, _] | ["Doc-tests", program] if line.starts_with(' ') => {
                self.end_program();
                program.clone_into(&mut self.program);
            }
            ["running", number, "test" | "tests"] if !self.in_failures => {
                self.end_program();
                self.announced = number.parse().ok();
            }
            ["test", name, "...", "ok"] => {
                self.names.insert(name.to_owned());
            }
            _ => {}
        }
    }

    fn add_result(&mut self, result: &str) {
        let mut ended = 0;
        for part in result.split(['.', ';']).map(str::trim) {
            if let Some(seconds) = part.strip_prefix("finished in ") {
                // "1.50s" was cut at its point.
                let whole = result.rsplit("finished in ").next().unwrap_or(seconds);
                let seconds = whole.trim_end_matches('s').parse().unwrap_or(0.0);
                self.times.push((seconds, self.program.clone()));
            }
            let (number, what) = part.split_once(' ').unwrap_or_default();
            let sum = match what {
                "passed" => &mut self.passed,
                "failed" => &mut self.failed,
                "ignored" => &mut self.ignored,
                _ => continue,
            };
            let number = number.parse().unwrap_or(0);
            *sum += number;
            ended += number;
        }
        if self.announced.is_some_and(|announced| announced == ended) {
            self.announced = None;
        }
        self.end_program();
    }

    /// What was announced and did not end is kept.
    fn end_program(&mut self) {
        if let Some(announced) = self.announced.take() {
            let program = &self.program;
            self.unfinished.push(format!(
                "{program}: running {announced} tests, without their results"
            ));
        }
    }

    /// Prints the sums, after the slowest programs and what the failures said: thousands of lines may have come since.
    /// Fails unless every test ran.
    pub(super) fn judge(&mut self) -> Result<(), Failure> {
        self.end_program();
        self.times.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (seconds, program) in self.times.iter().take(SLOWEST) {
            println!("slow   {seconds:>7.1} s  {program}");
        }
        if !self.failures.is_empty() {
            println!("the tests that failed, again");
            println!("{}", self.failures.join("\n"));
        }
        let Self {
            passed,
            failed,
            ignored,
            ..
        } = *self;
        println!("{passed} passed, {failed} failed, {ignored} ignored");
        if !self.unfinished.is_empty() {
            return fail!("{}", self.unfinished.join("\n"));
        }
        if passed == 0 || failed > 0 {
            return fail!("{passed} tests passed, {failed} failed");
        }
        if ignored > 0 {
            return fail!("{ignored} tests are ignored: have them run, or remove them");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    fn counted(printed: &str) -> Count {
        let mut count = Count::default();
        printed.lines().for_each(|line| count.add(line));
        count
    }

    #[test]
    fn result_lines_are_summed_and_failures_kept() {
        let mut count = counted(
            "     Running unittests src/lib.rs (target/debug/deps/a-1)\n\
             running 13 tests\n\
             test a::b ... ok\n\
             test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s\n\
             \x20    Running tests/c.rs (target/debug/deps/c-1)\n\
             running 5 tests\n\
             test a::c ... FAILED\n\
             failures:\n\
             ---- a::c stdout ----\n\
             running 4 tests\n\
             test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s",
        );
        let expected = Count {
            passed: 15,
            failed: 2,
            ignored: 1,
            failures: ["failures:", "---- a::c stdout ----", "running 4 tests"]
                .map(str::to_owned)
                .into(),
            program: "tests/c.rs".to_owned(),
            times: vec![
                (0.02, "src/lib.rs".to_owned()),
                (1.5, "tests/c.rs".to_owned()),
            ],
            names: ["a::b".to_owned()].into(),
            ..Count::default()
        };
        assert_eq!(count, expected);
        assert!(count.judge().is_err());
    }

    #[test]
    fn only_a_run_of_every_test_passes() {
        let good =
            "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored; finished in 0.00s\n";
        counted(good).judge().expect("all ran");
        for (bad, expected) in [
            (
                "running 35 tests\ntest a ... ok\n",
                "running 35 tests, without",
            ),
            (
                "running 35 tests\n     Running tests/b.rs (x)\n",
                "running 35 tests, without",
            ),
            (
                "running 2 tests\ntest result: ok. 1 passed; finished in 0.1s\n",
                "running 2 tests, without",
            ),
            (
                "running 1 test\ntest result: ok. 0 passed; 0 failed; 1 ignored; finished in 0.1s\n",
                "1 tests are ignored",
            ),
        ] {
            for text in [format!("{good}{bad}"), format!("{bad}{good}")] {
                let failure = counted(&text).judge().expect_err(bad).to_string();
                assert!(failure.contains(expected), "{failure}");
            }
        }
        let failure = counted("running 0 tests\n")
            .judge()
            .expect_err("nothing ran");
        assert!(failure.to_string().contains("running 0 tests"), "{failure}");
    }
}
