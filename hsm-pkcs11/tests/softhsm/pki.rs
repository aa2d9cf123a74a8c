//! Certificates for the tests, issued by the `openssl` command.

use std::path::PathBuf;
use std::process::Command;

use crate::fixture::Key;

/// Issues certificates; its files are in a directory of its own.
pub(crate) struct Pki {
    directory: PathBuf,
}

/// A CA: a name with a key. The certificate that says so is self-signed and need not be used.
#[derive(Clone)]
pub(crate) struct Ca {
    name: String,
    key: String,
    pub(crate) der: Vec<u8>,
}

const CA_EXTENSIONS: &str =
    "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n";
const LEAF_EXTENSIONS: &str =
    "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, nonRepudiation\n";

impl Pki {
    pub(crate) fn new(directory: PathBuf) -> Self {
        std::fs::create_dir_all(&directory).expect("a directory for the PKI");
        let pki = Self { directory };
        std::fs::write(pki.file("ca.ext"), CA_EXTENSIONS).expect("extensions");
        std::fs::write(pki.file("leaf.ext"), LEAF_EXTENSIONS).expect("extensions");
        pki
    }

    /// A self-signed CA; the same `key` name is the same key.
    pub(crate) fn ca(&self, name: &str, key: &str) -> Ca {
        let (key_file, file) = (format!("{key}.key"), format!("{name}-{key}.pem"));
        if !self.file(&key_file).exists() {
            self.openssl(&["genrsa", "-out", &key_file, "2048"]);
        }
        let subject = subject(name);
        self.openssl(&[
            "req",
            "-x509",
            "-new",
            "-sha256",
            "-days",
            "30",
            "-key",
            &key_file,
            "-subj",
            &subject,
            "-addext",
            "keyUsage=critical,keyCertSign",
            "-out",
            &file,
        ]);
        let der = self.der(&file);
        Ca {
            name: name.into(),
            key: key.into(),
            der,
        }
    }

    /// A certificate for the CA `subject`, issued by `issuer`.
    pub(crate) fn cross(&self, subject: &Ca, issuer: &Ca) -> Vec<u8> {
        let public = format!("{}.pub", subject.key);
        let key = format!("{}.key", subject.key);
        self.openssl(&["rsa", "-in", &key, "-pubout", "-out", &public]);
        self.issue(&subject.name, &public, issuer, "ca.ext")
    }

    /// An eSeal-like certificate for a key on a token.
    pub(crate) fn leaf(&self, name: &str, key: &Key, issuer: &Ca) -> Vec<u8> {
        std::fs::write(self.file("leaf.spki"), key.spki()).expect("a public key");
        self.openssl(&[
            "rsa",
            "-pubin",
            "-inform",
            "DER",
            "-in",
            "leaf.spki",
            "-out",
            "leaf.pub",
        ]);
        self.issue(name, "leaf.pub", issuer, "leaf.ext")
    }

    fn issue(&self, name: &str, public: &str, issuer: &Ca, extensions: &str) -> Vec<u8> {
        let ca = format!("{}-{}.pem", issuer.name, issuer.key);
        let ca_key = format!("{}.key", issuer.key);
        let subject = subject(name);
        self.openssl(&[
            "x509",
            "-new",
            "-sha256",
            "-days",
            "30",
            "-force_pubkey",
            public,
            "-subj",
            &subject,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-extfile",
            extensions,
            "-out",
            "issued.pem",
        ]);
        self.der("issued.pem")
    }

    fn der(&self, pem: &str) -> Vec<u8> {
        self.openssl(&["x509", "-in", pem, "-outform", "DER", "-out", "issued.der"]);
        std::fs::read(self.file("issued.der")).expect("a certificate")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.directory)
            .output()
            .expect("openssl is not installed: apt-get install openssl");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {errors}");
    }
}

fn subject(name: &str) -> String {
    format!("/C=NL/O=Privyseal tests/CN={name}")
}
