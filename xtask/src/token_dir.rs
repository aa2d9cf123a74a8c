//! A throw-away SoftHSM token in a folder of the build folder, for the demonstration and the measurements.
//!
//! What is done to it are commands of OpenSC, OpenSSL and our test CA, made here and run by the caller.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::Run;

/// Label of the token.
pub(crate) const TOKEN: &str = "privyseal-demo";
/// Label of the key.
pub(crate) const KEY: &str = "fiam-key";
/// `CKA_ID` of the key and of its certificate, in hexadecimal.
const KEY_ID: &str = "01";

/// The chain's files, leaf first, with the `CKA_ID` and label each gets on the token. PKCS#11 finds a
/// key's own certificate by the same id; the issuers above it are found by their subject.
const CHAIN: [(&str, &str, &str); 4] = [
    ("leaf", KEY_ID, KEY),
    ("issuing", "11", "issuing-ca"),
    ("sub", "12", "sub-ca"),
    ("root", "13", "root-ca"),
];

/// The folder, with the token's configuration and PINs.
pub(crate) struct TokenDir {
    dir: PathBuf,
    module: PathBuf,
    pin: String,
    so_pin: String,
}

impl TokenDir {
    /// An empty folder with a configuration and two PIN files; what an earlier run left is removed.
    pub(crate) fn new(name: &str) -> Result<Self, Failure> {
        let dir = paths::target().join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir).context(paths::shown(&dir))?;
        }
        let token = Self {
            dir,
            module: paths::softhsm_module()?,
            pin: random_pin()?,
            so_pin: random_pin()?,
        };
        let tokens = token.path("tokens");
        fs::create_dir_all(&tokens).context(paths::shown(&tokens))?;
        token.write_private("pin", &token.pin)?;
        token.write_private("so-pin", &token.so_pin)?;
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        token.write("softhsm2.conf", configuration)?;
        Ok(token)
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The same as one types it at the root of the repository.
    pub(crate) fn shown(&self, name: &str) -> String {
        paths::shown(&self.path(name))
    }

    /// The line that makes SoftHSM see this token in a shell.
    pub(crate) fn export(&self) -> String {
        let shown = self.shown("softhsm2.conf");
        let here = if Path::new(&shown).is_absolute() {
            ""
        } else {
            "$PWD/"
        };
        format!("export SOFTHSM2_CONF={here}{shown}")
    }

    /// A program that sees this token and no other.
    pub(crate) fn tool(&self, program: impl AsRef<Path>) -> Run {
        Run::new(program.as_ref()).env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
    }

    /// One of our own commands, as built for tests.
    pub(crate) fn own(&self, name: &str) -> Run {
        self.tool(paths::target().join("debug").join(name))
    }

    /// `pkcs11-tool` on this token. It takes PINs from the environment, so none is in its arguments.
    pub(crate) fn pkcs11_tool(&self) -> Run {
        self.tool("pkcs11-tool").arg("--module").arg(&self.module)
    }

    /// The same, logged in as the token's user.
    pub(crate) fn logged_in(&self) -> Run {
        let tool = self.pkcs11_tool().args(["--token-label", TOKEN]);
        tool.words("--login --pin env:PIN").env("PIN", &self.pin)
    }

    /// Makes an empty token with a user PIN.
    pub(crate) fn initialize(&self) -> [Run; 2] {
        let tool = || {
            let tool = self.pkcs11_tool().env("PIN", &self.pin);
            tool.env("SO_PIN", &self.so_pin)
        };
        let label = tool()
            .words("--init-token --slot-index 0 --label")
            .arg(TOKEN);
        let login = tool()
            .args(["--token-label", TOKEN])
            .words("--login --login-type so");
        [
            label.words("--so-pin env:SO_PIN"),
            login.words("--so-pin env:SO_PIN --init-pin --new-pin env:PIN"),
        ]
    }

    /// Has the token generate an RSA-2048 key that can never be read.
    pub(crate) fn generate_key(&self) -> Run {
        let generate = self.logged_in().words("--keypairgen --key-type rsa:2048");
        let named = generate.args(["--id", KEY_ID, "--label", KEY]);
        named.words("--usage-sign --sensitive")
    }

    /// Takes the key's public half out, as `public-key.der` and `public-key.pem`.
    pub(crate) fn export_key(&self) -> [Run; 2] {
        let (der, pem) = (self.shown("public-key.der"), self.shown("public-key.pem"));
        let read = self.pkcs11_tool().args(["--token-label", TOKEN]);
        let read = read.words("--read-object --type pubkey --id").arg(KEY_ID);
        let convert = self.tool("openssl").words("pkey -pubin -inform DER");
        [
            read.args(["--output-file", &der]),
            convert.args(["-in", &der, "-out", &pem]),
        ]
    }

    /// Has the test CA issue a leaf for the exported public key, into `pki`.
    pub(crate) fn issue(&self) -> Run {
        let (key, dir) = (self.shown("public-key.pem"), self.shown("pki"));
        self.own("test-pki")
            .args(["issue", "--public-key", &key, "--out", &dir])
    }

    /// Stores the chain beside the key.
    pub(crate) fn store_chain(&self) -> [Run; 4] {
        CHAIN.map(|(name, id, label)| {
            let file = self.shown(&format!("pki/{name}.der"));
            let write = self.logged_in().args(["--write-object", &file]);
            write
                .words("--type cert")
                .args(["--id", id, "--label", label])
        })
    }

    /// The key's URI (RFC 7512). The PIN is named by its file.
    pub(crate) fn key_uri(&self) -> String {
        format!("pkcs11:token={TOKEN};object={KEY}?{}", self.access())
    }

    /// The URI of everything on the token.
    pub(crate) fn token_uri(&self) -> String {
        format!("pkcs11:token={TOKEN}?{}", self.access())
    }

    /// The query of a URI: how to get at the token.
    fn access(&self) -> String {
        let (module, pin) = (self.module.display(), self.shown("pin"));
        format!("module-path={module}&pin-source=file:{pin}")
    }

    /// Writes a file of the folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
        fs::write(self.path(name), bytes).context(self.shown(name))
    }

    /// Writes a file that only its owner may read.
    fn write_private(&self, name: &str, text: &str) -> Result<(), Failure> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let file = options.open(self.path(name));
        let written = file.and_then(|mut file| writeln!(file, "{text}"));
        written.context(self.shown(name))
    }
}

/// Eight random digits.
fn random_pin() -> Result<String, Failure> {
    use std::io::Read;
    let mut bytes = [0_u8; 8];
    let source = fs::File::open("/dev/urandom");
    let read = source.and_then(|mut file| file.read_exact(&mut bytes));
    read.context("/dev/urandom")?;
    Ok(bytes
        .map(|byte| char::from(b'0' + byte % 10))
        .iter()
        .collect())
}
