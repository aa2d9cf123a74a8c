//! A simulated gateway, the files that it is provisioned from, and the command.

use privyseal_test_base::clock::run_start;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use privyseal_test_base::{privyseal, tool};
use privyseal_test_pki::{TestKey, TestPki, pem_chain, test_key};
use privyseal_test_simulators::device_sim::{DeviceSim, Options};

pub(crate) const EORI: &str = "EU.EORI.NL123456789";
pub(crate) const PARTY: &str = "did:ishare:EU.NL.NTRNL-12345678";
pub(crate) const SCHEME_OWNER: &str = "EU.EORI.NLDHUBSCHEME1";
pub(crate) const ITSME_TOKEN: &str = "https://idp.prd.itsme.services/v2/token";
pub(crate) const REALM: &str = "https://api.ehealth.fgov.be/auth/realms/M2M";

/// The scheme, the options that it needs, the client id and the audience.
pub(crate) const SCHEMES: [(&str, &[&str], &str, &str); 4] = [
    ("fiam", &[], EORI, "EU.EORI.NLKPNFIAMPROD"),
    ("ishare", &["--audience", SCHEME_OWNER], PARTY, SCHEME_OWNER),
    ("itsme", &["--endpoint", "token"], "partner", ITSME_TOKEN),
    ("ehealth", &["--realm", "M2M"], "nihii-12345678", REALM),
];

/// Where a test plays.
pub(crate) struct Stage {
    pub(crate) sim: DeviceSim,
    pub(crate) pki: TestPki,
    pub(crate) key: TestKey,
    pub(crate) chain: Vec<Vec<u8>>,
    folder: tempfile::TempDir,
}

impl Stage {
    /// An empty device.
    pub(crate) fn new(options: Options) -> Self {
        let pki = TestPki::new();
        let key = test_key("device", 2048);
        let chain = pki.seal_chain(&key);
        let stage = Self {
            sim: DeviceSim::start(options),
            folder: tempfile::tempdir().unwrap(),
            pki,
            key,
            chain,
        };
        stage.write("key.pem", stage.key.pkcs8_pem().as_bytes());
        stage.write("chain.pem", pem_chain(&stage.chain).as_bytes());
        stage.write("policy.toml", policy("").as_bytes());
        set_mode(&stage.path("key.pem"), 0o600);
        stage
    }

    /// A device that was provisioned for every scheme.
    pub(crate) fn provisioned() -> Self {
        let stage = Self::new(Options::default());
        stage.provision().is_done();
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    pub(crate) fn uri(&self) -> String {
        format!("device:unix:{}", self.sim.socket().display())
    }

    /// `privyseal device import-key` with the stage's files.
    pub(crate) fn provision(&self) -> Outcome {
        self.provision_with(&[])
    }

    /// The same with other files for some options.
    pub(crate) fn provision_with(&self, other: &[(&str, &str)]) -> Outcome {
        let mut arguments = vec!["device".to_owned(), "import-key".into()];
        arguments.extend(["--device".to_owned(), self.uri()]);
        for (option, file) in [
            ("--policy", "policy.toml"),
            ("--key", "key.pem"),
            ("--chain", "chain.pem"),
            ("--unlock-secret", ""),
        ] {
            let given = other.iter().find(|(name, _)| *name == option);
            let usual = || match file {
                "" => String::new(),
                file => self.path(file).display().to_string(),
            };
            let value = given.map_or_else(usual, |it| it.1.into());
            if !value.is_empty() {
                arguments.extend([option.to_owned(), value]);
            }
        }
        run(&arguments, b"")
    }

    pub(crate) fn sign(&self, scheme: &str, more: &[&str]) -> Outcome {
        sign_at(&self.uri(), scheme, more)
    }

    /// `privyseal device ACTION` with this device.
    pub(crate) fn device(&self, action: &str, more: &[&str]) -> Outcome {
        let uri = self.uri();
        run(&[&["device", action, "--device", &uri], more].concat(), b"")
    }
}

/// `privyseal sign` with this key URI, at the time of the test run.
pub(crate) fn sign_at(uri: &str, scheme: &str, more: &[&str]) -> Outcome {
    let now = run_start().to_string();
    let usual = ["sign", "--scheme", scheme, "--key", uri, "--now", &now];
    run(&[&usual, more].concat(), b"")
}

pub(crate) fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Every scheme; `more` stands at the top.
pub(crate) fn policy(more: &str) -> String {
    format!(
        r#"
{more}
max-lifetime = 60
max-jump = 604800
board-entropy = true
time-floor = {}

[rate]
assertions = 1000
seconds = 1000

[schemes.fiam]
client-id = "{EORI}"
audiences = ["EU.EORI.NLKPNFIAMPROD"]

[schemes.ishare]
audiences = ["{SCHEME_OWNER}"]

[schemes.itsme]
client-id = "partner"
kid = "k1"
audiences = ["{ITSME_TOKEN}"]
authentication-requests = ["https://idp.prd.itsme.services/v2"]

[schemes.ehealth]
client-id = "nihii-12345678"
kid-form = "keycloak"
audiences = ["{REALM}"]
"#,
        run_start() - 60
    )
}

/// Runs the command.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S], input: &[u8]) -> Outcome {
    let mut command = Command::new(privyseal::path());
    command.args(arguments).env_remove("PRIVYSEAL_PIN");
    Outcome(tool::output(&mut command, input))
}

/// How a run ended.
pub(crate) struct Outcome(Output);

impl Outcome {
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// What was printed; it must have succeeded, and be silent otherwise.
    #[track_caller]
    pub(crate) fn printed(&self) -> String {
        let said = self.stderr();
        assert_eq!(self.0.status.code(), Some(0), "{said}");
        assert_eq!(said, "", "a run that succeeds is silent");
        self.stdout()
    }

    #[track_caller]
    pub(crate) fn is_done(&self) {
        self.printed();
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.printed()).unwrap()
    }

    /// The token: one line and nothing else.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let printed = self.printed();
        let token = printed.strip_suffix('\n').unwrap();
        assert!(
            token.bytes().all(|byte| byte.is_ascii_graphic()),
            "{printed}"
        );
        token.to_owned()
    }

    /// Refused with this exit code and these words, and nothing on standard output.
    #[track_caller]
    pub(crate) fn is_refused(&self, code: i32, words: &[&str]) {
        let said = self.stderr();
        assert_eq!(self.0.status.code(), Some(code), "{said}");
        assert!(self.0.stdout.is_empty(), "stdout of a refusal: {said}");
        for words in words {
            assert!(said.contains(words), "no {words:?} in: {said}");
        }
    }
}
