//! One assertion: policy, time and rate are checked, the event is written, and only then signed.
//!
//! The engine takes most of the stack. What others need of it must not lie below the engine's: each step has
//! a frame of its own, which is gone when the engine is called.

use privyseal_core::credential::BoundProfile;
use privyseal_core::field::Field;
use privyseal_core::{AssertionRequest, AttachError, Audience, Error, Jti, SigningInput, UnixTime};
use privyseal_protocol::frame::Constant;
use privyseal_protocol::{Entry, Event, Policy, Refusal, SignRequest};
use rand_core::TryRng;

use super::records::Records;
use super::{Asked, Machine, Mode};
use crate::board::Board;
use crate::jti::{RANDOM_LEN, jti};
use crate::keyed::{Keyed, SIGNATURE};
use crate::link::TokenSink;
use crate::signals::wait_for_press;

/// What the policy says of a request that it allows.
struct Allowed {
    /// The place of the scheme in the policy.
    position: usize,
    /// What is owed after it.
    debt: u32,
    /// The time that it is made for.
    now: u64,
    /// Within how many seconds the button must be pressed, if it must.
    presence: Option<u8>,
}

impl<B: Board> Machine<B> {
    /// Makes the assertion and sends it. A refusal is in the log when this returns.
    #[inline(never)]
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
        let allowed = self.allow(request, asked)?;
        if let Some(seconds) = allowed.presence
            && !wait_for_press(&mut self.board, seconds)
        {
            return Err(Refusal::Presence);
        }
        self.make(id, request, asked, &allowed)
    }

    /// What policy, rate and clock say.
    #[inline(never)]
    fn allow(&mut self, request: &SignRequest<'_>, asked: &mut Asked) -> Result<Allowed, Refusal> {
        let refusal = self.mode.refusal();
        let Mode::Ready(keyed) = &self.mode else {
            return Err(refusal);
        };
        let millis = self.board.millis();
        let policy = keyed.policy()?;
        let debt = self.records.meter.one_more(policy.rate, millis)?;
        let position = check(&policy, request, asked)?;
        let floor = self.state().time_floor;
        let now = self.clock.served(request.now, floor, &policy, millis)?;
        Ok(Allowed {
            position,
            debt,
            now,
            presence: policy.presence,
        })
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
        let counter = self.state().counter.checked_add(1);
        let counter = counter.ok_or(Refusal::Storage)?;
        let device = self.board.device_id();
        let Self {
            board,
            records,
            mode,
            ..
        } = self;
        let Mode::Ready(keyed) = mode else {
            return Err(Refusal::Storage);
        };
        let Keyed {
            engine,
            drbg,
            served,
            constants,
            key,
            ..
        } = keyed;
        let scheme = served.get(allowed.position).and_then(Option::as_ref);
        let scheme = scheme.ok_or(Refusal::Scheme)?;
        let credential = scheme.profile.bind(key).map_err(|_| Refusal::Fault)?;

        let mut random = [0; RANDOM_LEN];
        drbg.try_fill_bytes(&mut random)
            .map_err(|_| Refusal::Entropy)?;
        let jti = jti(&device, counter, random, request.nonce);
        let prepared = prepare(credential, request, allowed.now, &jti);
        // Where it is: moved, it would be on the stack twice.
        let input = prepared.as_ref().map_err(|refusal| *refusal)?;

        let digest = input.digest();
        note(board, records, counter, asked, allowed, digest)?;

        board.feed_watchdog();
        let mut signature = [0; SIGNATURE];
        let signature = engine
            .sign(input.digest(), drbg, &mut signature)
            .map_err(|_| Refusal::Fault)?;
        board.feed_watchdog();
        let constants: &[_] = if scheme.has_chain { constants } else { &[] };
        release(input, signature, board, id, constants)
    }
}

/// Writes that the assertion is made, whose number is `counter`.
#[inline(never)]
fn note<B: Board>(
    board: &mut B,
    records: &mut Records,
    counter: u64,
    asked: &Asked,
    allowed: &Allowed,
    digest: &[u8; 32],
) -> Result<(), Refusal> {
    let entry = asked.noted(records.entry(Event::Signed, board.millis()));
    records.write(
        board,
        Entry {
            counter,
            time_floor: entry.time_floor.max(allowed.now),
            debt: allowed.debt,
            digest: *digest,
            ..entry
        },
    )
}

/// Verifies the signature and sends the token.
#[inline(never)]
fn release<B: Board>(
    input: &SigningInput<'_>,
    signature: &[u8],
    board: &mut B,
    id: u8,
    constants: &[Constant],
) -> Result<(), Refusal> {
    #[cfg(target_pointer_width = "32")]
    const {
        // Working memory of a token besides RSA, on the device.
        let sealed = size_of::<SigningInput<'_>>() + size_of::<crate::jti::Text>();
        assert!(sealed + size_of::<TokenSink<'_, B>>() < 1024);
    }
    let total = u32::try_from(input.token_len()).unwrap_or(u32::MAX);
    let mut sink = TokenSink::new(board, id, total, constants);
    match input.attach_to(signature, &mut sink) {
        Ok(()) => {
            let _ = sink.finish();
            Ok(())
        }
        // The host is gone; it has no whole token, and never will.
        Err(AttachError::Sink(_)) => Ok(()),
        Err(AttachError::Token(_)) => Err(Refusal::Fault),
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
        .or(rules.audience().value().default())
        .and_then(|audience| policy.audience(request.scheme, audience))
        .ok_or(Refusal::Audience)?;
    asked.audience = u8::try_from(audience).ok();
    let lifetime = request
        .lifetime
        .map_or(rules.lifetime().value().default(), u64::from);
    if lifetime > policy.max_lifetime.into() {
        return Err(Refusal::Lifetime {
            max: policy.max_lifetime,
        });
    }
    Ok(position)
}

/// Makes the claims and seals them.
#[inline(never)]
fn prepare<'a>(
    credential: BoundProfile<'a>,
    request: &SignRequest<'a>,
    now: u64,
    jti: &'a str,
) -> Result<SigningInput<'a>, Refusal> {
    let request = AssertionRequest {
        audience: request
            .audience
            .map(Audience::new)
            .transpose()
            .map_err(|_| Refusal::Field)?,
        now: UnixTime::from_secs(now).map_err(|_| Refusal::Clock)?,
        backdate: request.backdate.into(),
        lifetime: request.lifetime.map(u64::from),
        jti: Jti::new(jti).map_err(|_| Refusal::Field)?,
    };
    credential.prepare(&request).map_err(refusal_of)
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
