//! What the command says of itself, and to command lines that are wrong.

use crate::Transcript;

/// What stands in a help under `Commands:`.
fn subcommands(help: &str) -> Vec<String> {
    let (_, commands) = help.split_once("\nCommands:\n").unwrap_or_default();
    commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .map(str::to_owned)
        .collect()
}

/// A transcript for each command, with those below it.
#[test]
fn every_command_has_a_help() {
    let mut transcript = Transcript::exact();
    let help = transcript.run(&["--help"]);
    transcript.run(&["-h"]);
    transcript.run(&["help", "sign"]);
    transcript.hide(
        format!("privyseal {}", env!("CARGO_PKG_VERSION")),
        "privyseal [VERSION]",
    );
    transcript.run(&["--version"]);
    transcript.run(&["-V"]);
    transcript.is("help");
    // Not in the list of commands: it is for those who pack the program.
    let mut commands = subcommands(&help);
    commands.push("man".to_owned());
    for command in commands {
        let mut transcript = Transcript::exact();
        let help = transcript.run(&[&command, "--help"]);
        for below in subcommands(&help) {
            transcript.run(&[&command, &below, "--help"]);
        }
        transcript.is(&format!("help_{command}"));
    }
}

const KEY: &str = "pkcs11:token=T;object=K?module-path=/nowhere/m.so";

#[test]
fn command_lines_that_are_wrong() {
    let mut transcript = Transcript::exact();
    let sign = ["sign", "--scheme", "fiam", "--key", KEY];
    let token = ["token", "--scheme", "fiam", "--key", KEY];
    for words in [
        &[][..],
        &["sing"],
        &["--scheme", "fiam"],
        &["sign"],
        &["sign", "--key", KEY],
        &["sign", "--scheme", "saml", "--key", KEY],
        &["sign", "--scheme", "FIAM", "--key", KEY],
        &[&sign[..], &["--key", KEY]].concat(),
        &[&sign[..], &["--lifetime", "soon"]].concat(),
        &[&sign[..], &["--lifetime", "-1"]].concat(),
        &[&sign[..], &["--backdate", "256"]].concat(),
        &[&sign[..], &["--now", "18446744073709551616"]].concat(),
        &[&sign[..], &["--min-key-bits", "0"]].concat(),
        &[&sign[..], &["--chain"]].concat(),
        &[&sign[..], &["--chian", "f"]].concat(),
        &[&sign[..], &["word"]].concat(),
        &[&sign[..], &["--kid", "a", "--kid-form", "keycloak"]].concat(),
        &[&sign[..], &["--endpoint", "nowhere"]].concat(),
        &[&sign[..], &["--acr", "low"]].concat(),
        &[
            "token",
            "--scheme",
            "itsme",
            "--key",
            KEY,
            "--client-id",
            "c",
        ],
        &[&token[..], &["--timeout", "0"]].concat(),
        &[&token[..], &["--all-pages"]].concat(),
        &[&token[..], &["--base-url", "http://as.example"]].concat(),
        &[&token[..], &["--base-url", "as.example"]].concat(),
        &["ishare"],
        &["ishare", "party"],
        &["ishare", "trusted-list", "--scheme", "fiam"],
        &["ciba"],
        &["ciba", "--key", KEY, "--client-id", "c", "--env", "test"],
        &["ciba", "--key", KEY, "--client-id", "c", "--ping", "99999"],
        &["chain"],
        &["check"],
        &["jwks"],
        &["jwks", "--key", KEY, "--encryption-alg", "RSA1_5"],
        &["csr", "--key", KEY],
        &[
            "csr",
            "--key",
            KEY,
            "--subject",
            "CN=x",
            "--key-usage",
            "anything",
        ],
        &["yubihsm"],
        &["keys", "generate", "--key", KEY, "--bits", "1024"],
        &["keys", "generate", "--key", KEY, "--domain", "17"],
        &["yubihsm", "audit", "--key", KEY],
        &["device"],
        &["device", "info", "--key", "device:/dev/null"],
        &["device", "import-key", "--device", "device:/dev/null"],
        &["device", "sign"],
        &["doctor", "--key", KEY, "--timeout", "5"],
        &["completions", "tcsh"],
        &["man"],
    ] {
        transcript.run(words);
    }
    transcript.is("usage");
}

/// Pages: how each begins. Completions ask the command itself (`bash_offers_commands_options_schemes_and_profiles`).
#[test]
fn completions_and_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    let mut transcript = Transcript::exact();
    transcript.hide(folder.path().display(), "[DIR]");
    transcript.run(&["man", "--out", &folder.path().display().to_string()]);
    transcript.run(&["man", "--out", "/nowhere"]);
    let mut pages: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.sort();
    for page in pages {
        let content = std::fs::read_to_string(&page).unwrap();
        let headings = content.lines().filter_map(|line| line.strip_prefix(".SH "));
        let headings: Vec<_> = headings.collect();
        let name = page.file_name().unwrap().to_string_lossy();
        transcript.say(&format!("{name}: {}", headings.join(", ")));
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let completions = Transcript::exact().run(&["completions", shell]);
        let first = completions.lines().find(|line| !line.is_empty()).unwrap();
        transcript.say(&format!("completions of {shell}: {first}"));
        assert!(completions.contains("PRIVYSEAL_COMPLETE"), "{shell}");
    }
    transcript.is("man_and_completions");
}
