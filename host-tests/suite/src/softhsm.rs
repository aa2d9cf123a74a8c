//! A throw-away SoftHSM token, made with the tools a person would use.
//!
//! A token is one test's own, and whole before the process under test opens it: under load SoftHSM ends a process
//! that opens a folder of tokens while another writes into it.

mod process;

use std::env;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use privyseal_test_base::scratch::cache_dir;
use privyseal_test_base::tool::{command, run};
use privyseal_test_pki::{TestKey, spki_from_pem};

pub use process::in_own_process;

/// The user PIN of every test token: long enough to be in no serial number or digest by chance.
pub const PIN: &str = "24689753";

/// The security officer's PIN of every test token.
const SO_PIN: &str = "13579246";

const CONFIGURATION: &str = "softhsm2.conf";

/// Where distributions put the module.
const MODULES: &[&str] = &[
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// One token in a directory of its own, which goes away with it.
#[derive(Debug)]
pub struct SoftHsmToken {
    dir: Place,
    label: String,
}

/// Where the token's files are.
#[derive(Debug)]
enum Place {
    /// In a directory that goes away with the token.
    Owned(TempDir),
    /// In a directory that another process owns.
    Borrowed(PathBuf),
}

impl SoftHsmToken {
    /// Initializes a token with that label.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn new(label: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("softhsm-")
            .tempdir_in(cache_dir("tmp"))
            .expect("target/ can be written");
        configure(dir.path());
        let token = Self {
            dir: Place::Owned(dir),
            label: label.into(),
        };
        write_secret(&token.pin_file(), PIN);
        run(&mut token.tool(
            "softhsm2-util",
            &[
                "--init-token",
                "--free",
                "--label",
                label,
                "--pin",
                PIN,
                "--so-pin",
                SO_PIN,
            ],
        ));
        token
    }

    /// The token that [`SoftHsmToken::new`] made in `dir`.
    fn attach(dir: &Path, label: &str) -> Self {
        Self {
            dir: Place::Borrowed(dir.into()),
            label: label.into(),
        }
    }

    /// The PKCS#11 module: the one that `PRIVYSEAL_SOFTHSM` names, or where distributions put it.
    ///
    /// # Panics
    /// If SoftHSM is not installed.
    pub fn module() -> PathBuf {
        let named = env::var_os("PRIVYSEAL_SOFTHSM").map(PathBuf::from);
        let mut usual = MODULES.iter().map(PathBuf::from);
        named.or_else(|| usual.find(|path| path.exists())).expect(
            "SoftHSM is not installed: run `cargo xtask setup`, or name it in PRIVYSEAL_SOFTHSM",
        )
    }

    /// The file that `SOFTHSM2_CONF` must name.
    pub fn configuration(&self) -> PathBuf {
        self.dir().join(CONFIGURATION)
    }

    /// A file that holds the PIN, for `pin-source`.
    pub fn pin_file(&self) -> PathBuf {
        self.dir().join("pin")
    }

    /// A directory for whatever else a test needs beside the token.
    pub fn dir(&self) -> &Path {
        match &self.dir {
            Place::Owned(dir) => dir.path(),
            Place::Borrowed(dir) => dir,
        }
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// A URI (RFC 7512) of the object with that label, with module and PIN.
    pub fn uri(&self, object: &str) -> String {
        format!(
            "pkcs11:token={};object={object}?module-path={}&pin-source=file:{}",
            self.label,
            Self::module().display(),
            self.pin_file().display()
        )
    }

    /// Imports a key under an id (hexadecimal) and a label.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn import_key(&self, key: &TestKey, id: &str, label: &str) {
        let file = self.dir().join("import.pem");
        fs::write(&file, key.pkcs8_pem()).expect("target/ can be written");
        run(self
            .tool(
                "softhsm2-util",
                &["--token", &self.label, "--pin", PIN, "--id", id],
            )
            .args(["--label", label, "--import"])
            .arg(&file));
        fs::remove_file(&file).expect("target/ can be written");
    }

    /// Has the token generate an RSA key, sensitive and not extractable; gives its public half
    /// (`SubjectPublicKeyInfo`, DER).
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn generate_key(&self, bits: usize, id: &str, label: &str) -> Vec<u8> {
        self.generate_special_key(bits, id, label, &[]);
        self.public_key(id)
    }

    /// As [`SoftHsmToken::generate_key`], with more options of `pkcs11-tool`.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn generate_special_key(&self, bits: usize, id: &str, label: &str, options: &[&str]) {
        let key_type = format!("rsa:{bits}");
        let kind = ["--keypairgen", "--key-type", &key_type, "--usage-sign"];
        let name = ["--id", id, "--label", label, "--sensitive"];
        self.pkcs11_tool(&[&kind[..], &name, options].concat());
    }

    /// As [`SoftHsmToken::generate_key`], for decryption.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn generate_decryption_key(&self, bits: usize, id: &str, label: &str) -> Vec<u8> {
        let key_type = format!("rsa:{bits}");
        let kind = ["--keypairgen", "--key-type", &key_type, "--usage-decrypt"];
        let name = ["--id", id, "--label", label, "--sensitive"];
        self.pkcs11_tool(&[&kind[..], &name].concat());
        self.public_key(id)
    }

    /// The public key with that id (`SubjectPublicKeyInfo`, DER).
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn public_key(&self, id: &str) -> Vec<u8> {
        let file = self.dir().join("public-key");
        let path = file.to_string_lossy();
        self.pkcs11_tool(&[
            "--read-object",
            "--type",
            "pubkey",
            "--id",
            id,
            "--output-file",
            &path,
        ]);
        let key = fs::read(&file).expect("pkcs11-tool wrote the key");
        if key.starts_with(b"-----") {
            spki_from_pem(&key).expect("a public key")
        } else {
            key
        }
    }

    /// Stores a certificate (DER).
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn store_certificate(&self, der: &[u8], id: &str, label: &str) {
        let file = self.dir().join("certificate.der");
        fs::write(&file, der).expect("target/ can be written");
        let path = file.to_string_lossy();
        self.pkcs11_tool(&[
            "--write-object",
            &path,
            "--type",
            "cert",
            "--id",
            id,
            "--label",
            label,
        ]);
    }

    /// Stores a chain: the leaf under the key's id, each authority under an id of its own, from `a0`
    /// upwards.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn store_chain(&self, chain: &[Vec<u8>], id: &str) {
        for (place, certificate) in chain.iter().enumerate() {
            if place == 0 {
                self.store_certificate(certificate, id, "leaf");
            } else {
                let id = format!("a{}", place - 1);
                self.store_certificate(certificate, &id, &format!("authority {place}"));
            }
        }
    }

    /// Runs `pkcs11-tool`, logged in.
    ///
    /// # Panics
    /// If the tool is missing or fails.
    pub fn pkcs11_tool(&self, arguments: &[&str]) -> Vec<u8> {
        run(self
            .tool(
                "pkcs11-tool",
                &["--token-label", &self.label, "--login", "--pin", PIN],
            )
            .arg("--module")
            .arg(Self::module())
            .args(arguments))
    }

    /// A tool that sees this token and no other.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = command(program, arguments);
        command.env("SOFTHSM2_CONF", self.configuration());
        command
    }
}

/// Makes an empty folder of tokens in `dir`, and the configuration beside it, which `SOFTHSM2_CONF` must name.
///
/// # Panics
/// If `dir` cannot be written.
pub fn configure(dir: &Path) -> PathBuf {
    let (tokens, file) = (dir.join("tokens"), dir.join(CONFIGURATION));
    fs::create_dir_all(&tokens).expect("target/ can be written");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&file, text).expect("target/ can be written");
    file
}

/// Writes a file that only this user can read: the command warns of any other.
fn write_secret(path: &Path, secret: &str) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).expect("target/ can be written");
    file.write_all(secret.as_bytes())
        .expect("target/ can be written");
}
