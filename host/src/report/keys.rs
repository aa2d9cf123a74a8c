//! What is on a token: each key and certificate as a URI to paste, with what makes it fit or unfit.

#[cfg(feature = "gateway")]
mod device;
#[cfg(feature = "pkcs11")]
mod scan;

use core::fmt;

#[cfg(any(feature = "pkcs11", feature = "yubihsm"))]
use privyseal_core::RsaPublicKey;
use privyseal_core::cert::Certificate;
use privyseal_core::{SchemeRules, UnixTime};
use privyseal_hsm::SecretProvider;
#[cfg(any(feature = "pkcs11", feature = "yubihsm"))]
use privyseal_hsm::{FitnessNote, ListedKey, Listing};
use serde::Serialize;

use super::chain::{CertificateReport, WARN_DAYS, ends_soon};
use crate::keys::key::{KeyUri, SignerOptions};
use crate::keys::{KeyError, SignerFailure};

#[cfg(feature = "pkcs11")]
pub use scan::{ModuleScan, TokenScan};

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
    /// Whether it can sign assertions; `None` where that shows after a login only.
    pub fit: Option<bool>,
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
    /// What will be: its end is near.
    pub warnings: Vec<String>,
}

/// What certificates are judged by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KeyCheckOptions {
    /// The moment for which dates are judged.
    pub now: UnixTime,
    /// The scheme whose rule on the key usage applies to a key's certificate; none: usage is not judged.
    pub scheme: Option<&'static SchemeRules>,
    /// How many days before a certificate ends that is worth a note.
    pub warn_days: u32,
}

impl KeyCheckOptions {
    /// Dates at `now`, and no scheme.
    pub const fn at(now: UnixTime) -> Self {
        Self {
            now,
            scheme: None,
            warn_days: WARN_DAYS,
        }
    }
}

impl KeyReport {
    /// Lists the keys and certificates that `uri` fits; a reference to a token fits all on it. Keys are
    /// judged by `policy`, and their certificates by `judge`.
    ///
    /// # Errors
    ///
    /// Trouble with the key's token, or an access policy that is not for this kind of key.
    pub fn list(
        uri: &KeyUri,
        secrets: &mut dyn SecretProvider,
        policy: &SignerOptions,
        judge: KeyCheckOptions,
    ) -> Result<Self, KeyError> {
        uri.check_policy(policy)?;
        match *uri {
            #[cfg(feature = "pkcs11")]
            KeyUri::Pkcs11(ref uri) => {
                let listing = privyseal_pkcs11::list(uri, secrets, &policy.keep_pin(true));
                Ok(Self::new(&listing.map_err(SignerFailure::new)?, judge))
            }
            #[cfg(feature = "yubihsm")]
            KeyUri::Yubihsm(ref uri) => {
                let listing = privyseal_yubihsm::list(uri, secrets, &policy.keep_pin(true));
                Ok(Self::new(&listing.map_err(SignerFailure::new)?, judge))
            }
            #[cfg(feature = "gateway")]
            KeyUri::Device(ref uri) => Ok(Self::of_device(
                uri,
                &privyseal_gateway::DeviceKey::open(uri)?,
                judge,
            )?),
        }
    }

    #[cfg(any(feature = "pkcs11", feature = "yubihsm"))]
    fn new<U: fmt::Display>(listing: &Listing<U>, judge: KeyCheckOptions) -> Self {
        let certificates = listing.certificates.iter().map(|it| {
            let key = it.key.as_ref().map(U::to_string);
            CertificateEntry::new(it.uri.to_string(), &it.der, key, judge)
        });
        let hidden = (listing.hidden > 0).then(|| {
            format!(
                "{} objects of the device are not listed: they are in other domains, or of a kind that the yubihsm \
                 library does not know (which can hide others; name those by id)",
                listing.hidden
            )
        });
        Self {
            keys: listing.keys.iter().map(KeyEntry::new).collect(),
            certificates: certificates.collect(),
            notes: hidden.into_iter().collect(),
        }
        .with_keys_judged()
    }

    /// A key is as good as its best certificate: what is wrong with all that it has makes it unfit.
    fn with_keys_judged(mut self) -> Self {
        for key in &mut self.keys {
            let own = |it: &&CertificateEntry| it.key.as_ref() == Some(&key.uri);
            let own: Vec<_> = self.certificates.iter().filter(own).collect();
            let say = |note| format!("its certificate {note}");
            let good: Vec<_> = own.iter().filter(|it| it.notes.is_empty()).collect();
            if own.is_empty() || !good.is_empty() {
                if good.iter().all(|it| !it.warnings.is_empty()) {
                    let warnings = good.iter().flat_map(|it| &it.warnings);
                    key.notes.extend(warnings.map(say));
                }
                continue;
            }
            key.notes
                .extend(own.iter().flat_map(|it| &it.notes).map(say));
            key.fit = key.fit.map(|_| false);
        }
        self
    }
}

#[cfg(any(feature = "pkcs11", feature = "yubihsm"))]
impl KeyEntry {
    fn new<U: fmt::Display>(key: &ListedKey<U>) -> Self {
        let kind = |key: &RsaPublicKey| format!("RSA-{}", key.bits());
        let notes = key
            .notes
            .iter()
            .filter(|note| **note != FitnessNote::Unseen);
        Self {
            uri: key.uri.to_string(),
            kind: key.public_key.as_ref().map(kind),
            mechanism: key.mechanism.map(str::to_owned),
            fit: (!key.notes.contains(&FitnessNote::Unseen)).then(|| key.is_fit()),
            notes: notes.map(ToString::to_string).collect(),
        }
    }
}

impl CertificateEntry {
    fn new(uri: String, der: &[u8], key: Option<String>, judge: KeyCheckOptions) -> Self {
        let mut warnings = Vec::new();
        let (content, notes) = match Certificate::from_der(der) {
            Ok(certificate) => {
                warnings.extend(ends_soon(&certificate, judge.now, judge.warn_days));
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
            warnings,
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
        let fit = match self.fit {
            Some(true) => "fit to sign",
            Some(false) => "unfit",
            None => "shows after a login",
        };
        write!(f, "{}\n  private key, {kind}: {fit}", self.uri)?;
        if let Some(mechanism) = self.mechanism.as_ref().filter(|_| self.fit == Some(true)) {
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
            write!(f, "\n  sha256 {}", content.x5t_s256_hex)?;
        }
        if let Some(key) = &self.key {
            write!(f, "\n  for {key}")?;
        }
        self.notes
            .iter()
            .chain(&self.warnings)
            .try_for_each(|note| write!(f, "\n  {note}"))
    }
}
