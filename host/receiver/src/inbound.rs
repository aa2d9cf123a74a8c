//! A report of every rule, with what the registry says: for a person who asks why.

use privyseal::jose::jws::Jws;
use privyseal::report::{TokenCheckOptions, TokenReport};
use privyseal::schemes::ishare::{IshareError, ListFault, Party, PartyFault, TrustedList};
use privyseal_check::{Registry as PartyRegistry, RuleId, Verdict, Violation};
use privyseal_core::cert::{Certificate, Chain};
use privyseal_core::scheme::SchemeRules;

use crate::RegistrySource;
use crate::registry::{ClaimedParty, ask_for};

/// Judges every rule of `token`, of the scheme in `options`. The registry is asked only if the signature holds and no rule is
/// broken: an assertion that anybody could have written costs no request.
///
/// In the report, `chain-trusted` is what the trusted list says and `party-status` what the party's record says. Whether
/// the `jti` was accepted before is for a [`crate::Receiver`].
///
/// # Errors
///
/// Trouble with the registry, or a response of it that is not proved.
pub fn judge_assertion(
    token: &str,
    scheme: &'static SchemeRules,
    options: TokenCheckOptions<'_>,
    registry: &dyn RegistrySource,
) -> Result<TokenReport, IshareError> {
    let token = token.trim();
    let mut unasked = options;
    unasked.scheme = Some(scheme);
    // Who is not trusted yet says where nobody should ask.
    unasked.revocation.fetch = None;
    let alone = TokenReport::new(token, unasked);
    let is_signed = alone.report.verdict(RuleId::Signature) == Some(Verdict::Passed);
    let keeps_rules = alone
        .report
        .broken()
        .all(|it| it.rule == RuleId::Revocation);
    let jws = Jws::parse_signed_with(token, scheme.algorithms().value()).ok();
    let issuer = jws.as_ref().and_then(|jws| jws.unverified_claim("iss"));
    let certificates = jws.and_then(|jws| jws.header().certificates().ok());
    let leaf = certificates.as_ref().and_then(|ders| ders.first());
    let (true, true, Some(issuer), Some(leaf)) = (keeps_rules, is_signed, issuer, leaf) else {
        return Ok(alone);
    };
    let claimed = ClaimedParty::new(scheme, &issuer, leaf);
    let record = Record {
        list: registry.trusted_list()?,
        party: ask_for(registry, claimed.query())?,
        scheme,
    };
    let mut asked = options;
    asked.scheme = Some(scheme);
    asked.registry = Some(&record);
    Ok(TokenReport::new(token, asked))
}

/// What the registry said.
struct Record {
    list: TrustedList,
    party: Result<Party, PartyFault>,
    scheme: &'static SchemeRules,
}

impl PartyRegistry for Record {
    fn trusts(&self, chain: &Chain<'_>) -> Verdict {
        match self.list.vouches_for(chain) {
            Ok(()) => Verdict::Passed,
            Err(fault) => Verdict::Broken(Violation::Text(match fault {
                ListFault::NotListed => "has no CA that is on the trusted list",
                ListFault::NotValid { .. } => "has a CA that the trusted list calls not valid",
                ListFault::NotGranted { .. } => "has a CA that the trusted list calls not granted",
                _ => "has a CA whose fingerprint the trusted list has under another name",
            })),
        }
    }

    fn party(&self, client_id: &str, leaf: &Certificate<'_>) -> Verdict {
        let claimed = ClaimedParty::new(self.scheme, client_id, leaf.as_der());
        let judged = self.party.as_ref().map_err(Clone::clone);
        match judged.and_then(|party| claimed.check(party)) {
            Ok(()) => Verdict::Passed,
            Err(fault) => Verdict::Broken(Violation::Text(fault.text())),
        }
    }
}
