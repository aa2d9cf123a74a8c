//! What test programs print at their end, added up.

/// Sums over the result lines of all test programs, and what those that failed said about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: usize,
    failed: usize,
    pub(super) ignored: usize,
    /// From `failures:` to the result line, of each program that failed.
    failures: Vec<String>,
    in_failures: bool,
}

impl Count {
    /// Reads a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    pub(super) fn add(&mut self, line: &str) {
        let result = line.split_once("test result: ");
        self.in_failures = result.is_none() && (self.in_failures || line == "failures:");
        if self.in_failures {
            self.failures.push(line.to_owned());
        }
        let Some((_, counts)) = result.and_then(|(_, rest)| rest.split_once(". ")) else {
            return;
        };
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored") => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Prints the sums, after what the failures said: thousands of lines may have come since.
    pub(super) fn show(&self) {
        if !self.failures.is_empty() {
            println!("\n==> the tests that failed, once more");
            for line in &self.failures {
                println!("{line}");
            }
        }
        println!(
            "\n{} passed, {} failed, {} ignored",
            self.passed, self.failed, self.ignored
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn result_lines_are_summed_and_failures_kept() {
        let mut count = Count::default();
        let printed = "test a::b ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s\n\
            test a::c ... FAILED\n\
            failures:\n\
            ---- a::c stdout ----\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n\
            running 0 tests";
        printed.lines().for_each(|line| count.add(line));
        let expected = Count {
            passed: 15,
            failed: 2,
            ignored: 1,
            failures: vec!["failures:".into(), "---- a::c stdout ----".into()],
            in_failures: false,
        };
        assert_eq!(count, expected);
    }
}
