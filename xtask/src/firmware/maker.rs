//! The maker's public key, which a first stage trusts: that of the file that `PRIVYSEAL_MAKER_KEY` names, PEM or DER, or
//! else one that is made here, for the emulator and for tests.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::Run;

/// Names the file, here and for the build of a first stage.
pub(super) const VARIABLE: &str = "PRIVYSEAL_MAKER_KEY";

/// The file with the key in DER.
pub(super) fn key() -> Result<PathBuf, Failure> {
    let folder = paths::target().join("firmware-images");
    fs::create_dir_all(&folder).context(paths::shown(&folder))?;
    let (public, private) = (folder.join("maker.der"), folder.join("maker.pem"));
    let openssl = Run::new("openssl").words("pkey -pubout -outform DER");
    let mut openssl = if let Some(file) = env::var_os(VARIABLE) {
        openssl.words("-pubin -in").arg(file)
    } else {
        if !private.exists() {
            make(&private)?;
        }
        openssl.arg("-in").arg(&private)
    };
    let key = openssl.capture()?.stdout;
    // Left alone where it is the same, so that cargo has nothing to build again.
    if fs::read(&public).ok().as_ref() != Some(&key) {
        fs::write(&public, key).context(paths::shown(&public))?;
    }
    Ok(public)
}

fn make(private: &Path) -> Result<(), Failure> {
    let make = Run::new("openssl").words("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072");
    let part = private.with_extension("part");
    make.arg("-out").arg(&part).capture()?;
    fs::rename(&part, private).context(paths::shown(private))
}
