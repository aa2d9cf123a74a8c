//! The PKCS#11 signer against what the same token can do without us, in one run.
//!
//! Two questions. How many whole tokens a second does a running program make, against a bare loop of
//! `C_SignInit` and `C_Sign`? And how long does the command take from its start to its first signature,
//! against `pkcs11-tool`, which makes a bare signature?

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};

const TOKEN: &str = "bench";
const KEY: &str = "seal";
const PIN: &str = "24682468";

/// Starts of each command.
const STARTS: usize = 15;

/// The chain's files, each with the id it gets on the token; the leaf's is the key's.
const CHAIN: [(&str, &str); 4] = [
    ("leaf", "01"),
    ("issuing", "11"),
    ("sub", "12"),
    ("root", "13"),
];

/// Builds, makes a token, measures, prints.
pub(super) fn run() -> Result<(), Failure> {
    setup::run(&[Need::Token])?;
    let release = ["build", "--release", "--package", "privyseal-cli"];
    Run::cargo()
        .args(release)
        .args(["--package", "privyseal-pkcs11", "--bin", "privyseal"])
        .args(["--example", "throughput"])
        .stream()?;
    let pki = [
        "build",
        "--package",
        "privyseal-host-tests",
        "--bin",
        "test-pki",
    ];
    Run::cargo().args(pki).stream()?;
    let token = BenchToken::new()?;

    println!("\n==> signatures per second, SoftHSM, RSA-2048; bare and whole take turns");
    token
        .tool(release_of("examples/throughput"))
        .arg(token.uri())
        .stream()?;

    println!("\n==> what a verification takes OpenSSL: the part that no whole token can leave out");
    Run::new("openssl")
        .args(["speed", "-seconds", "1", "rsa2048"])
        .stream()?;

    println!(
        "\n==> from the start of a command to its first signature, {STARTS} starts each, in turns"
    );
    token.starts()
}

fn release_of(name: &str) -> PathBuf {
    paths::target().join("release").join(name)
}

/// A throw-away SoftHSM token with an RSA-2048 key and its chain.
struct BenchToken {
    dir: PathBuf,
    module: PathBuf,
}

impl BenchToken {
    fn new() -> Result<Self, Failure> {
        let token = Self {
            dir: paths::target().join("bench-pkcs11"),
            module: paths::softhsm_module()?,
        };
        if token.dir.exists() {
            fs::remove_dir_all(&token.dir).context(paths::shown(&token.dir))?;
        }
        fs::create_dir_all(token.dir.join("tokens")).context(paths::shown(&token.dir))?;
        let tokens = token.dir.join("tokens");
        token.write(
            "softhsm2.conf",
            &format!(
                "directories.tokendir = {}\nlog.level = ERROR\n",
                tokens.display()
            ),
        )?;
        token.write("pin", PIN)?;
        token.write("to-be-signed", "whatever a person signs")?;
        let init = ["--init-token", "--free", "--label", TOKEN];
        token
            .tool("softhsm2-util")
            .args(init)
            .args(["--pin", PIN, "--so-pin", PIN])
            .capture()?;
        token
            .logged_in()
            .args(["--keypairgen", "--key-type", "rsa:2048", "--id", "01"])
            .args(["--label", KEY, "--usage-sign", "--sensitive"])
            .capture()?;
        token.certify()?;
        Ok(token)
    }

    fn certify(&self) -> Result<(), Failure> {
        let public = self.file("public-key.der");
        let read = [
            "--read-object",
            "--type",
            "pubkey",
            "--id",
            "01",
            "--output-file",
        ];
        self.logged_in().args(read).arg(&public).capture()?;
        let pem = self.file("public-key.pem");
        self.tool("openssl")
            .args(["pkey", "-pubin", "-inform", "DER", "-in"])
            .arg(&public)
            .arg("-out")
            .arg(&pem)
            .capture()?;
        self.tool(paths::target().join("debug/test-pki"))
            .args(["issue", "--public-key"])
            .arg(&pem)
            .arg("--out")
            .arg(self.file("pki"))
            .capture()?;
        for (name, id) in CHAIN {
            self.logged_in()
                .arg("--write-object")
                .arg(self.file(&format!("pki/{name}.der")))
                .args(["--type", "cert", "--id", id, "--label", name])
                .capture()?;
        }
        Ok(())
    }

    /// Starts both commands in turns; prints the medians.
    fn starts(&self) -> Result<(), Failure> {
        let ours = self
            .tool(release_of("privyseal"))
            .args([
                "sign",
                "--scheme",
                "fiam",
                "--client-id",
                "EU.EORI.NL123456789",
            ])
            .args(["--chain", "token", "--key", &self.uri()]);
        let theirs = self
            .logged_in()
            .args(["--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01"])
            .arg("--input-file")
            .arg(self.file("to-be-signed"))
            .arg("--output-file")
            .arg(self.file("signature"));
        let (mut own_times, mut their_times) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            own_times.push(ours.time()?);
            their_times.push(theirs.time()?);
        }
        for (name, times) in [
            ("privyseal sign", own_times),
            ("pkcs11-tool --sign", their_times),
        ] {
            println!("{name:<20} {}", summary(times));
        }
        Ok(())
    }

    fn uri(&self) -> String {
        let (module, pin) = (self.module.display(), self.file("pin"));
        let access = format!("module-path={module}&pin-source=file:{}", pin.display());
        format!("pkcs11:token={TOKEN};object={KEY}?{access}")
    }

    fn logged_in(&self) -> Run {
        self.tool("pkcs11-tool")
            .arg("--module")
            .arg(&self.module)
            .args(["--token-label", TOKEN, "--login", "--pin", "env:PIN"])
            .env("PIN", PIN)
    }

    fn tool(&self, program: impl AsRef<std::ffi::OsStr>) -> Run {
        Run::new(program).env("SOFTHSM2_CONF", self.file("softhsm2.conf"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A file that only its owner may read: the command warns of a PIN file that others can.
    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.file(name));
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.context(paths::shown(&self.file(name)))
    }
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let millis = |place: usize| {
        let time = times.get(place).copied().unwrap_or_default();
        format!("{:.1} ms", time.as_secs_f64() * 1000.0)
    };
    let (median, last) = (times.len() / 2, times.len().saturating_sub(1));
    format!(
        "median {}, fastest {}, slowest {}",
        millis(median),
        millis(0),
        millis(last)
    )
}
