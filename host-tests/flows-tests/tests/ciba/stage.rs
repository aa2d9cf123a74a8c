//! A token with a key that signs and one that decrypts, a provider that knows both, and the command.

use std::cell::Cell;
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use privyseal_test_base::privyseal;
use privyseal_test_base::tool::{command, output, run};
use privyseal_test_servers::oidc_provider::{OidcProvider, Registration};
use privyseal_test_suite::kryoptic::KryopticToken;
use privyseal_test_suite::softhsm::SoftHsmToken;
use serde_json::Value;

pub(crate) const CLIENT_ID: &str = "WXw9DMqkEv";

/// Who scans the QR codes of these tests.
pub(crate) const PERSON: &str = "6g2k9rgglem2dttw5d51ulkxpv24phwatiu6";

/// Where the keys are.
enum Token {
    SoftHsm(SoftHsmToken),
    Kryoptic(KryopticToken),
}

/// Everything that a run of the command needs.
pub(crate) struct Stage {
    token: Token,
    pub(crate) provider: OidcProvider,
    ping: Option<u16>,
    /// The port of `ping`, held until a command wants it: the connections of a start would take a free one
    /// sooner or later.
    held: Cell<Option<TcpListener>>,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    /// Keys in SoftHSM, poll mode.
    pub(crate) fn polling(alg: &'static str, enc: &'static str) -> Self {
        Self::new(softhsm(), Some((alg, enc)), None)
    }

    /// Keys in SoftHSM, ping mode.
    pub(crate) fn pinged(alg: &'static str, enc: &'static str) -> Self {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::new(softhsm(), Some((alg, enc)), Some(held))
    }

    /// Keys in kryoptic, poll mode.
    pub(crate) fn kryoptic(alg: &'static str, enc: &'static str) -> Self {
        let token = KryopticToken::new("ciba");
        token.generate_key(2048, "01", "signing");
        token.generate_decryption_key(2048, "02", "decryption");
        Self::new(Token::Kryoptic(token), Some((alg, enc)), None)
    }

    /// Nothing is encrypted.
    pub(crate) fn unencrypted() -> Self {
        Self::new(softhsm(), None, None)
    }

    /// Another key of the token.
    pub(crate) fn uri(&self, label: &str) -> String {
        self.token.uri(label)
    }

    fn new(
        token: Token,
        encryption: Option<(&'static str, &'static str)>,
        held: Option<TcpListener>,
    ) -> Self {
        let ping = held.as_ref().map(|held| held.local_addr().unwrap().port());
        let jwks = run(token
            .privyseal(&["jwks", "--key", &token.uri("signing")])
            .args(["--encryption-key", &token.uri("decryption")]));
        let provider = OidcProvider::start(&Registration {
            id: CLIENT_ID,
            jwks: serde_json::from_slice(&jwks).unwrap(),
            callback: ping.map(|port| format!("http://127.0.0.1:{port}/cb")),
            encryption,
            redirect_uri: None,
        });
        Self {
            token,
            provider,
            ping,
            held: Cell::new(held),
        }
    }

    /// The file of the QR code.
    pub(crate) fn qr(&self) -> PathBuf {
        self.provider.dir().join("qr.jpg")
    }

    /// Runs `privyseal ciba` with all that a person gives once, and `more`.
    pub(crate) fn ciba(&self, more: &[&str]) -> Ended {
        self.ciba_with_key("decryption", more)
    }

    /// Any other command, with the token at hand.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        ended(&mut self.token.privyseal(words))
    }

    /// `privyseal ciba` for a person who is known, with these keys.
    pub(crate) fn ciba_with_keys(
        &self,
        signing: &str,
        decryption: &[String],
        user: &Path,
    ) -> Ended {
        let (signing, ca) = (self.uri(signing), self.provider.cacert());
        let mut words = vec!["ciba", "--key", &signing, "--client-id", CLIENT_ID];
        words.extend([
            "--service",
            "TEST_LOGIN",
            "--base-url",
            self.provider.issuer(),
        ]);
        let decryption: Vec<_> = decryption.iter().map(|label| self.uri(label)).collect();
        words.extend(decryption.iter().flat_map(|uri| ["--decryption-key", uri]));
        let mut command = self.token.privyseal(&words);
        command.arg("--cacert").arg(ca);
        ended(command.arg("--user-identifier-token-file").arg(user))
    }

    /// With another decryption key, or none.
    pub(crate) fn ciba_with_key(&self, decryption: &str, more: &[&str]) -> Ended {
        let words = self.arguments(decryption, more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        ended(&mut self.token.privyseal(&words))
    }

    /// Runs the library's example `itsme` against the provider.
    pub(crate) fn example(&self) -> Ended {
        let [signing, decryption] = ["signing", "decryption"].map(|label| self.token.uri(label));
        let kid = self.provider.signing_kid();
        let (qr, ca) = (self.qr(), self.provider.cacert());
        let mut example = Command::new(privyseal::example("itsme"));
        example.env("SOFTHSM2_CONF", self.softhsm().configuration());
        example.args([&signing, &decryption, &kid, CLIENT_ID]);
        example.args([self.provider.issuer(), "TEST_LOGIN"]);
        ended(example.arg(qr).arg(ca))
    }

    /// The whole command line.
    pub(crate) fn words(&self, more: &[&str]) -> Vec<String> {
        let mut words = vec![privyseal::path().to_string_lossy().into_owned()];
        words.extend(self.arguments("decryption", more));
        words
    }

    fn arguments(&self, decryption: &str, more: &[&str]) -> Vec<String> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let pairs = [
            ("--key", self.token.uri("signing")),
            ("--client-id", CLIENT_ID.to_owned()),
            ("--service", "TEST_LOGIN".to_owned()),
            ("--base-url", self.provider.issuer().to_owned()),
            ("--cacert", text(self.provider.cacert())),
            ("--qr", text(self.qr())),
        ];
        let mut words = vec!["ciba".to_owned()];
        for (name, value) in pairs {
            words.extend([name.to_owned(), value]);
        }
        if !decryption.is_empty() {
            words.extend(["--decryption-key".to_owned(), self.token.uri(decryption)]);
        }
        if let Some(port) = self.ping {
            drop(self.held.take());
            words.extend(["--ping".to_owned(), port.to_string()]);
        }
        words.extend(more.iter().map(|&word| word.to_owned()));
        words
    }

    pub(crate) fn softhsm(&self) -> &SoftHsmToken {
        match &self.token {
            Token::SoftHsm(token) => token,
            Token::Kryoptic(_) => panic!("the keys are in kryoptic"),
        }
    }
}

impl Token {
    fn privyseal(&self, arguments: &[&str]) -> Command {
        let environment: Vec<(String, OsString)> = match self {
            Self::SoftHsm(token) => vec![("SOFTHSM2_CONF".into(), token.configuration().into())],
            Self::Kryoptic(token) => token.environment(),
        };
        let mut command = command(&privyseal::path().to_string_lossy(), arguments);
        command.envs(environment);
        command
    }

    fn uri(&self, object: &str) -> String {
        match self {
            Self::SoftHsm(token) => token.uri(object),
            Self::Kryoptic(token) => format!(
                "pkcs11:token={};object={object}?module-path={}&pin-source=file:{}",
                token.label(),
                KryopticToken::module().display(),
                token.pin_file().display()
            ),
        }
    }
}

impl Ended {
    /// The claims, of a run that succeeded.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The claims, of a run that knows who it was, but lacks UserInfo; it says why.
    #[track_caller]
    pub(crate) fn partial(&self, words: &str) -> Value {
        let stderr = &self.stderr;
        assert_eq!(self.code, Some(7), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
        assert!(!stderr.contains("eyJ"), "no token shows: {stderr}");
        let report: Value = serde_json::from_str(&self.stdout).unwrap();
        assert_eq!(report["id_token"]["sub"], PERSON);
        assert!(report.get("userinfo").is_none());
        report
    }

    /// Of a run that did not: its exit code and its words.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &str) {
        let (stdout, stderr) = (&self.stdout, &self.stderr);
        assert_eq!(self.code, Some(code), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
        assert_eq!(stdout, "", "nothing is printed");
        assert!(!stderr.contains("eyJ"), "no token shows: {stderr}");
    }
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = output(command, b"");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn softhsm() -> Token {
    let token = SoftHsmToken::new("ciba");
    token.generate_key(2048, "01", "signing");
    token.generate_decryption_key(2048, "02", "decryption");
    Token::SoftHsm(token)
}
