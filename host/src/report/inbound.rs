//! A client assertion that came in, judged as iSHARE's service providers must: by itself, by the trusted
//! list, and by what the registry says about the party.

use privyseal_check::{Registry as PartyRegistry, RuleId, Verdict, Violation};
use privyseal_core::cert::{Certificate, Chain};
use privyseal_core::{Audience, Scheme, UnixTime};

use super::{TokenCheckOptions, TokenReport};
use crate::jose::jws::Jws;
use crate::oauth::OAuthError;
use crate::pki::revocation::RevocationOptions;
use crate::schemes::ishare::{
    IshareError, ListFault, Party, PartyFault, PartyQuery, Registry, TrustedList,
};

/// What to judge an assertion by, besides the registry.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Inbound<'a> {
    /// Our own party id, which must be its audience.
    pub audience: Audience<'a>,
    /// The moment.
    pub now: UnixTime,
    /// By what revocation is judged.
    pub revocation: RevocationOptions<'a>,
    /// The scheme whose rules apply, and by whose registry the party is looked up.
    pub scheme: &'static Scheme,
}

impl<'a> Inbound<'a> {
    /// For the party `audience` of `scheme` at `now`; revocation is not checked.
    pub fn new(scheme: &'static Scheme, audience: Audience<'a>, now: UnixTime) -> Self {
        Self {
            audience,
            now,
            revocation: RevocationOptions::default(),
            scheme,
        }
    }
}

/// Judges `token`. The registry is asked only if the signature holds: an assertion that anybody could have
/// written costs no request.
///
/// In the report, `chain-trusted` is what the trusted list says and `party-status` what the party's record
/// says. Whether the `jti` was seen before is the caller's business.
///
/// # Errors
///
/// Trouble with the registry, or a response of it that is not proved.
pub fn judge_assertion(
    token: &str,
    inbound: Inbound<'_>,
    registry: &Registry<'_>,
) -> Result<TokenReport, IshareError> {
    let mut options = TokenCheckOptions::at(inbound.now);
    options.scheme = Some(inbound.scheme);
    options.audience = Some(inbound.audience);
    // The chain is not trusted yet, so nothing is asked where it points.
    options.revocation = RevocationOptions {
        fetch: None,
        ..inbound.revocation
    };
    let alone = TokenReport::new(token, options);
    let jws = Jws::parse_signed_with(token.trim(), inbound.scheme.algorithms().value());
    let issuer = jws.ok().and_then(|jws| jws.unverified_claim("iss"));
    let (Some(Verdict::Passed), Some(issuer)) = (alone.report.verdict(RuleId::Signature), issuer)
    else {
        return Ok(alone);
    };
    let record = Record::of(PartyQuery::of(inbound.scheme, &issuer, None), registry)?;
    options.registry = Some(&record);
    options.revocation = inbound.revocation;
    Ok(TokenReport::new(token, options))
}

/// What the registry said.
struct Record {
    list: TrustedList,
    party: Result<Party, PartyFault>,
}

impl Record {
    fn of(query: PartyQuery<'_>, registry: &Registry<'_>) -> Result<Self, IshareError> {
        let list = registry.trusted_list()?;
        let party = match registry.party(query) {
            Ok(party) => Ok(party),
            Err(IshareError::OAuth(OAuthError::Refused(refusal))) if refusal.status() == 404 => {
                Err(PartyFault::Unknown)
            }
            Err(IshareError::Party(fault)) => Err(fault),
            Err(error) => return Err(error),
        };
        Ok(Self { list, party })
    }
}

impl PartyRegistry for Record {
    fn trusts(&self, chain: &Chain<'_>) -> Verdict {
        match self.list.vouches_for(chain) {
            Ok(()) => Verdict::Passed,
            Err(fault) => Verdict::Broken(Violation::Text(match fault {
                ListFault::NotListed => "has no CA that is on the trusted list",
                ListFault::NotValid { .. } => "has a CA that the trusted list calls not valid",
                ListFault::NotGranted { .. } => "has a CA that the trusted list calls not granted",
                ListFault::OtherSubject => {
                    "has a CA whose fingerprint the trusted list has under another name"
                }
            })),
        }
    }

    fn party(&self, client_id: &str, leaf: &Certificate<'_>) -> Verdict {
        let judged = self.party.clone().and_then(|party| {
            party.check_id(client_id)?;
            party.check_active()?;
            party.check_certificate(leaf)
        });
        match judged {
            Ok(()) => Verdict::Passed,
            Err(fault) => Verdict::Broken(Violation::Text(fault.text())),
        }
    }
}
