//! Why a registry does not vouch for a party.

use core::fmt;

use crate::schemes::ishare::AnswerFault;

/// Why a party, or a certificate of it, is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartyFault {
    /// The registry found no such party.
    Unknown,
    /// The registry found several parties where one was asked for.
    Several,
    /// The registry answers with another party than was asked for.
    OtherParty,
    /// The status is not `Active`.
    NotActive {
        /// What it is.
        status: String,
    },
    /// The certificate is none that the party registered.
    OtherCertificate,
    /// No registered certificate is the one, and one of them cannot be read; what is wrong with it.
    Unreadable(&'static str),
    /// The proven answer does not say what it should.
    Answer(AnswerFault),
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
            Self::Answer(_) => "the registry's answer has no party_info of iSHARE's form",
        }
    }
}

impl fmt::Display for PartyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        match self {
            Self::NotActive { status } => {
                let status = crate::base::display::sanitize_for_display(status, None);
                write!(f, "{text} but {status}")
            }
            Self::Unreadable(why) => write!(f, "{text}; one {why}"),
            _ => f.write_str(text),
        }
    }
}

impl core::error::Error for PartyFault {}
