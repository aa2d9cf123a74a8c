//! The trusted list: which CAs may issue the seals of iSHARE's parties.

use core::fmt;

use privyseal_core::cert::{Certificate, Chain};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{ResponseFault, fingerprint, text};
use crate::base::display::sanitize_for_display;

/// The CAs on the list, in its order. Serialised, it has the members of iSHARE's `trusted_list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TrustedList {
    entries: Vec<TrustedCa>,
}

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TrustedCa {
    /// The CA's subject name, as the registry writes it.
    pub subject: String,
    /// SHA-256 of the CA's certificate, as the registry writes it.
    #[serde(rename = "certificate_fingerprint")]
    pub fingerprint: String,
    /// `valid` or `invalid`.
    pub validity: String,
    /// `granted`, `withdrawn`, `supervisionceased` or `undersupervision`.
    pub status: String,
}

/// Why the list does not vouch for a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListFault {
    /// No CA of the chain is on the list.
    #[error("none of the chain's CAs is on the trusted list")]
    NotListed,
    /// A CA of the chain is on the list with a `validity` other than `valid`.
    #[error(
        "the chain's CA is on the trusted list as {}, not valid",
        sanitize_for_display(validity, None)
    )]
    NotValid {
        /// What the list says.
        validity: String,
    },
    /// A CA of the chain is on the list with a `status` other than `granted`.
    #[error(
        "the chain's CA is on the trusted list as {}, not granted",
        sanitize_for_display(status, None)
    )]
    NotGranted {
        /// What the list says.
        status: String,
    },
    /// The entry with the fingerprint of a CA has another name than the CA.
    #[error("the trusted list has the CA's fingerprint under the name of another CA")]
    OtherSubject,
}

impl TrustedList {
    /// Reads the list out of proven claims. An entry without a fingerprint vouches for nobody, and is left out.
    ///
    /// # Errors
    ///
    /// [`ResponseFault::Member`] if there is none, or if it has entries and none has a fingerprint.
    pub fn from_claims(claims: &Map<String, Value>) -> Result<Self, ResponseFault> {
        let list = ["trusted_list", "trustedList"]
            .iter()
            .find_map(|name| claims.get(*name)?.as_array());
        let list = list.ok_or(ResponseFault::Member("trusted_list"))?;
        let entries: Vec<_> = list.iter().filter_map(TrustedCa::read).collect();
        if entries.is_empty() && !list.is_empty() {
            return Err(ResponseFault::Member("trusted_list"));
        }
        Ok(Self { entries })
    }

    /// The CAs.
    pub fn entries(&self) -> &[TrustedCa] {
        &self.entries
    }

    /// Whether a CA on the list issued the leaf of `chain`, directly or through CAs that are in the chain:
    /// the first CA above the leaf that is listed decides, and each of its entries must trust it. That the links hold is the
    /// caller's business ([`Chain::prove`]).
    ///
    /// # Errors
    ///
    /// [`ListFault`].
    pub fn vouches_for(&self, chain: &Chain<'_>) -> Result<(), ListFault> {
        let mut authorities = chain.certificates().iter().skip(1);
        let listed = authorities.find(|ca| self.entries_of(ca).next().is_some());
        let ca = listed.ok_or(ListFault::NotListed)?;
        self.entries_of(ca)
            .try_for_each(|entry| entry.vouches_for(ca))
    }

    fn entries_of(&self, ca: &Certificate<'_>) -> impl Iterator<Item = &TrustedCa> {
        let digest: [u8; 32] = Sha256::digest(ca.as_der()).into();
        let entries = self.entries.iter();
        entries.filter(move |entry| fingerprint(&entry.fingerprint) == Some(digest))
    }
}

impl TrustedCa {
    /// What else cannot be read does not trust the CA; that it is listed still counts.
    fn read(entry: &Value) -> Option<Self> {
        let own = |names: &[&'static str]| text(entry, names).map(str::to_owned);
        Some(Self {
            subject: own(&["subject"]).unwrap_or_default(),
            fingerprint: own(&["certificate_fingerprint", "certificateFingerprint"])?,
            validity: own(&["validity"]).unwrap_or_else(|| "unknown".into()),
            status: own(&["status"]).unwrap_or_else(|| "unknown".into()),
        })
    }

    /// Whether the CA may issue now: valid and granted.
    pub fn is_trusted(&self) -> bool {
        self.is_valid() && self.is_granted()
    }

    fn is_valid(&self) -> bool {
        self.validity.eq_ignore_ascii_case("valid")
    }

    fn is_granted(&self) -> bool {
        self.status.eq_ignore_ascii_case("granted")
    }

    fn vouches_for(&self, ca: &Certificate<'_>) -> Result<(), ListFault> {
        if !self.is_valid() {
            return Err(ListFault::NotValid {
                validity: self.validity.clone(),
            });
        }
        if !self.is_granted() {
            return Err(ListFault::NotGranted {
                status: self.status.clone(),
            });
        }
        match (self.common_name(), ca.subject().common_name()) {
            (Some(listed), Some(name)) if listed != name => Err(ListFault::OtherSubject),
            _ => Ok(()),
        }
    }

    /// The common name in the entry's subject, if it can be told. Registries write the rest of the name in
    /// different orders and with different names of attributes.
    fn common_name(&self) -> Option<&str> {
        let is_plain = !self.subject.contains(['\\', '"', '+']);
        let mut parts = self.subject.split(',').filter(|_| is_plain);
        parts.find_map(|part| Some(part.trim().strip_prefix("CN=")?.trim()))
    }
}

impl fmt::Display for TrustedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| sanitize_for_display(text, None);
        let lines = self.entries.iter().map(|entry| {
            let word = if entry.is_trusted() { "trusted" } else { "not" };
            let (validity, status) = (shown(&entry.validity), shown(&entry.status));
            let subject = shown(&entry.subject);
            format!("{word:<8} {validity}, {status}: {subject}")
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
