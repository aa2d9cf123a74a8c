//! What is on a token: each key and certificate as a URI to paste, with what makes it fit or unfit.

#[cfg(feature = "gateway")]
mod device;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(feature = "yubihsm")]
mod yubihsm;

use core::fmt;

use privyseal_core::cert::Certificate;
use privyseal_core::{SchemeRules, UnixTime};
use privyseal_hsm::SecretProvider;
use serde::Serialize;

use super::CertificateReport;
use crate::keys::key::{AccessPolicy, KeyUri};
use crate::keys::{KeyError, SignerFailure};

/// The keys and certificates of a token, judged at one moment.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct KeyReport {
    /// The private keys.
    pub keys: Vec<KeyEntry>,
    /// The certificates.
    pub certificates: Vec<CertificateEntry>,
    /// What the list may lack.
    pub notes: Vec<String>,
}

/// A private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyEntry {
    /// Names it, ready to paste after `--key`.
    pub uri: String,
    /// `RSA-2048`; `None` where it is no RSA key of a supported size, or hides it.
    pub kind: Option<String>,
    /// The PKCS #11 mechanism that would sign.
    pub mechanism: Option<String>,
    /// Whether it can sign assertions.
    pub fit: bool,
    /// Why not, and warnings.
    pub notes: Vec<String>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateEntry {
    /// Names it, ready to paste.
    pub uri: String,
    /// What it says; `None` where it cannot be read.
    #[serde(rename = "certificate")]
    pub content: Option<CertificateReport>,
    /// The listed key that it is for, as a URI.
    pub key: Option<String>,
    /// What is wrong with it at the moment.
    pub notes: Vec<String>,
}

/// What certificates are judged by.
#[derive(Clone, Copy, Debug)]
struct Judge {
    /// The moment for which dates are judged.
    now: UnixTime,
    /// The scheme whose rule on the key usage applies to a key's certificate; none: usage is not judged.
    scheme: Option<&'static SchemeRules>,
}

impl KeyReport {
    /// Lists the keys and certificates that `uri` fits; a reference to a token fits all on it. Keys are
    /// judged by `policy`, and their certificates at `now` and for `scheme`, if there is one.
    ///
    /// # Errors
    ///
    /// Trouble with the key's token, or an access policy that is not for this kind of key.
    pub fn list(
        uri: &KeyUri,
        secrets: &mut dyn SecretProvider,
        policy: &AccessPolicy,
        now: UnixTime,
        scheme: Option<&'static SchemeRules>,
    ) -> Result<Self, KeyError> {
        let judge = Judge { now, scheme };
        match *uri {
            #[cfg(feature = "pkcs11")]
            KeyUri::Pkcs11(ref uri) => {
                let listed = privyseal_pkcs11::list(uri, secrets, &policy.keeping_the_pin());
                Ok(Self::of_pkcs11(&listed.map_err(SignerFailure::new)?, judge))
            }
            #[cfg(feature = "yubihsm")]
            KeyUri::Yubihsm(ref uri) => {
                let listing = privyseal_yubihsm::list(uri, secrets, &policy.keeping_the_pin());
                Ok(Self::of_yubihsm(
                    &listing.map_err(SignerFailure::new)?,
                    judge,
                ))
            }
            #[cfg(feature = "gateway")]
            KeyUri::Device(ref uri) => {
                policy.fits_device(uri)?;
                Ok(Self::of_device(
                    uri,
                    &privyseal_gateway::DeviceKey::open(uri)?,
                    judge,
                )?)
            }
        }
    }

    /// A key is as good as its best certificate: what is wrong with all that it has makes it unfit.
    fn with_keys_judged(mut self) -> Self {
        for key in &mut self.keys {
            let own = |it: &&CertificateEntry| it.key.as_ref() == Some(&key.uri);
            let own: Vec<_> = self.certificates.iter().filter(own).collect();
            if own.is_empty() || own.iter().any(|it| it.notes.is_empty()) {
                continue;
            }
            let notes = own.iter().flat_map(|it| &it.notes);
            key.notes
                .extend(notes.map(|note| format!("its certificate {note}")));
            key.fit = false;
        }
        self
    }
}

impl CertificateEntry {
    fn new(uri: String, der: &[u8], key: Option<String>, judge: Judge) -> Self {
        let (content, notes) = match Certificate::from_der(der) {
            Ok(certificate) => {
                let mut notes = dates(&certificate, judge.now);
                notes.extend(key.as_ref().and_then(|_| usage(&certificate, judge.scheme)));
                (Some(CertificateReport::new(&certificate)), notes)
            }
            Err(error) => (None, vec![error.to_string()]),
        };
        Self {
            uri,
            content,
            key,
            notes,
        }
    }
}

fn dates(certificate: &Certificate<'_>, now: UnixTime) -> Vec<String> {
    if now < certificate.not_before() {
        vec![format!("is valid from {} only", certificate.not_before())]
    } else if now > certificate.not_after() {
        vec![format!("expired at {}", certificate.not_after())]
    } else {
        Vec::new()
    }
}

fn usage(leaf: &Certificate<'_>, scheme: Option<&SchemeRules>) -> Option<String> {
    let refused = scheme?.check_leaf_key_usage(Some(leaf)).err()?;
    Some(format!("does not fit {}: {refused}", scheme?.title()))
}

impl fmt::Display for KeyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keys.is_empty() && self.certificates.is_empty() {
            return f.write_str("no private key and no certificate on this token fits the URI");
        }
        let entries = self.keys.iter().map(ToString::to_string);
        let certificates = self.certificates.iter().map(ToString::to_string);
        let notes = self.notes.iter().cloned();
        let entries: Vec<_> = entries.chain(certificates).chain(notes).collect();
        f.write_str(&entries.join("\n\n"))
    }
}

impl fmt::Display for KeyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self
            .kind
            .as_deref()
            .unwrap_or("of a kind that cannot be used");
        let fit = if self.fit { "fit to sign" } else { "unfit" };
        write!(f, "{}\n  private key, {kind}: {fit}", self.uri)?;
        if let Some(mechanism) = self.mechanism.as_ref().filter(|_| self.fit) {
            write!(f, " with {mechanism}")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| write!(f, "\n  {note}"))
    }
}

impl fmt::Display for CertificateEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  certificate", self.uri)?;
        if let Some(content) = &self.content {
            let kind = if content.is_ca { " of a CA" } else { "" };
            write!(
                f,
                "{kind}: {}\n  valid {} to {}",
                content.subject, content.not_before, content.not_after
            )?;
            if let Some(usages) = &content.key_usages {
                write!(f, ", usage {}", usages.join(", "))?;
            }
        }
        if let Some(key) = &self.key {
            write!(f, "\n  for {key}")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| write!(f, "\n  {note}"))
    }
}
