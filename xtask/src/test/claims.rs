//! `docs/claims.md`: each promise, and the tests that fail when it breaks. That they exist and ran is checked here.

use std::collections::BTreeSet;
use std::fs;

use crate::failure::{Context, Failure, fail};
use crate::paths;

/// Fails unless every promise names a proof, and every test that it names has passed. Proofs that are commands
/// (`cargo xtask ..`) are steps of this run or of lint.
pub(super) fn check(passed: &BTreeSet<String>) -> Result<(), Failure> {
    let path = paths::root().join("docs/claims.md");
    let text = fs::read_to_string(&path).context(paths::shown(&path))?;
    let (claims, wrong) = judge(&text, passed);
    println!("{claims} claims");
    if claims == 0 || !wrong.is_empty() {
        return fail!("docs/claims.md, {claims} claims:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// How many rows the tables have, and what is wrong with them.
fn judge(text: &str, passed: &BTreeSet<String>) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| {
            line.starts_with('|') && !line.starts_with("|---") && !line.starts_with("| promise")
        })
        .collect();
    for row in &rows {
        let [_, claim, proofs, _] = row.split('|').collect::<Vec<_>>()[..] else {
            wrong.push(format!("not a row of two columns: {row}"));
            continue;
        };
        // What stands between backquotes.
        let names: Vec<&str> = proofs.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            wrong.push(format!("no proof:{claim}"));
        }
        let tests = names
            .into_iter()
            .filter(|name| !name.starts_with("cargo xtask "));
        for test in tests.filter(|name| !passed.iter().any(|it| is_named(it, name))) {
            wrong.push(format!(
                "{test}: did not pass, or did not run; it proves:{claim}"
            ));
        }
    }
    (rows.len(), wrong)
}

/// Whether a test, with the modules that it lies in, is the one that is meant by its last names.
fn is_named(test: &str, name: &str) -> bool {
    test.strip_suffix(name)
        .is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_without_a_proof_that_ran_is_found() {
        let passed = ["a::tests::works".to_owned(), "b".to_owned()].into();
        let head = "| promise | proof |\n|---|---|\n";
        let judged = |row: &str| judge(&format!("{head}{row}\n"), &passed).1.len();
        assert_eq!(judged("| it works | `works`, `tests::works`, `b` |"), 0);
        assert_eq!(judged("| it works | `cargo xtask lint` |"), 0);
        assert_eq!(judged("| it works | |"), 1);
        assert_eq!(judged("| it works | `orks` |"), 1);
        assert_eq!(judged("| it works | `works`, `gone` |"), 1);
        assert_eq!(judged("| it works |"), 1);
    }
}
