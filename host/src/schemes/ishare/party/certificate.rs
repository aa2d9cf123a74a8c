//! One certificate of a party, as registries write it.

use core::fmt;

use base64ct::{Base64, Encoding};
use privyseal_core::cert::Certificate;
use serde::Deserialize as _;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::base::display::sanitize_for_display;
use crate::pki::Certificates;
use crate::schemes::ishare::{fingerprint, member, text};

/// One certificate that a party registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartyCertificate {
    /// Its subject, as the registry writes it. Not compared: iSHARE 2.1 discourages it highly.
    pub subject_name: Option<String>,
    leaf: Field<Vec<u8>>,
    fingerprint: Field<[u8; 32]>,
}

/// A member that may be there, and may be readable.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Field<T> {
    Absent,
    Unreadable(&'static str),
    Is(T),
}

/// Whether an entry is about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// It is.
    Same,
    /// It is about another.
    Other,
    /// It cannot be told; what is wrong with the entry.
    Unreadable(&'static str),
}

const X5T: &str = "has an x5t#s256 that is no SHA-256 fingerprint, in hexadecimal or base64url";
const X5C: &str = "has an x5c that is not an array of certificates in base64 or PEM";
const NEITHER: &str = "has neither x5c nor x5t#s256";

impl PartyCertificate {
    pub(super) fn read(entry: &Value) -> Self {
        let leaf = match entry.get("x5c") {
            None | Some(Value::Null) => Field::Absent,
            Some(x5c) => leaf(x5c).map_or(Field::Unreadable(X5C), Field::Is),
        };
        let fingerprint = match member(entry, &["x5t#s256", "x5t#S256"]) {
            None | Some((_, Value::Null)) => Field::Absent,
            Some((_, value)) => value
                .as_str()
                .and_then(fingerprint)
                .map_or(Field::Unreadable(X5T), Field::Is),
        };
        Self {
            subject_name: text(entry, &["subject_name", "subjectName"]).map(str::to_owned),
            leaf,
            fingerprint,
        }
    }

    /// Whether this is the certificate `der`.
    pub(super) fn agrees(&self, der: &[u8]) -> Agreement {
        let digest: [u8; 32] = Sha256::digest(der).into();
        match (&self.leaf, &self.fingerprint) {
            (Field::Is(leaf), _) if leaf == der => Agreement::Same,
            (Field::Is(_), _) => Agreement::Other,
            (_, Field::Is(fingerprint)) if *fingerprint == digest => Agreement::Same,
            (Field::Unreadable(why), _) | (Field::Absent, Field::Unreadable(why)) => {
                Agreement::Unreadable(why)
            }
            (Field::Absent, Field::Is(_)) => Agreement::Other,
            (Field::Absent, Field::Absent) => Agreement::Unreadable(NEITHER),
        }
    }

    /// SHA-256 of the certificate, from `x5c` or else as the registry gives it.
    fn sha256(&self) -> Option<[u8; 32]> {
        match (&self.leaf, &self.fingerprint) {
            (Field::Is(leaf), _) => Some(Sha256::digest(leaf).into()),
            (_, Field::Is(fingerprint)) => Some(*fingerprint),
            _ => None,
        }
    }
}

/// The certificate of `x5c` that is no CA's, or else the first. It is an array of strings (RFC 7515 section 4.1.6), that
/// array in quotes, as published examples have it, or one string.
fn leaf(x5c: &Value) -> Option<Vec<u8>> {
    let texts = match x5c {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(texts) => texts,
            Err(_) => vec![text.clone()],
        },
        _ => Vec::<String>::deserialize(x5c).ok()?,
    };
    let read = texts.iter().flat_map(|text| certificates(text));
    let read: Vec<_> = read.collect();
    let is_leaf = |der: &&Vec<u8>| Certificate::from_der(der).is_ok_and(|it| !it.is_ca());
    read.iter().find(is_leaf).or(read.first()).cloned()
}

/// What one of its strings holds: one in base64, with line breaks or without, or some in PEM; none that can be read.
fn certificates(text: &str) -> Vec<Vec<u8>> {
    if text.contains("-----BEGIN") {
        let read = Certificates::from_bytes(text.as_bytes());
        return read
            .map(|read| read.iter().map(<[u8]>::to_vec).collect())
            .unwrap_or_default();
    }
    let digits: String = text.split_ascii_whitespace().collect();
    Base64::decode_vec(&digits).into_iter().collect()
}

impl fmt::Display for PartyCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sha256() {
            Some(digest) => digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?,
            None => f.write_str("(cannot be read)")?,
        }
        match &self.subject_name {
            Some(name) => write!(f, "  {}", sanitize_for_display(name, None)),
            None => Ok(()),
        }
    }
}
