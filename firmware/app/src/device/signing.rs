//! One assertion: policy, time and rate are checked, the event is written, and only then signed.

use privyseal_core::field::Field;
use privyseal_core::link::{Entry, Event, Policy, Refusal, SignRequest};
use privyseal_core::{AssertionRequest, AttachError, Audience, Error, Jti, UnixTime};
use privyseal_firmware_rsa::MODULUS_LEN;
use rand_core::TryRng;

use super::{Asked, Machine, Mode};
use crate::board::Board;
use crate::jti::{RANDOM_LEN, jti};
use crate::keyed::{Keyed, policy_of};
use crate::limits::Meter;
use crate::link::TokenSink;
use crate::signals::wait_for_press;

/// What the policy says of a request that it allows.
struct Allowed {
    /// The place of the scheme in the policy.
    position: usize,
    /// What is owed after it.
    debt: u32,
    /// Within how many seconds the button must be pressed, if it must.
    presence: Option<u8>,
}

impl<B: Board> Machine<B> {
    /// Makes the assertion and sends it. A refusal is in the log when this returns.
    pub(super) fn sign(&mut self, id: u8, request: &SignRequest<'_>) -> Result<(), Refusal> {
        let mut asked = Asked {
            scheme: Some(request.scheme),
            audience: None,
            now: request.now,
        };
        match self.try_sign(id, request, &mut asked) {
            Ok(()) => Ok(()),
            Err(Refusal::Fault) => Err(self.fault()),
            Err(refusal) => Err(self.refused(refusal, asked)),
        }
    }

    fn try_sign(
        &mut self,
        id: u8,
        request: &SignRequest<'_>,
        asked: &mut Asked,
    ) -> Result<(), Refusal> {
        let refusal = self.mode.refusal();
        let Mode::Ready(keyed) = &self.mode else {
            return Err(refusal);
        };
        let millis = self.board.millis();
        let allowed = {
            let policy = policy_of(keyed.policy.as_ref())?;
            let debt = self.meter.one_more(policy.rate, millis)?;
            let position = check(&policy, request, asked)?;
            let floor = self.state().time_floor.max(policy.time_floor);
            self.clock.check(request.now, floor, &policy, millis)?;
            Allowed {
                position,
                debt,
                presence: policy.presence,
            }
        };
        if let Some(seconds) = allowed.presence
            && !wait_for_press(&mut self.board, seconds)
        {
            return Err(Refusal::Presence);
        }
        self.make(id, request, asked, &allowed)
    }

    /// From here on the request is allowed. The event is in the flash before the key is used.
    #[inline(never)]
    fn make(
        &mut self,
        id: u8,
        request: &SignRequest<'_>,
        asked: &Asked,
        allowed: &Allowed,
    ) -> Result<(), Refusal> {
        let base = self.entry(Event::Signed);
        let device = self.board.device_id();
        let Self {
            board,
            line,
            journal,
            mode,
            meter,
            unlogged,
            ..
        } = self;
        let (Mode::Ready(keyed), Some(journal)) = (mode, journal) else {
            return Err(Refusal::Storage);
        };
        let Keyed {
            engine,
            drbg,
            profiles,
            key,
            ..
        } = keyed;
        let (profile, header) = profiles
            .get(allowed.position)
            .and_then(Option::as_ref)
            .ok_or(Refusal::Scheme)?;
        let credential = profile.bind(key, header.as_ref());

        let counter = base.counter.checked_add(1).ok_or(Refusal::Storage)?;
        let mut random = [0; RANDOM_LEN];
        drbg.try_fill_bytes(&mut random)
            .map_err(|_| Refusal::Entropy)?;
        let jti = jti(&device, counter, random, request.nonce);
        let assertion = assertion(request, &jti)?;
        let input = credential.prepare(&assertion).map_err(refusal_of)?;

        let entry = Entry {
            counter,
            scheme: asked.scheme,
            audience: asked.audience,
            now: request.now,
            time_floor: base.time_floor.max(request.now),
            debt: allowed.debt,
            digest: *input.digest(),
            ..base
        };
        journal
            .append(board.journal(), entry)
            .map_err(|_| Refusal::Storage)?;
        *unlogged = 0;
        *meter = Meter::new(entry.debt, board.millis());

        board.feed_watchdog();
        let mut signature = [0; MODULUS_LEN];
        engine
            .sign(input.digest(), drbg, &mut signature)
            .map_err(|_| Refusal::Fault)?;
        let total = u32::try_from(input.token_len()).unwrap_or(u32::MAX);
        let mut sink = TokenSink::new(line, board, id, total);
        match input.attach_to(&signature, &mut sink) {
            Ok(()) => drop(sink.finish()),
            // The host is gone; it has no whole token, and never will.
            Err(AttachError::Sink(_)) => {}
            Err(AttachError::Token(_)) => return Err(Refusal::Fault),
        }
        Ok(())
    }
}

/// What the policy says of the fields that it rules; gives the scheme's place in it.
fn check(
    policy: &Policy<'_>,
    request: &SignRequest<'_>,
    asked: &mut Asked,
) -> Result<usize, Refusal> {
    let position = policy
        .schemes
        .iter()
        .position(|entry| entry.scheme == request.scheme)
        .ok_or(Refusal::Scheme)?;
    let rules = request.scheme.rules();
    let audience = request
        .audience
        .or(rules.audience.value.default)
        .and_then(|audience| policy.audience(request.scheme, audience))
        .ok_or(Refusal::Audience)?;
    asked.audience = u8::try_from(audience).ok();
    let lifetime = request
        .lifetime
        .map_or(rules.lifetime.value.default, u64::from);
    if lifetime > policy.max_lifetime.into() {
        return Err(Refusal::Lifetime {
            max: policy.max_lifetime,
        });
    }
    Ok(position)
}

fn assertion<'a>(request: &SignRequest<'a>, jti: &'a str) -> Result<AssertionRequest<'a>, Refusal> {
    Ok(AssertionRequest {
        audience: request
            .audience
            .map(Audience::new)
            .transpose()
            .map_err(|_| Refusal::Field)?,
        now: UnixTime::from_secs(request.now).map_err(|_| Refusal::Clock)?,
        backdate: request.backdate.into(),
        lifetime: request.lifetime.map(u64::from),
        jti: Jti::new(jti).map_err(|_| Refusal::Field)?,
    })
}

/// What the core's rules refuse, in the protocol's words.
fn refusal_of(error: Error) -> Refusal {
    match error {
        Error::Clock(_) => Refusal::Clock,
        Error::Field(error) => match error.field {
            Field::Lifetime => match error.fault {
                privyseal_core::field::Fault::OutOfRange { max, .. } => Refusal::Lifetime {
                    max: u32::try_from(max).unwrap_or(u32::MAX),
                },
                _ => Refusal::Field,
            },
            Field::Audience => Refusal::Audience,
            Field::Now => Refusal::Clock,
            _ => Refusal::Field,
        },
        _ => Refusal::Field,
    }
}
