//! A token with a key and its chain, and the command line that signs with it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use privyseal_test_base::{privyseal, tool};
use privyseal_test_pki::{CertificateSpec, TestKey, TestPki, pem_chain};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

pub(crate) const CLIENT_ID: &str = "EU.EORI.NL123456789";

/// Label of the token.
pub(crate) const TOKEN: &str = "T";

/// Label of the key.
pub(crate) const KEY: &str = "K";

pub(crate) struct Stage {
    pub(crate) token: SoftHsmToken,
    pub(crate) pki: TestPki,
    pub(crate) key: TestKey,
    pub(crate) chain: Vec<Vec<u8>>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let (pki, key, chain) = TestPki::with_seal();
        let token = SoftHsmToken::new(TOKEN);
        token.import_key(&key, "01", KEY);
        token.store_chain(&chain, "01");
        Self {
            token,
            pki,
            key,
            chain,
        }
    }

    /// A file with certificates (PEM).
    pub(crate) fn chain_file(&self, chain: &[Vec<u8>]) -> String {
        let path = self.token.dir().join("chain.pem");
        fs::write(&path, pem_chain(chain)).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// A file with a chain of this stage's key whose leaf is made otherwise.
    pub(crate) fn leaf_file(&self, leaf: &CertificateSpec) -> String {
        self.chain_file(&self.pki.chain(&self.key.spki_der(), leaf))
    }

    /// A key URI with this path (RFC 7512), SoftHSM and the right PIN.
    pub(crate) fn uri_of(&self, path: &str) -> String {
        uri_with(path, &SoftHsmToken::module(), &self.token.pin_file())
    }

    /// `privyseal sign` with the usual options, but for those given.
    pub(crate) fn command(&self, options: &[(&str, &str)]) -> Command {
        let uri = self.token.uri(KEY);
        let usual = [
            ("--scheme", "fiam"),
            ("--key", uri.as_str()),
            ("--client-id", CLIENT_ID),
            ("--chain", "token"),
        ];
        let mut command = Command::new(privyseal::path());
        command.arg("sign").env_remove("PRIVYSEAL_PIN");
        command.env("SOFTHSM2_CONF", self.token.configuration());
        for (name, value) in usual {
            let value = options
                .iter()
                .find(|(other, _)| *other == name)
                .map_or(value, |it| it.1);
            command.args([name, value]);
        }
        for (name, value) in options {
            if usual.iter().all(|(other, _)| other != name) {
                command.args([name, value]);
            }
        }
        command
    }

    /// The same, through the fault shim, which counts calls and obeys its rules.
    pub(crate) fn command_through(&self, shim: &FaultShim, pin_file: &Path) -> Command {
        let path = format!("token={TOKEN};object={KEY}");
        let uri = uri_with(&path, &FaultShim::module(), pin_file);
        let mut command = self.command(&[("--key", &uri)]);
        command.envs(shim.environment(&SoftHsmToken::module()));
        command
    }

    pub(crate) fn sign(&self, options: &[(&str, &str)]) -> Outcome {
        Outcome::of(&mut self.command(options))
    }
}

/// A key URI with this path (RFC 7512), module and PIN file.
pub(crate) fn uri_with(path: &str, module: &Path, pin_file: &Path) -> String {
    format!(
        "pkcs11:{path}?module-path={}&pin-source=file:{}",
        module.display(),
        pin_file.display()
    )
}

/// How a run of the command ended.
pub(crate) struct Outcome(Output);

impl Outcome {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self(tool::output(command, b""))
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// The token: one line on stdout, and nothing else.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let stdout = String::from_utf8(self.0.stdout.clone()).unwrap();
        assert_eq!(self.0.status.code(), Some(0), "{}", self.stderr());
        let token = stdout.strip_suffix('\n').expect("a newline at the end");
        assert!(
            token.bytes().all(|byte| byte.is_ascii_graphic()),
            "one line: {stdout:?}"
        );
        token.to_owned()
    }

    /// Refused with that exit code and a message that says all of `reasons`; nothing on stdout, no
    /// PIN anywhere.
    #[track_caller]
    pub(crate) fn is_refused(&self, code: i32, reasons: &[&str]) {
        let stderr = self.stderr();
        assert!(self.0.stdout.is_empty(), "stdout of a refusal: {stderr}");
        assert_eq!(self.0.status.code(), Some(code), "{stderr}");
        for reason in reasons {
            assert!(stderr.contains(reason), "no {reason:?} in: {stderr}");
        }
        assert!(!stderr.contains(PIN), "the PIN is in: {stderr}");
    }
}
