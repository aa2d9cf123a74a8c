//! Issues a throw-away certificate chain for a public key: for demonstrations and tests only.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use privyseal_test_pki::{CertificateSpec, TestPki, Validity, pem_chain, spki_from_pem};

/// A test PKI: never trust it with anything.
#[derive(Parser)]
enum Command {
    /// Issues an eSeal-like leaf under a root, a sub CA and an issuing CA.
    Issue(Issue),
}

#[derive(Args)]
struct Issue {
    /// The leaf's public key: PEM, `BEGIN PUBLIC KEY`.
    #[arg(long, value_name = "FILE")]
    public_key: PathBuf,
    /// Where root, sub, issuing and leaf go (.der), and chain.pem and root.pem.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// First second of the leaf's validity, since the epoch [default: a day ago].
    #[arg(long, value_name = "EPOCH")]
    not_before: Option<u64>,
    /// Days of the leaf's validity.
    #[arg(long, default_value_t = 730)]
    days: u64,
    /// The leaf's subject (RFC 4514) [default: a test organization, NTRNL-12345678].
    #[arg(long, value_name = "DN")]
    subject: Option<String>,
}

fn main() -> ExitCode {
    let Command::Issue(issue) = Command::parse();
    match issue.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("test-pki: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Issue {
    fn run(&self) -> Result<(), Box<dyn Error>> {
        let pem = read(&self.public_key)?;
        let spki = spki_from_pem(&pem)
            .map_err(|error| format!("{}: no public key: {error}", self.public_key.display()))?;
        let pki = TestPki::new();
        let chain = pki.chain(&spki, &self.leaf());
        fs::create_dir_all(&self.out)
            .map_err(|error| format!("{}: {error}", self.out.display()))?;
        for (name, der) in ["leaf", "issuing", "sub", "root"].iter().zip(&chain) {
            self.write(&format!("{name}.der"), der)?;
        }
        self.write("chain.pem", pem_chain(&chain).as_bytes())?;
        self.write("root.pem", pem_chain(&[&pki.root.certificate]).as_bytes())
    }

    fn leaf(&self) -> CertificateSpec {
        let mut leaf = CertificateSpec::seal();
        let not_before = self.not_before.unwrap_or(leaf.validity.not_before);
        leaf.validity = Validity {
            not_before,
            not_after: not_before + self.days * 24 * 3600,
        };
        if let Some(subject) = &self.subject {
            leaf.subject.clone_from(subject);
        }
        leaf
    }

    fn write(&self, name: &str, contents: &[u8]) -> Result<(), Box<dyn Error>> {
        let path = self.out.join(name);
        fs::write(&path, contents).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
