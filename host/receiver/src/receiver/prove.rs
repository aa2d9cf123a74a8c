//! The header: whose key it names, who vouches for it, and whether it signed.

use core::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use privyseal::Certificates;
use privyseal::UnixTime;
use privyseal::pki::path::{PathError, PathOptions, PathRule};
use privyseal::pki::revocation::RevocationOptions;
use privyseal::schemes::ishare::TrustedList;
use privyseal_check::{
    Finding, Reason, Revocations as _, RuleId, Subject, Verdict, Violation, check_header,
};
use privyseal_core::cert::{Certificate, Chain};
use privyseal_core::jws::{Algorithm, JwsParts};
use privyseal_core::rsa::{Digest, VerifyingKey};
use privyseal_core::scheme::KeyReference;
use privyseal_hsm::lock;
use sha2::{Digest as _, Sha256};

use super::{Receiver, Settings, decode, refuse_broken};
use crate::revocation::{Asking, NO_PLACE, PAUSE, SILENT, untold};
use crate::shares::Holder;
use crate::{Rejection, Revocation};

/// How many are kept at most; some kilobytes each.
pub(crate) const MAX_KEPT: usize = 10_000;

/// What was found about a header, as it stands in tokens of one client.
#[derive(Debug)]
pub(crate) struct ProvenHeader {
    /// The party for which every rule held.
    pub(crate) client_id: String,
    /// The leaf, DER.
    pub(crate) leaf: Option<Vec<u8>>,
    /// Whose certificate or key it is.
    pub(crate) holder: Holder,
    pub(crate) key: VerifyingKey,
    pub(crate) algorithm: Algorithm,
    /// Up to then, inclusive.
    pub(crate) until: UnixTime,
    /// From then on one caller proves it again, while the others use it.
    pub(crate) refresh_from: UnixTime,
    pub(crate) is_refreshed: AtomicBool,
    /// By which of the receiver's ways revocation was judged.
    pub(crate) generation: u64,
    /// The trusted list that vouches for its chain.
    pub(crate) list: Option<Arc<TrustedList>>,
}

impl ProvenHeader {
    /// Whether the caller is the one who proves it again.
    pub(crate) fn begins_refresh(&self, now: UnixTime) -> bool {
        now >= self.refresh_from && !self.is_refreshed.swap(true, Ordering::Relaxed)
    }
}

/// Whose certificate it is, however many the same organization has.
fn organization(leaf: &Certificate<'_>) -> Holder {
    let subject = leaf.subject();
    let named = subject.organization_identifier().map(str::as_bytes);
    Sha256::digest(named.unwrap_or(subject.as_der())).into()
}

impl Receiver {
    /// What is known about the header, once its key is known to have signed: of a header that was proved before only the
    /// signature is verified.
    pub(super) fn prove_header(
        &self,
        parts: &JwsParts<'_>,
        client_id: &str,
        settings: &Settings,
        now: UnixTime,
    ) -> Result<Arc<ProvenHeader>, Rejection> {
        let hash = Sha256::new().chain_update(parts.header);
        let digest: [u8; 32] = hash.clone().finalize().into();
        let is_current = |it: &ProvenHeader| it.generation == settings.generation;
        let is_good = |it: &&Arc<ProvenHeader>| it.client_id == client_id && now <= it.until;
        let known = lock(&self.proven).get(&digest).filter(is_good).cloned();
        let verified = known.as_ref().map(|known| verify(known, parts, hash));
        // After a change its key may be another of that name.
        let known = known.filter(|it| is_current(it) || verified == Some(Ok(())));
        let mut is_listed = false;
        if let Some(known) = &known {
            verified.transpose()?;
            // The list that vouched for the chain is the one that counts now.
            is_listed = match &self.registry {
                Some(registry) => known.list == Some(registry.trusted_list()?),
                None => true,
            };
            if is_listed && is_current(known) && !known.begins_refresh(now) {
                return Ok(Arc::clone(known));
            }
        }
        match (self.prove(parts, client_id, settings, now), known) {
            (Ok(proven), _) => {
                let (holder, end) = (proven.holder, proven.until.saturating_add(1));
                let proven = Arc::new(proven);
                let mut kept = lock(&self.proven);
                kept.forget(now);
                kept.remove(&digest);
                // Where all places are in use, what is new is proved each time.
                kept.keep(digest, Arc::clone(&proven), holder, end);
                Ok(proven)
            }
            // No list that was given says that it is revoked, and no CA can be asked.
            (Err(rejection), Some(known)) if is_listed && rejection.is_temporary() => Ok(known),
            (Err(rejection), known) => {
                if known.is_some() {
                    lock(&self.proven).remove(&digest);
                }
                Err(rejection)
            }
        }
    }

    /// Every rule that the claims alone cannot break, the signature among them; then who vouches for its key.
    fn prove(
        &self,
        parts: &JwsParts<'_>,
        client_id: &str,
        settings: &Settings,
        now: UnixTime,
    ) -> Result<ProvenHeader, Rejection> {
        // Nobody has keys by which a stranger could sign.
        let keys = settings.clients.keys_at(client_id, now);
        let mut options = self.options(now)?;
        options.keys = Some(&keys);
        let mut scratch = vec![0; parts.token_len().saturating_mul(3)];
        let header = check_header(parts, client_id, &options, &mut scratch);
        let report = &header.report;
        refuse_broken(report)?;
        let is_open = |finding: &&Finding| {
            let needs = matches!(finding.verdict, Verdict::NotChecked(Reason::Needs(_)));
            needs && finding.rule.subject() == Subject::Rules
        };
        if let Some(open) = report.findings().iter().find(is_open) {
            return Err(Rejection::of(open.rule, "could not be judged"));
        }
        let algorithm = header.algorithm;
        let algorithm = algorithm.ok_or_else(|| Rejection::of(RuleId::HeaderAlg, "has none"))?;
        let no_key = || Rejection::of(RuleId::KeyKnown, "is no key of the client");
        let key = VerifyingKey::new(header.key.ok_or_else(no_key)?);
        let mut proven = ProvenHeader {
            client_id: client_id.to_owned(),
            leaf: None,
            holder: Sha256::digest(client_id).into(),
            key: key.map_err(|error| Rejection::of(RuleId::KeySize, error))?,
            algorithm,
            until: now.saturating_add(self.reprove_after),
            refresh_from: now.saturating_add(self.reprove_after / 5 * 4),
            is_refreshed: AtomicBool::default(),
            list: None,
            generation: settings.generation,
        };
        if self.scheme.key_reference().value() == KeyReference::X5cWithRoot {
            let no_leaf = || Rejection::of(RuleId::X5cCertificates, "has no leaf");
            let chain = header.chain.ok_or_else(no_leaf)?;
            let leaf = chain.leaf().ok_or_else(no_leaf)?;
            proven.holder = organization(leaf);
            proven.list = self.check_trust(&chain, &settings.revocation, now, proven.holder)?;
            proven.leaf = Some(leaf.as_der().to_vec());
            let ends = chain.certificates().iter().map(Certificate::not_after);
            proven.until = ends.fold(proven.until, Ord::min);
        } else if let Some(named) = header.x5t_s256 {
            let end = settings.clients.end_of(client_id, named);
            proven.until = end.map_or(proven.until, |end| end.min(proven.until));
        }
        Ok(proven)
    }

    /// Whether somebody vouches for a chain whose links hold, and nobody on it is revoked. Nobody is asked about a
    /// certificate before its CA is known to be trusted.
    fn check_trust(
        &self,
        chain: &Chain<'_>,
        revocation: &Revocation,
        now: UnixTime,
        holder: Holder,
    ) -> Result<Option<Arc<TrustedList>>, Rejection> {
        // What the lists say that were given costs no request, and counts whichever server is away.
        let unknown = |why: &dyn Display| Rejection::of(RuleId::Revocation, why);
        let listed = self.check_chain(chain, revocation.given(), now, &unknown)?;
        let Some(fetcher) = revocation.fetcher() else {
            return Ok(listed);
        };
        let leaf = chain.leaf().map(Certificate::as_der).unwrap_or_default();
        let leaf = Sha256::digest(leaf).into();
        let mut refused = lock(&self.refused);
        refused.forget(now);
        if let Some(rejection) = refused.get(&leaf) {
            return Err(rejection.clone());
        }
        drop(refused);
        let asking = Asking {
            fetcher,
            rooms: &self.fetching,
            holder,
            current: AtomicU8::default(),
            worst: AtomicU8::default(),
        };
        let mut options = revocation.options();
        options.fetch = Some(&asking);
        // Somebody does not answer: that says nothing against the client.
        let unknown = |why: &dyn Display| {
            if asking.worst.load(Ordering::Relaxed) < SILENT {
                return Rejection::of(RuleId::Revocation, why);
            }
            let faults = fetcher.take_faults().join("; ");
            untold(format_args!("{why} ({faults})"))
        };
        let judged = self.check_chain(chain, options, now, &unknown);
        if asking.worst.load(Ordering::Relaxed) == NO_PLACE {
            return Err(untold("too many wait for it"));
        }
        if let Err(rejection) = &judged {
            let mut refused = lock(&self.refused);
            refused.remove(&leaf);
            refused.keep(leaf, rejection.clone(), holder, now.saturating_add(PAUSE));
        }
        judged
    }

    /// The same by these options alone. Where nobody tells whether one is revoked, it is `unknown`.
    fn check_chain(
        &self,
        chain: &Chain<'_>,
        options: RevocationOptions<'_>,
        now: UnixTime,
        unknown: &dyn Fn(&dyn Display) -> Rejection,
    ) -> Result<Option<Arc<TrustedList>>, Rejection> {
        let certificates = chain.certificates();
        if let Some(registry) = &self.registry {
            let list = registry.trusted_list()?;
            let vouched = list.vouches_for(chain);
            vouched.map_err(|fault| Rejection::of(RuleId::ChainTrusted, fault))?;
            let Some(revocations) = options.at(now) else {
                return Ok(Some(list));
            };
            for (certificate, issuer) in certificates.iter().zip(certificates.iter().skip(1)) {
                match revocations.status(certificate, issuer) {
                    Verdict::Broken(why @ Violation::Revoked { .. }) => {
                        return Err(Rejection::of(RuleId::Revocation, why));
                    }
                    Verdict::Broken(why) => return Err(unknown(&why)),
                    _ => {}
                }
            }
            return Ok(Some(list));
        }
        let ders = certificates.iter();
        let ders = ders.map(|certificate| certificate.as_der().to_vec());
        let given = Certificates::from(ders.collect::<Vec<_>>());
        let path = given.prove(&self.trust, &PathOptions::at(now), options);
        path.map(|_| None).map_err(|error| match error {
            PathError::Broken {
                rule: PathRule::RevocationUnknown(_),
                ..
            } => unknown(&error),
            error if error.is_about_revocation() => Rejection::of(RuleId::Revocation, error),
            error => Rejection::of(RuleId::ChainTrusted, error),
        })
    }
}

/// Whether the key of a header that is known signed this token. `hash` has taken the header.
fn verify(known: &ProvenHeader, parts: &JwsParts<'_>, hash: Sha256) -> Result<(), Rejection> {
    let digest = match known.algorithm {
        Algorithm::Rs256 => {
            let hash = hash.chain_update(".").chain_update(parts.payload);
            Digest::Sha256(hash.finalize().into())
        }
        other => other.digest(parts.signing_input.as_bytes()),
    };
    let signature = decode(parts.signature, "signature")?;
    let verified = known.key.verify(&digest, &signature);
    verified.map_err(|error| Rejection::of(RuleId::Signature, error))
}
