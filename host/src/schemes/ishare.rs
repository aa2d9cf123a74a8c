//! What an iSHARE participant registry (before: scheme owner, satellite) says, believed only once it is proved.
//!
//! A registry answers with signed tokens. [`Registry`] gets them with an access token, proves them
//! (`response`), and gives the [`TrustedList`] of CAs and what is known of one [`Party`]. With both, a service
//! provider judges a client assertion that came in: the crate `privyseal-receiver` does.
//!
//! Revocation is checked with what the caller gives ([`Expected::revocation`]): a registry's response is refused if its
//! seal or a CA above it was revoked, or if that cannot be told. Without anything given it is not checked.
//!
//! Sources: "Certificate validation" of iSHARE 2.1 and 1.x, and the pages "Trusted list" and "Parties" of the
//! developer portal. Where versions write a member differently (`party_token`, `partyToken`,
//! `parties_token`), each is read.

#[cfg(feature = "login")]
mod identity_provider;
mod party;
mod registry;
mod response;
pub mod subject;
mod trusted_list;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::encoding::unhex;
use serde_json::Value;

use crate::oauth::OAuthError;

#[cfg(feature = "login")]
pub use identity_provider::identity_provider;
pub use party::{Party, PartyCertificate, PartyFault, prove_seal};
pub use registry::{PartyQuery, Registry};
pub use response::{Expected, ResponseFault, RuleOutcome};
pub use trusted_list::{ListFault, TrustedCa, TrustedList};

/// Why a registry tells nothing that can be believed, or vouches for nobody.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IshareError {
    /// The registry cannot be asked, refused, or answered with something else than was asked for.
    #[error("{0}")]
    OAuth(#[from] OAuthError),
    /// The signed response is not proved.
    #[error("the registry's {name} {fault}")]
    Response {
        /// Which: `party_token`, `trusted_list_token` and the like.
        name: &'static str,
        /// Why.
        fault: ResponseFault,
    },
    /// The trusted list does not vouch for a chain.
    #[error("{0}")]
    List(#[from] ListFault),
    /// The registry does not vouch for a party or its certificate.
    #[error("{0}")]
    Party(#[from] PartyFault),
}

/// The first of these members that is there.
fn member<'v>(object: &'v Value, names: &[&'static str]) -> Option<(&'static str, &'v Value)> {
    names
        .iter()
        .find_map(|name| object.get(name).map(|value| (*name, value)))
}

/// A SHA-256 fingerprint as registries write it: hexadecimal, with colons or without, or base64url, as RFC 7515 has it.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let is_digit = |character: &char| *character != ':' && !character.is_whitespace();
    let digits: String = text.chars().filter(is_digit).collect();
    let base64url = || Base64UrlUnpadded::decode_vec(digits.trim_end_matches('=')).ok();
    unhex(&digits).or_else(|| base64url()?.try_into().ok())
}

/// The text of the first of these members that is there.
fn text<'v>(object: &'v Value, names: &[&'static str]) -> Option<&'v str> {
    member(object, names).and_then(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_several_names() {
        let object = serde_json::json!({"partyToken": "a", "b": 1});
        let names = ["party_token", "partyToken"];
        assert_eq!(text(&object, &names), Some("a"));
        assert_eq!(text(&object, &["b"]), None);
        assert_eq!(member(&object, &["c"]), None);
    }
}
