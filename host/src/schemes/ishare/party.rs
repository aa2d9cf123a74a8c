//! What a registry says about one party: its status, and its certificates.

mod certificate;

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, Chain, ChainError};
use privyseal_core::scheme::ISHARE;
use serde_json::{Map, Value};

use super::response::is_seal_of;
use super::{ResponseFault, text};
use crate::base::display::sanitize_for_display;
use crate::pki::Certificates;
use crate::pki::path::{PathError, PathOptions};
use crate::pki::revocation::RevocationOptions;

use certificate::Agreement;
pub use certificate::PartyCertificate;

/// One party, as the registry knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    ids: Vec<String>,
    status: String,
    certificates: Vec<PartyCertificate>,
    info: Value,
}

/// Why a party, or a certificate of it, is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartyFault {
    /// The registry found no such party.
    #[error("{}", self.text())]
    Unknown,
    /// The registry found several parties where one was asked for.
    #[error("{}", self.text())]
    Several,
    /// The registry answers with another party than was asked for.
    #[error("{}", self.text())]
    OtherParty,
    /// The status is not `Active`.
    #[error("{} but {}", self.text(), sanitize_for_display(status, None))]
    NotActive {
        /// What it is.
        status: String,
    },
    /// The certificate is none that the party registered.
    #[error("{}", self.text())]
    OtherCertificate,
    /// No registered certificate is the one, and one of them cannot be read; what is wrong with it.
    #[error("{}; one {}", self.text(), .0)]
    Unreadable(&'static str),
    /// The proven answer does not say what it should.
    #[error("{}", self.text())]
    Response(ResponseFault),
    /// The certificate says that it is another party's.
    #[error("{}", self.text())]
    OtherOrganization,
    /// The certificate is no seal.
    #[error("{}: {}", self.text(), .0)]
    NoSeal(ChainError),
    /// The certificate does not hold now.
    #[error("{}: {}", self.text(), .0)]
    Path(PathError),
}

impl PartyFault {
    /// The fault in words that are the same for every party.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Unknown => "the registry does not know the party",
            Self::Several => "the registry knows several parties of that id",
            Self::OtherParty => "the registry answers with another party than was asked for",
            Self::NotActive { .. } => "the registry says that the party is not Active",
            Self::OtherCertificate => "the certificate is none of those that the party registered",
            Self::Unreadable(_) => {
                "the certificate is none of the readable ones that the party registered"
            }
            Self::OtherOrganization => "the certificate is of another organization than the party",
            Self::NoSeal(_) => "the certificate is no seal",
            Self::Path(_) => "the certificate's chain does not hold",
            Self::Response(_) => "the registry's answer has no party_info of iSHARE's form",
        }
    }
}

/// Proves what the certificate of a party says by itself: that it is a seal of that party, is valid at `now` up to the
/// end of `chain`, and is not revoked. Whether the registry vouches for that end is another question.
///
/// # Errors
///
/// [`PartyFault::OtherOrganization`], [`PartyFault::NoSeal`], [`PartyFault::Path`].
pub fn prove_seal(
    party_id: &str,
    chain: &Chain<'_>,
    now: UnixTime,
    revocation: RevocationOptions<'_>,
) -> Result<(), PartyFault> {
    let ders: Vec<_> = chain
        .certificates()
        .iter()
        .map(|certificate| certificate.as_der().to_vec())
        .collect();
    let (Some(leaf), Some(end)) = (chain.leaf(), ders.last()) else {
        return Err(PartyFault::NoSeal(ChainError::Empty));
    };
    if leaf.is_ca() {
        return Err(PartyFault::NoSeal(ChainError::LeafIsCa));
    }
    ISHARE
        .check_leaf_key_usage(Some(leaf))
        .map_err(PartyFault::NoSeal)?;
    if !is_seal_of(party_id, leaf) {
        return Err(PartyFault::OtherOrganization);
    }
    let trust = Certificates::from(vec![end.clone()]);
    let proven = Certificates::from(ders)
        .prove(&trust, &PathOptions::at(now), revocation)
        .map(|_| ());
    proven.map_err(PartyFault::Path)
}

impl Party {
    /// Reads the one party out of proven claims: `party_info`, or `parties_info` that has found one.
    ///
    /// # Errors
    ///
    /// [`PartyFault::Unknown`], [`PartyFault::Several`]; [`PartyFault::Response`] for claims of another form.
    pub fn from_claims(claims: &Map<String, Value>) -> Result<Self, PartyFault> {
        let one = ["party_info", "partyInfo"]
            .iter()
            .find_map(|name| claims.get(*name));
        let info = match one {
            Some(info) => info,
            None => found(claims)?,
        };
        Self::read(info).ok_or(PartyFault::Response(ResponseFault::Member("party_info")))
    }

    fn read(info: &Value) -> Option<Self> {
        let ids = ["party_id", "partyId", "id", "alsoKnownAs"];
        let ids = ids.iter().filter_map(|name| info.get(*name));
        let ids: Vec<_> = ids.flat_map(texts).collect();
        let certificates = match info.get("certificates") {
            Some(Value::Array(certificates)) => certificates.as_slice(),
            _ => &[],
        };
        Some(Self {
            ids: (!ids.is_empty()).then_some(ids)?,
            status: text(info.get("adherence")?, &["status"])?.to_owned(),
            certificates: certificates.iter().map(PartyCertificate::read).collect(),
            info: info.clone(),
        })
    }

    /// Every id that the party has.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// `Active`, or what else the registry says (`Pending`, `NotActive`, `Revoked`).
    pub fn status(&self) -> &str {
        &self.status
    }

    /// Whether the status is `Active`. Dates beside it are not judged: the status is what counts.
    pub fn is_active(&self) -> bool {
        self.status == "Active"
    }

    /// The certificates that the party registered.
    pub fn certificates(&self) -> &[PartyCertificate] {
        &self.certificates
    }

    /// All that the registry says, as it wrote it.
    pub const fn info(&self) -> &Value {
        &self.info
    }

    /// Whether this is the party of that id.
    ///
    /// # Errors
    ///
    /// [`PartyFault::OtherParty`].
    pub fn check_id(&self, id: &str) -> Result<(), PartyFault> {
        if self.ids.iter().any(|known| known == id) {
            return Ok(());
        }
        Err(PartyFault::OtherParty)
    }

    /// Whether the party is active.
    ///
    /// # Errors
    ///
    /// [`PartyFault::NotActive`].
    pub fn check_active(&self) -> Result<(), PartyFault> {
        if self.is_active() {
            return Ok(());
        }
        Err(PartyFault::NotActive {
            status: self.status.clone(),
        })
    }

    /// Whether `leaf` is one of the party's certificates, by `x5c` or by `x5t#s256`. An entry that has both
    /// is compared by `x5c`: a whole certificate cannot be a slip of the pen, and published examples have
    /// fingerprints that match nothing.
    ///
    /// # Errors
    ///
    /// [`PartyFault::OtherCertificate`], [`PartyFault::Unreadable`].
    pub fn check_certificate(&self, leaf: &Certificate<'_>) -> Result<(), PartyFault> {
        let der = leaf.as_der();
        let mut agreements = self.certificates.iter().map(|entry| entry.agrees(der));
        if agreements.clone().any(|it| it == Agreement::Same) {
            return Ok(());
        }
        // What cannot be read may be what should have matched.
        Err(agreements
            .find_map(|agreement| match agreement {
                Agreement::Unreadable(why) => Some(PartyFault::Unreadable(why)),
                Agreement::Same | Agreement::Other => None,
            })
            .unwrap_or(PartyFault::OtherCertificate))
    }

    /// What the registry says, as JSON.
    pub fn to_json(&self) -> Value {
        serde_json::json!({ "active": self.is_active(), "party_info": self.info })
    }
}

/// The one party that a search found.
fn found(claims: &Map<String, Value>) -> Result<&Value, PartyFault> {
    let search = ["parties_info", "partiesInfo"];
    let search = search.iter().find_map(|name| claims.get(*name));
    let data = search.and_then(|search| search.get("data")?.as_array());
    match data.map(Vec::as_slice) {
        Some([one]) => Ok(one),
        Some([]) => Err(PartyFault::Unknown),
        Some(_) => Err(PartyFault::Several),
        None => Err(PartyFault::Response(ResponseFault::Member("party_info"))),
    }
}

/// A string, or an array of strings.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

impl core::fmt::Display for Party {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let shown = |text: &str| sanitize_for_display(text, None);
        writeln!(f, "party         {}", shown(&self.ids.join(", ")))?;
        if let Some(name) = text(&self.info, &["party_name", "partyName", "name"]) {
            writeln!(f, "name          {}", shown(name))?;
        }
        write!(f, "status        {}", shown(&self.status))?;
        for certificate in &self.certificates {
            write!(f, "\ncertificate   {certificate}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
