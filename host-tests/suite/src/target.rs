//! The token that tests of the PKCS #11 signer run against: a throw-away SoftHSM token, or your own.
//!
//! | variable | means |
//! |---|---|
//! | `TEST_PKCS11_MODULE` | path of the module; without it, SoftHSM |
//! | `TEST_PKCS11_TOKEN` | label of the token |
//! | `TEST_PKCS11_KEY` | label of an RSA key that may sign; tests make signatures with it and nothing else |
//! | `TEST_PKCS11_PIN_FILE` | a file that holds the user PIN |
//!
//! A throw-away token has one key of each [`Kind`]; that of yours is of the kind that it is.
//!
//! The tests log in with the right PIN only: they cost no try. (What a wrong PIN costs is tested on
//! [`crate::kryoptic`], which can be locked without harm.)

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::kryoptic::KryopticToken;
use crate::softhsm::SoftHsmToken;

const MODULE: &str = "TEST_PKCS11_MODULE";
const TOKEN: &str = "TEST_PKCS11_TOKEN";
const KEY: &str = "TEST_PKCS11_KEY";
const PIN_FILE: &str = "TEST_PKCS11_PIN_FILE";

/// What signing with a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing special.
    Plain,
    /// A login for each signature (`CKA_ALWAYS_AUTHENTICATE`).
    Always,
    /// `CKM_SHA256_RSA_PKCS`, the only mechanism that it allows.
    Hashing,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Always, Self::Hashing];

    /// The label of such a key on a throw-away token.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Plain => "seal",
            Self::Always => "always",
            Self::Hashing => "hashing",
        }
    }

    const fn id(self) -> &'static str {
        match self {
            Self::Plain => "01",
            Self::Always => "02",
            Self::Hashing => "03",
        }
    }

    /// For `pkcs11-tool --keypairgen`.
    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Always => &["--always-auth"],
            Self::Hashing => &["--allowed-mechanisms", "SHA256-RSA-PKCS"],
        }
    }
}

/// A token with an RSA key.
#[derive(Debug)]
pub struct Target {
    module: PathBuf,
    token: String,
    key: String,
    pin_file: PathBuf,
    /// What the module needs in the environment.
    environment: Vec<(String, OsString)>,
    throw_away: Option<ThrowAway>,
}

/// What goes away with the target.
#[derive(Debug)]
enum ThrowAway {
    SoftHsm(SoftHsmToken),
    Kryoptic(#[expect(dead_code, reason = "kept until it goes away")] KryopticToken),
}

impl Target {
    /// Yours, if the environment names one; else a new SoftHSM token.
    ///
    /// # Panics
    /// If the environment names a module but not the rest.
    pub fn chosen() -> Self {
        Self::from_environment().unwrap_or_else(Self::softhsm)
    }

    /// The one that the environment names: yours, or, in a child, its parent's.
    ///
    /// # Panics
    /// If the environment names a module but not the rest.
    pub fn from_environment() -> Option<Self> {
        let module = env::var_os(MODULE)?;
        let need =
            |name| env::var(name).unwrap_or_else(|_| panic!("{MODULE} is set, {name} is not"));
        Some(Self {
            module: module.into(),
            token: need(TOKEN),
            key: need(KEY),
            pin_file: need(PIN_FILE).into(),
            environment: Vec::new(),
            throw_away: None,
        })
    }

    /// A new SoftHSM token with keys that were generated on it; the plain one is chosen.
    ///
    /// # Panics
    /// If SoftHSM or its tools are missing.
    pub fn softhsm() -> Self {
        let token = SoftHsmToken::new("target");
        for kind in Kind::ALL {
            token.generate_special_key(2048, kind.id(), kind.label(), kind.options());
        }
        Self {
            module: SoftHsmToken::module(),
            token: token.label().into(),
            key: Kind::Plain.label().into(),
            pin_file: token.pin_file(),
            environment: vec![("SOFTHSM2_CONF".into(), token.configuration().into())],
            throw_away: Some(ThrowAway::SoftHsm(token)),
        }
    }

    /// As [`Target::softhsm`], of kryoptic.
    ///
    /// # Panics
    /// If it cannot be built, or tools are missing.
    pub fn kryoptic() -> Self {
        let token = KryopticToken::new("target");
        for kind in Kind::ALL {
            token.generate_special_key(2048, kind.id(), kind.label(), kind.options());
        }
        Self {
            module: KryopticToken::module(),
            token: token.label().into(),
            key: Kind::Plain.label().into(),
            pin_file: token.pin_file(),
            environment: token.environment(),
            throw_away: Some(ThrowAway::Kryoptic(token)),
        }
    }

    /// The real module.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The file with the PIN.
    pub fn pin_file(&self) -> &Path {
        &self.pin_file
    }

    /// The PIN.
    ///
    /// # Panics
    /// If its file cannot be read.
    pub fn pin(&self) -> String {
        let text = fs::read_to_string(&self.pin_file)
            .unwrap_or_else(|error| panic!("{}: {error}", self.pin_file.display()));
        text.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// A URI (RFC 7512) of the key, with another module in between or the real one.
    pub fn uri(&self, module: &Path) -> String {
        format!(
            "pkcs11:token={};object={};type=private?module-path={}&pin-source=file:{}",
            escaped(&self.token),
            escaped(&self.key),
            escaped(&module.to_string_lossy()),
            escaped(&self.pin_file.to_string_lossy())
        )
    }

    /// What a child needs in its environment so that [`Target::from_environment`] gives this token there.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let mut environment = self.environment.clone();
        environment.extend([
            (MODULE.into(), self.module.clone().into()),
            (TOKEN.into(), self.token.clone().into()),
            (KEY.into(), self.key.clone().into()),
            (PIN_FILE.into(), self.pin_file.clone().into()),
        ]);
        environment
    }

    /// As [`Target::environment`], with the key of that kind instead, which a throw-away token has.
    pub fn environment_for(&self, kind: Kind) -> Vec<(String, OsString)> {
        let mut environment = self.environment();
        environment.push((KEY.into(), kind.label().into()));
        environment
    }

    /// The SoftHSM token, if it is one of ours.
    pub const fn as_softhsm(&self) -> Option<&SoftHsmToken> {
        match &self.throw_away {
            Some(ThrowAway::SoftHsm(token)) => Some(token),
            _ => None,
        }
    }
}

/// Percent-encodes all but what every part of a PKCS #11 URI may hold as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                escaped.push(char::from(byte));
            }
            other => escaped.extend(format!("%{other:02X}").chars()),
        }
    }
    escaped
}
