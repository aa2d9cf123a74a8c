//! One key that several tokens or HSMs have.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use privyseal_core::{
    CertificationRequestInfo, CertificationRequestSigner, RsaPublicKey, Signature, Signer,
    SignerError as _, SignerErrorKind, SigningInput,
};
use privyseal_hsm::lock;

use super::error::BuildError;
use super::failover::{Calls, hangs, within};
use crate::base::events;
use crate::keys::{KeyError, SignerFailure};

/// How long a reference that failed is asked only when all others fail too.
pub const COOLDOWN: Duration = Duration::from_secs(30);

/// How long one of several references may take for a signature until the next is asked: a card makes one in a second or two.
pub const SIGNING_LIMIT: Duration = Duration::from_secs(5);

/// How long one of several may take to open, where the caller does not say, until the others are used without it.
pub(super) const OPENING_LIMIT: Duration = Duration::from_secs(10);

/// Opens one of the references.
pub(super) type Open<S> = Arc<dyn Fn() -> Result<S, KeyError> + Send + Sync>;

/// How long a group waits.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) signing: Duration,
    pub(super) opening: Duration,
    pub(super) cooldown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            signing: SIGNING_LIMIT,
            opening: OPENING_LIMIT,
            cooldown: COOLDOWN,
        }
    }
}

/// Signs with whichever of several references to one key is there. A clone is another handle to them.
///
/// Signatures are spread in turn, to those first that have the least to do. One that fails is made by the next reference: the
/// same input gives the same signature. The one that failed rests for a while and is then asked again; one that hangs is
/// asked for nothing more until it answers.
pub(super) struct KeyGroup<S>(Arc<Group<S>>);

struct Group<S> {
    public_key: RsaPublicKey,
    members: Vec<Member<S>>,
    next: AtomicUsize,
    limits: Limits,
}

struct Member<S> {
    name: String,
    open: Open<S>,
    signer: Mutex<Slot<S>>,
    calls: Calls,
    in_cooldown_until: Mutex<Option<Instant>>,
}

enum Slot<S> {
    Opened(S),
    /// It was away when it was to be opened.
    Away,
    /// It is there and cannot be used: perhaps its PIN is wrong, and no further try is spent on it.
    Unusable(SignerErrorKind, String),
}

impl<S: Signer + Send + 'static> KeyGroup<S> {
    /// Opens the references that are there; one must be.
    pub(super) fn open(
        references: Vec<(String, Open<S>)>,
        limits: Limits,
    ) -> Result<Self, BuildError> {
        let has_several = references.len() > 1;
        let mut first: Option<(String, RsaPublicKey)> = None;
        let mut members = Vec::new();
        let mut away = None;
        for (name, open) in references {
            let calls = Calls::default();
            let opened = if has_several {
                let (open, calls) = (Arc::clone(&open), calls.clone());
                let opening = move || {
                    let _call = calls.begin();
                    open()
                };
                within(limits.opening, opening).unwrap_or_else(|| Err(hangs().into()))
            } else {
                open()
            };
            let (slot, until) = match opened {
                Ok(signer) => {
                    match &first {
                        Some((first, key)) if key != signer.public_key() => {
                            let first = first.clone();
                            return Err(BuildError::OtherKey { uri: name, first });
                        }
                        Some(_) => {}
                        None => first = Some((name.clone(), signer.public_key().clone())),
                    }
                    (Slot::Opened(signer), None)
                }
                Err(error) if is_away(kind_of(&error)) => {
                    if has_several {
                        events::warn!(key = name, %error, "a reference to the key does not open");
                    }
                    away.get_or_insert(error);
                    (Slot::Away, Some(Instant::now() + limits.cooldown))
                }
                Err(error) => return Err(error.into()),
            };
            members.push(Member {
                name,
                open,
                signer: Mutex::new(slot),
                calls,
                in_cooldown_until: Mutex::new(until),
            });
        }
        let Some((_, public_key)) = first else {
            return Err(away.map_or(BuildError::NoKey, BuildError::Key));
        };
        Ok(Self(Arc::new(Group {
            public_key,
            members,
            next: AtomicUsize::new(0),
            limits,
        })))
    }
}

impl<S: Signer + Clone> KeyGroup<S> {
    /// A signer that was there when the group was opened.
    pub(super) fn any(&self) -> S {
        let mut opened = self.opened();
        opened
            .next()
            .expect("a group has an open member from its start")
    }

    /// Those that could not be used are opened again when their turn comes.
    pub(super) fn try_again(&self) {
        for member in &self.0.members {
            // One whose lock is taken is being opened.
            if let Ok(mut slot) = member.signer.try_lock()
                && let Slot::Unusable(..) = &*slot
            {
                *slot = Slot::Away;
                member.rest(None);
            }
        }
    }

    /// The signers that are there.
    pub(super) fn opened(&self) -> impl Iterator<Item = S> {
        // One whose lock is taken is being opened.
        let slots = self.0.members.iter().map(|member| member.signer.try_lock());
        slots.filter_map(|slot| match slot.as_deref() {
            Ok(Slot::Opened(signer)) => Some(signer.clone()),
            _ => None,
        })
    }
}

impl<S> KeyGroup<S>
where
    S: Signer + Clone,
    S::Error: Send + Sync + 'static,
{
    /// Has the references `sign` in turn until one succeeds.
    fn in_turn(
        &self,
        mut sign: impl FnMut(&mut S) -> Result<(), S::Error>,
    ) -> Result<(), SignerFailure> {
        let group = &*self.0;
        let start = group.next.fetch_add(1, Ordering::Relaxed) % group.members.len();
        let (before, from) = group.members.split_at(start);
        let now = Instant::now();
        let in_turn = from.iter().chain(before);
        let answering = in_turn.filter(|it| !it.calls.hang(group.limits.signing));
        let (resting, mut ready): (Vec<_>, Vec<_>) = answering.partition(|it| it.in_cooldown(now));
        ready.sort_by_key(|it| it.calls.count());
        let mut first = None;
        for member in ready.into_iter().chain(resting) {
            let _call = member.calls.begin();
            match member.sign(group, &mut sign) {
                Ok(()) => return Ok(()),
                Err(error) => first.get_or_insert(error),
            };
        }
        Err(first.unwrap_or_else(hangs))
    }
}

impl<S> Signer for KeyGroup<S>
where
    S: Signer + Clone,
    S::Error: Send + Sync + 'static,
{
    type Error = SignerFailure;

    fn public_key(&self) -> &RsaPublicKey {
        &self.0.public_key
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), SignerFailure> {
        self.in_turn(|signer| signer.sign(input, signature))
    }
}

impl<S> CertificationRequestSigner for KeyGroup<S>
where
    S: CertificationRequestSigner + Clone,
    S::Error: Send + Sync + 'static,
{
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), SignerFailure> {
        self.in_turn(|signer| signer.sign_certification_request(info, signature))
    }
}

impl<S> Member<S>
where
    S: Signer + Clone,
    S::Error: Send + Sync + 'static,
{
    fn sign(
        &self,
        group: &Group<S>,
        sign: impl FnOnce(&mut S) -> Result<(), S::Error>,
    ) -> Result<(), SignerFailure> {
        let outcome = self
            .opened(group)
            .and_then(|mut signer| sign(&mut signer).map_err(SignerFailure::new));
        if let Err(error) = &outcome {
            events::warn!(key = self.name, %error, "a reference to the key did not sign");
        }
        self.rest(outcome.is_err().then_some(group.limits.cooldown));
        outcome
    }

    /// The signer; opened now where it was away.
    fn opened(&self, group: &Group<S>) -> Result<S, SignerFailure> {
        let mut slot = lock(&self.signer);
        match &*slot {
            Slot::Opened(signer) => return Ok(signer.clone()),
            Slot::Unusable(kind, reason) => {
                return Err(SignerFailure::because(*kind, reason.clone()));
            }
            Slot::Away => {}
        }
        // Meanwhile other threads use the other references.
        self.rest(Some(group.limits.cooldown));
        match (self.open)() {
            Ok(signer) if *signer.public_key() == group.public_key => {
                events::info!(key = self.name, "a key that was away is open");
                *slot = Slot::Opened(signer.clone());
                Ok(signer)
            }
            Ok(_) => {
                let reason = format!("{} is another key than the others", self.name);
                let kind = SignerErrorKind::Configuration;
                *slot = Slot::Unusable(kind, reason.clone());
                Err(SignerFailure::because(kind, reason))
            }
            Err(error) => {
                let kind = kind_of(&error);
                if !is_away(kind) {
                    *slot = Slot::Unusable(kind, error.to_string());
                }
                Err(match error {
                    KeyError::Signer(failure) => failure,
                    error => SignerFailure::because(kind, error),
                })
            }
        }
    }
}

impl<S> Member<S> {
    fn in_cooldown(&self, now: Instant) -> bool {
        lock(&self.in_cooldown_until).is_some_and(|until| now < until)
    }

    /// Puts it into cooldown for that long, or takes it out.
    fn rest(&self, cooldown: Option<Duration>) {
        *lock(&self.in_cooldown_until) = cooldown.map(|cooldown| Instant::now() + cooldown);
    }
}

impl<S> Clone for KeyGroup<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

privyseal_core::opaque_debug! { [S] KeyGroup<S>; }

fn kind_of(error: &KeyError) -> SignerErrorKind {
    match error {
        KeyError::Signer(failure) => failure.kind(),
        _ => SignerErrorKind::Configuration,
    }
}

/// Whether waiting may help, and costs no PIN try.
const fn is_away(kind: SignerErrorKind) -> bool {
    matches!(
        kind,
        SignerErrorKind::Unavailable
            | SignerErrorKind::NotFound
            | SignerErrorKind::NotLoggedIn
            | SignerErrorKind::PinLocked
            | SignerErrorKind::PinFinalTry
            | SignerErrorKind::Busy
            | SignerErrorKind::Timeout
    )
}

#[cfg(test)]
mod tests;
