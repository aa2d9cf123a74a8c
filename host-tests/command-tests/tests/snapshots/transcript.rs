//! Runs of the command, written down.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use privyseal_test_base::{privyseal, tool};
use regex::Regex;

/// What differs from run to run, or from machine to machine, and its name. The order counts.
const VOLATILE: [(&str, &str); 17] = [
    (r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", "[JWS]"),
    (
        r"(?s)-----BEGIN ([A-Z ]+)-----.*?-----END [A-Z ]+-----",
        "[PEM of a $1]",
    ),
    (r#""n":( ?)"[\w-]{300,}""#, r#""n":$1"[MODULUS]""#),
    (r#""MI[\w+/]{200,}=*""#, r#""[BASE64]""#),
    (r#"(?m)([ "])[\w-]{43}([ "]|$)"#, "$1[SHA-256]$2"),
    (r"\b[0-9a-fA-F]{64}\b", "[SHA-256 in hexadecimal]"),
    (r"\b[0-9a-fA-F]{16,}\b", "[HEX]"),
    (r"127\.0\.0\.1:\d{4,}", "127.0.0.1:[PORT]"),
    (r"\bport=\d{4,}", "port=[PORT]"),
    (r"\bslot \d{3,}", "slot [SLOT]"),
    (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", "[DATE]"),
    (r"\b(?:1[789]|2\d)\d{8}\b", "[EPOCH]"),
    (r"\bup( +)\d+ s\b", "up$1[N] s"),
    (r#""(uptime|debt)_ms": \d+"#, r#""${1}_ms": [N]"#),
    (
        r"\b\d+ new entries, \d+ in all",
        "[N] new entries, [N] in all",
    ),
    (
        r#"\bfirmware("?:? +"?)\d+\.\d+\.\d+"#,
        "firmware$1[VERSION]",
    ),
    (r"\bSoftHSM, version [\d.]+", "SoftHSM, version [VERSION]"),
];

/// Objects of a token, which SoftHSM gives in any order.
const OBJECTS: &str = r"pkcs11:\S+(?: (?:and|or) pkcs11:\S+)+";

#[derive(Default)]
pub(crate) struct Transcript {
    text: String,
    hidden: Vec<(String, String)>,
    volatile: Vec<(Regex, &'static str)>,
    environment: Vec<(OsString, OsString)>,
}

impl Transcript {
    /// Of runs whose every word is the same on every machine.
    pub(crate) fn exact() -> Self {
        Self::default()
    }

    /// Of runs that show keys, certificates, times and addresses.
    pub(crate) fn new() -> Self {
        let volatile = VOLATILE.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name));
        Self {
            volatile: volatile.into(),
            ..Self::default()
        }
    }

    /// Shows this text under a name.
    pub(crate) fn hide(&mut self, text: impl ToString, name: &str) {
        self.hidden.push((text.to_string(), name.to_owned()));
    }

    /// Commands run with this, and with no other environment.
    pub(crate) fn environment(&mut self, name: &str, value: impl AsRef<Path>) {
        self.environment
            .push((name.into(), value.as_ref().as_os_str().to_owned()));
    }

    /// Runs `privyseal`; gives its standard output.
    pub(crate) fn run(&mut self, words: &[&str]) -> String {
        self.run_with(words, b"")
    }

    /// The same with something on standard input.
    pub(crate) fn run_with(&mut self, words: &[&str], input: &[u8]) -> String {
        let mut command = Command::new(privyseal::path());
        command.args(words).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = tool::output(&mut command, input);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let line: Vec<String> = words.iter().map(|word| quoted(&self.named(word))).collect();
        self.say(format!("$ privyseal {}", line.join(" ")).trim_end());
        for (mark, said) in [('>', &stdout), ('!', &stderr)] {
            for line in self.named(said).lines() {
                self.say(format!("{mark} {line}").trim_end());
            }
        }
        match output.status.code() {
            Some(code) => self.say(&format!("= {code}\n")),
            None => self.say("= a signal\n"),
        }
        stdout
    }

    /// A line of one's own.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.text, "{line}").unwrap();
    }

    fn named(&self, said: &str) -> String {
        let mut said = said.to_owned();
        for (text, name) in &self.hidden {
            said = said.replace(text, name);
        }
        for (pattern, name) in &self.volatile {
            said = pattern.replace_all(&said, *name).into_owned();
        }
        Regex::new(OBJECTS)
            .unwrap()
            .replace_all(&said, |found: &regex::Captures<'_>| sorted(&found[0]))
            .into_owned()
    }

    /// Compares with the transcript of that name.
    #[track_caller]
    pub(crate) fn is(self, name: &str) {
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path("transcripts");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, self.text));
    }
}

fn sorted(objects: &str) -> String {
    let word = if objects.contains(" and ") {
        " and "
    } else {
        " or "
    };
    let mut objects: Vec<&str> = objects.split(word).collect();
    objects.sort_unstable();
    objects.join(word)
}

fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "-_./:=,@+[]".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}
