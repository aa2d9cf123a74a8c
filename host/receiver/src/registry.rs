//! A scheme's registry, asked through caches.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use privyseal::oauth::OAuthError;
use privyseal::schemes::ishare::{
    Expected, IshareError, Party, PartyFault, PartyQuery, Registry, TrustedList, subject,
};
use privyseal::{Certificates, Client, Server};
use privyseal_check::RuleId;
use privyseal_core::cert::Certificate;
use privyseal_core::scheme::{PartyLookup, SchemeRules};
use serde_json::Value;

use crate::cache::{Cache, CachePolicy};
use crate::shares::{Counts, Holder, Room};
use crate::{Rejection, Revocation};

/// How often an organization may ask in vain in [`LOOK_UPS_TIME`].
const MAX_LOOK_UPS: u32 = 8;

const LOOK_UPS_TIME: Duration = Duration::from_secs(60);

/// Who knows which CAs issue, and which parties there are. What it says is proved already.
pub trait RegistrySource: fmt::Debug + Send + Sync {
    /// The trusted list.
    ///
    /// # Errors
    ///
    /// The registry cannot be asked, or is not believed.
    fn trusted_list(&self) -> Result<TrustedList, IshareError>;

    /// One party.
    ///
    /// # Errors
    ///
    /// As [`RegistrySource::trusted_list`], and [`IshareError::Party`] if there is none or not the one.
    fn party(&self, query: PartyQuery<'_>) -> Result<Party, IshareError>;
}

/// A participant registry that is asked with access tokens of a client.
#[derive(Debug)]
pub struct ClientRegistry {
    client: Client,
    server: Server,
    registry_id: String,
    trust: Certificates,
    revocation: Revocation,
}

impl ClientRegistry {
    /// The registry `registry_id` at `server`, believed where `trust` vouches for its seal. Who asks is `client`.
    pub fn new(
        client: Client,
        server: Server,
        registry_id: impl Into<String>,
        trust: Certificates,
    ) -> Self {
        Self {
            client,
            server,
            registry_id: registry_id.into(),
            trust,
            revocation: Revocation::default(),
        }
    }

    privyseal_hsm::setters! {
        /// The same, whose seal must not be revoked.
        revocation: Revocation = revocation;
    }

    fn ask<T>(
        &self,
        question: impl Fn(&Registry<'_>) -> Result<T, IshareError>,
    ) -> Result<T, IshareError> {
        let client_id = self.client.source().client_id().as_str();
        let expected = Expected::new(&self.registry_id, client_id, &self.trust);
        let expected = expected.revocation(self.revocation.options());
        let ask = || {
            let token = self.client.token(&self.server)?;
            let (http, base) = (self.client.http(), self.server.base());
            question(&Registry::new(http, base, &token, expected))
        };
        match ask() {
            // The token may have been withdrawn before its end.
            Err(IshareError::OAuth(OAuthError::Refused(refusal))) if refusal.status() == 401 => {
                self.client.forget_token(&self.server);
                ask()
            }
            outcome => outcome,
        }
    }
}

impl RegistrySource for ClientRegistry {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is of one lifetime, and any is asked for"
    )]
    fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        self.ask(|registry| registry.trusted_list())
    }

    fn party(&self, query: PartyQuery<'_>) -> Result<Party, IshareError> {
        self.ask(|registry| registry.party(query))
    }
}

impl RegistrySource for Registry<'_> {
    fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        Self::trusted_list(self)
    }

    fn party(&self, query: PartyQuery<'_>) -> Result<Party, IshareError> {
        Self::party(self, query)
    }
}

/// A registry whose answers are kept.
#[derive(Debug)]
pub(crate) struct CachedRegistry {
    scheme: &'static SchemeRules,
    source: Arc<dyn RegistrySource>,
    list: Cache<Arc<TrustedList>, IshareError>,
    parties: Cache<PartyAnswer, IshareError>,
    /// How often an organization named a party that it is not: a registry is not asked for every id that somebody can think of.
    look_ups: Arc<Counts>,
}

/// What a registry says about a party.
type PartyAnswer = Result<Arc<Party>, PartyFault>;

impl CachedRegistry {
    pub(crate) fn new(
        scheme: &'static SchemeRules,
        source: Arc<dyn RegistrySource>,
        policy: CachePolicy,
    ) -> Self {
        let list = Cache::new(policy, Room::for_anybody(policy.max_waiting), |_| true);
        let mut parties = Cache::new(
            policy,
            Room::new(policy.max_waiting),
            |answer: &PartyAnswer| answer.as_ref().is_ok_and(|party| party.is_active()),
        );
        parties.is_away = Arc::clone(&list.is_away);
        Self {
            scheme,
            source,
            list,
            parties,
            look_ups: Arc::new(Counts::new(MAX_LOOK_UPS, LOOK_UPS_TIME)),
        }
    }

    /// The trusted list, for people about whom nothing is proved yet. It is the same value until the registry says
    /// something else.
    pub(crate) fn trusted_list(&self) -> Result<Arc<TrustedList>, Rejection> {
        let source = Arc::clone(&self.source);
        let load = move || source.trusted_list().map(Arc::new);
        let list = self.list.get("", &Holder::default(), Instant::now(), load);
        list.map_err(|error| Rejection::unavailable("the trusted list", error))
    }

    /// What the registry says of the party `id`, if the holder of `leaf` is it: a question that has `begun`.
    pub(crate) fn party(
        &self,
        id: &str,
        leaf: &[u8],
        holder: Holder,
        begun: Instant,
    ) -> Result<Value, Rejection> {
        let claimed = Arc::new(ClaimedParty::new(self.scheme, id, leaf));
        let judged = || {
            let answer = self.answer(&claimed, holder, begun)?;
            Ok(answer.and_then(|party| claimed.check(&party).map(|()| party)))
        };
        let mut party = judged()?;
        // It may have been registered since. An organization that asked in vain too often asks no more.
        if matches!(party, Err(PartyFault::OtherCertificate))
            && !self.look_ups.are_too_many(&holder)
        {
            self.parties.outdate(&claimed.query().path());
            party = judged()?;
        }
        party
            .map(|party| party.info().clone())
            .map_err(|fault| Rejection::of(RuleId::PartyStatus, fault))
    }

    fn answer(
        &self,
        claimed: &Arc<ClaimedParty>,
        holder: Holder,
        begun: Instant,
    ) -> Result<PartyAnswer, Rejection> {
        let name = claimed.query().path();
        if self.look_ups.are_too_many(&holder) && !self.parties.is_known(&name) {
            let why = "the same organization asked for too many parties that it is not";
            return Err(Rejection::unavailable("the registry", why));
        }
        let (source, look_ups) = (Arc::clone(&self.source), Arc::clone(&self.look_ups));
        let claimed = Arc::clone(claimed);
        let load = move || {
            let answer = ask_for(&*source, claimed.query())?;
            let judged = answer.as_ref().map_err(Clone::clone);
            match judged.and_then(|party| claimed.check(party)) {
                // That is no answer about the party: what is known of it stays.
                Err(fault @ PartyFault::OtherParty) => return Err(fault.into()),
                // Each request counts, and not each assertion that its answer refuses.
                Err(_) => look_ups.note(&holder),
                Ok(()) => {}
            }
            Ok(answer.map(Arc::new))
        };
        let answer = self.parties.get(&name, &holder, begun, load);
        answer.map_err(|error| Rejection::unavailable("the registry", error))
    }
}

/// What the registry says about a party, where it says anything.
pub(crate) fn ask_for(
    registry: &dyn RegistrySource,
    query: PartyQuery<'_>,
) -> Result<Result<Party, PartyFault>, IshareError> {
    match registry.party(query) {
        Ok(party) => Ok(Ok(party)),
        Err(IshareError::OAuth(OAuthError::Refused(refusal))) if refusal.status() == 404 => {
            Ok(Err(PartyFault::Unknown))
        }
        Err(IshareError::Party(fault)) => Ok(Err(fault)),
        Err(error) => Err(error),
    }
}

/// Who the holder of a certificate claims to be.
pub(crate) struct ClaimedParty {
    scheme: &'static SchemeRules,
    id: String,
    /// DER.
    leaf: Vec<u8>,
    /// The certificate's subject, where the scheme's registry is asked with it.
    subject: Option<String>,
}

impl ClaimedParty {
    pub(crate) fn new(scheme: &'static SchemeRules, id: &str, leaf: &[u8]) -> Self {
        let lookup = scheme.registry().map(|rule| rule.value());
        let by_subject = lookup == Some(PartyLookup::EoriAndSubject);
        let certificate = Certificate::from_der(leaf).ok().filter(|_| by_subject);
        Self {
            scheme,
            id: id.to_owned(),
            leaf: leaf.to_vec(),
            subject: certificate.and_then(|it| subject::text(&it)),
        }
    }

    pub(crate) fn query(&self) -> PartyQuery<'_> {
        PartyQuery::of(self.scheme, &self.id, self.subject.as_deref())
    }

    /// Whether the party that the registry found is this one. Records of iSHARE 1.x may have no certificates: there the
    /// registry found it by the certificate's whole subject, or did not.
    pub(crate) fn check(&self, party: &Party) -> Result<(), PartyFault> {
        party.check_id(&self.id)?;
        party.check_active()?;
        if self.subject.is_some() && party.certificates().is_empty() {
            return Ok(());
        }
        let leaf = Certificate::from_der(&self.leaf);
        party.check_certificate(&leaf.map_err(|_| PartyFault::OtherCertificate)?)
    }
}
