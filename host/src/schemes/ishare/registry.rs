//! Asks a participant registry.

use privyseal_core::UnixTime;
use privyseal_core::scheme::{PartyLookup, SchemeRules};
use privyseal_core::token::request::write_escaped;
use serde_json::{Map, Value};

use super::{Expected, IshareError, Party, PartyFault, TrustedList, member};
use crate::base::clock;
use crate::http::{BaseUrl, Http};
use crate::jose::jws::unique_members;
use crate::oauth::{self, AccessToken, OAuthError};

/// "Trusted list" of iSHARE's developer portal, below the registry's base URL.
const TRUSTED_LIST: &str = "/trusted_list";

/// "Parties" of iSHARE's developer portal, below the registry's base URL.
const PARTIES: &str = "/parties";

const LIST_TOKEN: &[&str] = &["trusted_list_token", "trustedListToken"];
const PARTY_TOKEN: &[&str] = &["party_token", "partyToken", "parties_token", "partiesToken"];

/// A registry that has given us an access token.
#[derive(Clone, Copy, Debug)]
pub struct Registry<'a> {
    http: &'a Http,
    base: &'a BaseUrl,
    token: &'a AccessToken,
    expected: Expected<'a>,
    now: Option<UnixTime>,
}

/// Which party is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartyQuery<'a> {
    /// iSHARE 2: `/parties/{party_id}`.
    Id(&'a str),
    /// iSHARE 1.x: `/parties?eori=..`, with `certificate_subject_name` if there is one.
    Eori {
        /// The party id.
        eori: &'a str,
        /// The subject of the certificate ([`super::subject::text`]).
        subject_name: Option<&'a str>,
    },
}

impl<'a> Registry<'a> {
    /// The registry at `base` that gave `token`, and must prove to be the registry that `expected` names. Its responses are
    /// judged by the machine's clock.
    pub const fn new(
        http: &'a Http,
        base: &'a BaseUrl,
        token: &'a AccessToken,
        expected: Expected<'a>,
    ) -> Self {
        Self {
            http,
            base,
            token,
            expected,
            now: None,
        }
    }

    /// The same, whose responses are judged at `now`.
    #[must_use]
    pub const fn at(mut self, now: UnixTime) -> Self {
        self.now = Some(now);
        self
    }

    /// The trusted list, proved.
    ///
    /// # Errors
    ///
    /// [`IshareError::OAuth`] if there is no response; [`IshareError::Response`] if it is not proved.
    pub fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        let (name, claims) = self.ask(TRUSTED_LIST, LIST_TOKEN)?;
        TrustedList::from_claims(&claims).map_err(|fault| IshareError::Response { name, fault })
    }

    /// What the registry says about a party, proved; whatever its status is. It is the party that was asked
    /// for.
    ///
    /// # Errors
    ///
    /// As [`Registry::trusted_list`]; [`IshareError::Party`] if the registry answers with none, several, or
    /// another.
    pub fn party(&self, query: PartyQuery<'_>) -> Result<Party, IshareError> {
        let (name, claims) = self.ask(&query.path(), PARTY_TOKEN)?;
        let party = Party::from_claims(&claims).and_then(|party| {
            party.check_id(query.id())?;
            Ok(party)
        });
        party.map_err(|fault| match fault {
            PartyFault::Response(fault) => IshareError::Response { name, fault },
            fault => IshareError::Party(fault),
        })
    }

    /// The proven claims of a response that has one of these members.
    fn ask(
        &self,
        path: &str,
        names: &[&'static str],
    ) -> Result<(&'static str, Map<String, Value>), IshareError> {
        let body = oauth::call(self.http, self.base, path, self.token)?;
        let now = self
            .now
            .map_or_else(clock::now, Ok)
            .map_err(OAuthError::from)?;
        let answer: Value = unique_members(&body).unwrap_or_default();
        let found = member(&answer, names);
        let found = found.and_then(|(name, token)| Some((name, token.as_str()?)));
        let Some((name, token)) = found else {
            let url = self.base.join(path).map_err(OAuthError::from)?;
            let wanted = names.first().copied().unwrap_or_default();
            return Err(OAuthError::response(&url, format!("the answer has no {wanted}")).into());
        };
        let claims = self.expected.claims(token, now);
        let claims = claims.map_err(|fault| IshareError::Response { name, fault })?;
        Ok((name, claims))
    }
}

impl<'a> PartyQuery<'a> {
    /// As the registry of `scheme` is asked; by the id where it has none.
    pub fn of(scheme: &SchemeRules, id: &'a str, subject_name: Option<&'a str>) -> Self {
        match scheme.registry().map(|rule| rule.value()) {
            Some(PartyLookup::EoriAndSubject) => Self::Eori {
                eori: id,
                subject_name,
            },
            Some(PartyLookup::Id) | None => Self::Id(id),
        }
    }

    /// The party id.
    pub const fn id(&self) -> &'a str {
        match self {
            Self::Id(id) | Self::Eori { eori: id, .. } => id,
        }
    }

    /// The path and the query below the registry's base URL.
    pub fn path(&self) -> String {
        match self {
            Self::Id(id) => format!("{PARTIES}/{}", encoded(id)),
            Self::Eori { eori, subject_name } => {
                let eori = encoded(eori);
                let subject = subject_name.map(encoded);
                let subject = subject.map(|name| format!("&certificate_subject_name={name}"));
                format!("{PARTIES}?eori={eori}{}", subject.unwrap_or_default())
            }
        }
    }
}

fn encoded(text: &str) -> String {
    let mut out = Vec::new();
    let Ok(()) = write_escaped(&mut out, text);
    // All of it is ASCII.
    out.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        let id = PartyQuery::Id("did:ishare:EU.NL.NTRNL-10000001");
        assert_eq!(id.path(), "/parties/did%3Aishare%3AEU.NL.NTRNL-10000001");
        let eori = "EU.EORI.NL000000001";
        let old = |subject_name| PartyQuery::Eori { eori, subject_name }.path();
        assert_eq!(old(None), "/parties?eori=EU.EORI.NL000000001");
        assert_eq!(
            old(Some("C=NL, CN=A & B")),
            "/parties?eori=EU.EORI.NL000000001&certificate_subject_name=C%3DNL%2C%20CN%3DA%20%26%20B"
        );
        assert_eq!(
            PartyQuery::Id("../../evil?x#y").path(),
            "/parties/..%2F..%2Fevil%3Fx%23y"
        );
        assert_eq!(old(Some("C=NL")).find('#'), None);
    }
}
