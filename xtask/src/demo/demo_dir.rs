//! What the steps share: the folder, the PIN file, and how a step looks.

use std::fs;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::{Output, Run};

/// Label of the token.
pub(super) const TOKEN: &str = "privyseal-demo";
/// Label of the key.
pub(super) const KEY: &str = "fiam-key";
/// `CKA_ID` of the key and of its certificate, in hexadecimal.
pub(super) const KEY_ID: &str = "01";

/// The demonstration's folder and its step counter.
pub(super) struct DemoDir {
    dir: PathBuf,
    module: PathBuf,
    pin: String,
    so_pin: String,
    step: usize,
}

impl DemoDir {
    /// Starts afresh: whatever an earlier run left is removed.
    pub(super) fn new() -> Result<Self, Failure> {
        let dir = paths::target().join("demo");
        if dir.exists() {
            fs::remove_dir_all(&dir).context(paths::shown(&dir))?;
        }
        fs::create_dir_all(dir.join("tokens")).context(paths::shown(&dir))?;
        let module = paths::softhsm_module()?;
        let demo = Self {
            dir,
            module,
            pin: random_pin()?,
            so_pin: random_pin()?,
            step: 0,
        };
        demo.write_private("pin", &demo.pin)?;
        demo.write_private("so-pin", &demo.so_pin)?;
        let tokens = demo.path("tokens");
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        demo.write("softhsm2.conf", configuration)?;
        Ok(demo)
    }

    /// Opens a numbered step.
    pub(super) fn step(&mut self, title: &str, explanation: &str) {
        self.step += 1;
        println!("\n{}. {title}", self.step);
        for line in explanation.lines() {
            println!("   {line}");
        }
    }

    /// A file of the demonstration.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The same as one types it at the root of the repository.
    pub(super) fn shown(&self, name: &str) -> String {
        paths::shown(&self.path(name))
    }

    /// The line that makes SoftHSM see this token in a shell.
    pub(super) fn export(&self) -> String {
        let shown = self.shown("softhsm2.conf");
        let here = if Path::new(&shown).is_absolute() {
            ""
        } else {
            "$PWD/"
        };
        format!("export SOFTHSM2_CONF={here}{shown}")
    }

    /// A program that sees this token and no other.
    pub(super) fn tool(&self, program: impl AsRef<Path>) -> Run {
        Run::new(program.as_ref()).env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
    }

    /// `pkcs11-tool` on this token. It takes PINs from the environment, so none is in its arguments.
    pub(super) fn pkcs11_tool(&self) -> Run {
        self.tool("pkcs11-tool").arg("--module").arg(&self.module)
    }

    /// The same, logged in as the token's user.
    pub(super) fn logged_in(&self) -> Run {
        let tool = self.pkcs11_tool().args(["--token-label", TOKEN, "--login"]);
        tool.args(["--pin", "env:PIN"]).env("PIN", &self.pin)
    }

    /// Gives a command both PINs in its environment, for initializing the token.
    pub(super) fn with_both_pins(&self, run: Run) -> Run {
        run.env("PIN", &self.pin).env("SO_PIN", &self.so_pin)
    }

    /// One of our own commands, as built.
    pub(super) fn own(&self, name: &str) -> Run {
        self.tool(paths::target().join("debug").join(name))
    }

    /// The key's URI (RFC 7512). The PIN is named by its file.
    pub(super) fn key_uri(&self) -> String {
        format!("pkcs11:token={TOKEN};object={KEY}?{}", self.access())
    }

    /// The URI of everything on the token.
    pub(super) fn token_uri(&self) -> String {
        format!("pkcs11:token={TOKEN}?{}", self.access())
    }

    /// The query of a URI: how to get at the token.
    fn access(&self) -> String {
        let (module, pin) = (self.module.display(), self.shown("pin"));
        format!("module-path={module}&pin-source=file:{pin}")
    }

    /// Writes a file of the demonstration.
    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
        fs::write(self.path(name), bytes).context(self.shown(name))
    }

    /// Writes a file that only its owner may read.
    fn write_private(&self, name: &str, text: &str) -> Result<(), Failure> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.path(name));
        let written = file.and_then(|mut file| writeln!(file, "{text}"));
        written.context(self.shown(name))
    }
}

/// Shows a command and runs it; gives what it prints.
pub(super) fn show_and_run(run: &Run) -> Result<Output, Failure> {
    show_command(&run.shown());
    run.capture()
}

/// Shows a command, without running it.
pub(super) fn show_command(command: &str) {
    println!("   $ {command}");
}

/// Shows lines that a command has printed.
pub(super) fn show_lines(text: &str) {
    for line in text.lines() {
        println!("     {line}");
    }
}

/// Decodes a base64url part of a token.
pub(super) fn base64url(part: &str) -> Result<Vec<u8>, Failure> {
    Base64UrlUnpadded::decode_vec(part).context("the token is not base64url")
}

/// Eight random digits.
fn random_pin() -> Result<String, Failure> {
    use std::io::Read;
    let mut bytes = [0_u8; 8];
    let source = fs::File::open("/dev/urandom");
    source
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("/dev/urandom")?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(b'0' + byte % 10))
        .collect())
}
