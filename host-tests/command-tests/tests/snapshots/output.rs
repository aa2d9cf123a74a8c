//! Output that arrives or fails: full and closed streams, each with its documented code and no panic.

use std::process::Command;

use privyseal_test_base::privyseal;
use privyseal_test_base::terminal::Terminal;
use privyseal_test_base::tool::command;

/// The exit code of a shell's line, in which `privyseal` is the command.
fn code(line: &str) -> Option<i32> {
    let line = line.replace("privyseal", &privyseal::path().display().to_string());
    let run = Command::new("sh").args(["-c", &line]).output();
    run.expect("a shell").status.code()
}

#[test]
fn a_result_that_cannot_be_written_has_its_own_code() {
    for words in ["completions bash", "--version", "sign --help"] {
        for end in [">/dev/full", ">&-", ">&- <&-"] {
            assert_eq!(code(&format!("privyseal {words} {end}")), Some(6), "{end}");
        }
        // What somebody does not want to see arrives.
        let unseen = format!("privyseal {words} 1<>/dev/null");
        assert_eq!(code(&unseen), Some(0));
    }
}

#[test]
fn messages_that_cannot_be_written_change_no_code() {
    for end in ["2>/dev/full", "2>&-"] {
        assert_eq!(code(&format!("privyseal sign {end}")), Some(2), "{end}");
        let no_file = format!("privyseal chain --chain /nonexistent {end}");
        assert_eq!(code(&no_file), Some(2), "{end}");
        assert_eq!(
            code(&format!("privyseal --version {end}")),
            Some(0),
            "{end}"
        );
    }
}

#[test]
fn a_report_that_cannot_be_written_as_html_has_the_code_of_results() {
    assert_eq!(
        code("privyseal check x --html /nonexistent/report.html 2>&1 | grep -q /nonexistent"),
        Some(0)
    );
    assert_eq!(
        code("privyseal check x --html /nonexistent/report.html"),
        Some(6)
    );
}

/// A full disk is played by a limit on the size of files.
#[test]
fn a_report_that_cannot_be_written_as_html_leaves_the_old_one_and_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let check = format!("privyseal check x --html {}", report.display());
    code(&check);
    let old = std::fs::read_to_string(&report).unwrap() + "old";
    std::fs::write(&report, &old).unwrap();
    let full = format!("trap '' XFSZ; ulimit -f 1; {check}");
    assert_eq!(code(&full), Some(6));
    assert_eq!(
        code(&format!("({full}) | grep -q '^result .*broken'")),
        Some(0)
    );
    let left = std::fs::read_to_string(&report).unwrap();
    assert_eq!(left, old);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    assert_eq!(code(&format!("{check} >&-")), Some(6));
    let new = std::fs::read_to_string(&report).unwrap();
    assert!(new.contains("<html") && !new.ends_with("old"));
    // It could be a PIN, and somebody's page.
    for other in [
        "1234",
        "<!doctype html>\n<html lang=\"en\"><title>Mine</title>",
    ] {
        std::fs::write(&report, other).unwrap();
        assert_eq!(code(&check), Some(6), "{other}");
        assert_eq!(std::fs::read_to_string(&report).unwrap(), other);
    }
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let is_coloured =
        |shown: &str| shown.contains("\u{1b}[32mpassed") || shown.contains("\u{1b}[31mbroken");
    let check = |words: &str| {
        let words = words.split_whitespace();
        command(&privyseal::path().display().to_string(), words)
    };
    let at_terminal = |variables: &[(&str, &str)]| {
        let mut check = check("check x");
        check.env_remove("NO_COLOR");
        // Where it is set, a dumb terminal counts as one with colours.
        check.env_remove("CI").envs(variables.iter().copied());
        Terminal::new().run(&check, "", "").shown
    };
    assert!(is_coloured(&at_terminal(&[("TERM", "xterm")])));
    for variables in [
        [("TERM", "xterm"), ("NO_COLOR", "1")],
        [("TERM", "dumb"), ("X", "")],
    ] {
        let shown = at_terminal(&variables);
        assert!(shown.contains("broken") && !is_coloured(&shown), "{shown}");
    }
    let printed = |words: &str| {
        let output = check(words).env("TERM", "xterm").output().expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(!is_coloured(&printed("check x")));
    assert!(is_coloured(&printed("check --color always x")));
    assert!(!is_coloured(&printed("check --color always --json x")));
}
