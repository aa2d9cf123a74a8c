//! Output that arrives or fails: full and closed streams, each with its documented code and no panic.

use std::process::Command;

use privyseal_test_base::privyseal;

/// The exit code of a shell's line, in which `privyseal` is the command.
fn code(line: &str) -> Option<i32> {
    let line = line.replace("privyseal", &privyseal::path().display().to_string());
    let run = Command::new("sh").args(["-c", &line]).output();
    run.expect("a shell").status.code()
}

#[test]
fn a_result_that_cannot_be_written_has_its_own_code() {
    for words in ["completions bash", "--version", "sign --help"] {
        assert_eq!(code(&format!("privyseal {words} >/dev/full")), Some(6));
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

/// `script` runs a command on a terminal of its own.
#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let has_colours =
        |line: &str| code(&format!("{line} | grep -q '.\\[32mpassed\\|.\\[31mbroken'")) == Some(0);
    let on_terminal = "script -qec 'privyseal check x' /dev/null";
    assert!(has_colours(&format!("TERM=xterm {on_terminal}")));
    assert!(!has_colours(&format!(
        "TERM=xterm NO_COLOR=1 {on_terminal}"
    )));
    assert!(!has_colours(&format!("TERM=dumb {on_terminal}")));
    assert!(!has_colours("TERM=xterm privyseal check x"));
    assert!(has_colours("privyseal check --color always x"));
    assert!(!has_colours("privyseal check --color always --json x"));
}
