//! One SoftHSM token with one key, for a test that has the whole process to itself: it looks at what the
//! module was asked, or takes the token or the module away.
//!
//! `unsafe`: for `std::env::set_var`, which runs before any module is loaded and any thread started.
#![allow(unsafe_code)]
#![allow(dead_code, reason = "not every test needs all")]

use std::path::{Path, PathBuf};
use std::process::Command;

use privyseal_core::cert::KeyUsages;
use privyseal_core::csr::{Subject, SubjectAttribute, SubjectAttributeType};
use privyseal_core::limits::MAX_CERTIFICATION_REQUEST;
use privyseal_core::{CertificationRequestInfo, CertificationRequestSigner, SignError};
use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{Error, Pkcs11Uri};

pub(crate) const PIN: &str = "471147";

pub(crate) struct Token {
    pub(crate) directory: PathBuf,
    pub(crate) softhsm: PathBuf,
}

impl Token {
    /// A token named `tok` with the key `k`.
    pub(crate) fn new(name: &str) -> Self {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let directory = scratch.join(format!("softhsm-{name}"));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(directory.join("tokens")).unwrap();
        let configuration = directory.join("softhsm2.conf");
        let text = format!(
            "directories.tokendir = {}\nlog.level = ERROR\n",
            directory.join("tokens").display()
        );
        std::fs::write(&configuration, text).unwrap();
        // SAFETY: see the top of the file.
        unsafe { std::env::set_var("SOFTHSM2_CONF", &configuration) };
        let softhsm = std::env::var_os("PRIVYSEAL_SOFTHSM").map_or_else(
            || PathBuf::from("/usr/lib/softhsm/libsofthsm2.so"),
            PathBuf::from,
        );
        run(Command::new("softhsm2-util").args([
            "--init-token",
            "--free",
            "--label",
            "tok",
            "--pin",
            PIN,
            "--so-pin",
            "12345678",
        ]));
        run(Command::new("pkcs11-tool")
            .arg("--module")
            .arg(&softhsm)
            .args([
                "--token-label",
                "tok",
                "--login",
                "--pin",
                PIN,
                "--keypairgen",
                "--key-type",
                "rsa:2048",
                "--id",
                "01",
                "--label",
                "k",
                "--usage-sign",
                "--sensitive",
            ]));
        Self { directory, softhsm }
    }

    /// The key, through `module` or SoftHSM itself.
    pub(crate) fn uri(&self, module: Option<&Path>) -> Pkcs11Uri {
        let module = module.unwrap_or(&self.softhsm).display();
        format!("pkcs11:token=tok;object=k?module-path={module}&max-sessions=3")
            .parse()
            .unwrap()
    }
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; apt-get install softhsm2 opensc"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[expect(clippy::unnecessary_wraps, reason = "a SecretProvider")]
pub(crate) fn right_pin(_: &SecretRequest) -> Result<Secret, SecretUnavailable> {
    Ok(Secret::new(PIN).unwrap())
}

/// Has a certification request signed; the core verifies the signature before it gives the request out.
pub(crate) fn sign<S>(signer: &mut S) -> Result<Vec<u8>, SignError<Error>>
where
    S: CertificationRequestSigner<Error = Error>,
{
    let name = SubjectAttribute::new(SubjectAttributeType::CommonName, "test").unwrap();
    let subject = Subject::new(&[name]).unwrap();
    let public = signer.public_key().clone();
    let info =
        CertificationRequestInfo::new(&subject, KeyUsages::default(), &public).expect("a request");
    let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
    Ok(info.sign(signer, &mut buffer)?.as_der().to_vec())
}
