//! One assertion or other statement: policy, time and rate are checked, the event is written, and only then signed.
//!
//! The engine takes most of the stack. What others need of it must not lie below the engine's: each step has
//! a frame of its own, which is gone when the engine is called.

use core::hint::black_box;

use privyseal_core::credential::HeaderBytes;
use privyseal_core::field::Field;
use privyseal_core::{AssertionRequest, AttachError, Audience, Error, Jti, SigningInput, UnixTime};
use privyseal_protocol::frame::Constant;
use privyseal_protocol::{AllowedAudience, Content, Entry, Event, Refusal, SignRequest, Statement};

use super::composing::{content_of, stated, statement_of};
use super::records::Records;
use super::{Asked, Machine, Mode};
use crate::board::Board;
use crate::jti::{Text, jti};
use crate::keyed::Keyed;
use crate::limits::{Clock, Meter};
use crate::link::TokenSink;
use crate::signals::wait_for_press;

/// What the policy allows: what stands in it, and numbers within its bounds. The policy itself is not kept: it takes as
/// much of the stack as a text does.
struct Allowed<'a> {
    /// The place of the scheme in the policy.
    position: usize,
    /// The audience, as it stands there.
    named: AllowedAudience<'a>,
    /// The time that it is made for.
    now: u64,
    lifetime: u32,
    /// What is owed after it.
    debt: u32,
    /// Within how many seconds the button must be pressed, if it must.
    presence: Option<u8>,
}

/// The text that is signed, and what its making costs.
struct Draft {
    statement: Statement,
    counter: u64,
    /// What is owed after it.
    debt: u32,
    /// The time that it is made for.
    now: u64,
    /// Within how many seconds the button must be pressed, if it must.
    presence: Option<u8>,
    jti: Text,
    digest: [u8; 32],
}

/// What a judgement is made of besides the policy.
struct Judge<'a> {
    clock: &'a Clock,
    meter: &'a Meter,
    floor: u64,
    millis: u64,
}

impl<B: Board> Machine<B> {
    /// Makes the assertion, or the statement that was composed, and sends it. A refusal is in the log when this returns.
    #[inline(never)]
    pub(super) fn sign(
        &mut self,
        id: u8,
        request: &SignRequest<'_>,
        is_composed: bool,
    ) -> Result<(), Refusal> {
        let mut asked = Asked {
            scheme: Some(request.scheme),
            audience: None,
            now: request.now,
        };
        let outcome = self.try_sign(id, request, is_composed, &mut asked);
        self.composed.wipe();
        self.settle(outcome, asked)
    }

    fn try_sign(
        &mut self,
        id: u8,
        request: &SignRequest<'_>,
        is_composed: bool,
        asked: &mut Asked,
    ) -> Result<(), Refusal> {
        let draft = self.draft(request, is_composed, asked)?;
        let pressed = match draft.presence {
            Some(seconds) => wait_for_press(&mut self.board, seconds),
            None => false,
        };
        if draft.presence.is_some() && !pressed {
            return Err(Refusal::Presence);
        }
        self.make(id, request, is_composed, asked, &draft, pressed)
    }

    /// What policy, clock and rate say; and the text that they allow.
    #[inline(never)]
    fn draft(
        &mut self,
        request: &SignRequest<'_>,
        is_composed: bool,
        asked: &mut Asked,
    ) -> Result<Draft, Refusal> {
        let Entry {
            counter,
            time_floor,
            ..
        } = self.state();
        let counter = counter.checked_add(1).ok_or(Refusal::Storage)?;
        let (device, millis) = (self.board.device_id(), self.board.millis());
        let refusal = self.mode.refusal();
        let Mode::Ready(keyed) = &mut self.mode else {
            return Err(refusal);
        };
        let random = keyed.take_random().map_err(|_| Refusal::Entropy)?;
        let judge = Judge {
            clock: &self.clock,
            meter: &self.records.meter,
            floor: time_floor,
            millis,
        };
        let composed = is_composed.then(|| self.composed.bytes());
        let statement = stated(composed)?;
        let allowed = judge.of(keyed, request, statement, &mut asked.audience)?;
        let jti = jti(&device, counter, random, request.nonce);
        let digest = seal(keyed, &allowed, request, composed, &jti)?;
        Ok(Draft {
            statement,
            counter,
            debt: allowed.debt,
            now: allowed.now,
            presence: allowed.presence,
            jti,
            digest,
        })
    }

    /// From here on the request is allowed. The event is in the flash before the key is used.
    ///
    /// What leaves is not what was signed, but the same made again: from a second judgement, of what is in the
    /// memory then. A fault in either of the two makes another text than the other's, for which the signature is
    /// none; so one fault is not enough to have a text signed that the policy forbids.
    #[inline(never)]
    #[allow(clippy::too_many_arguments)] // As below.
    fn make(
        &mut self,
        id: u8,
        request: &SignRequest<'_>,
        is_composed: bool,
        asked: &Asked,
        draft: &Draft,
        pressed: bool,
    ) -> Result<(), Refusal> {
        let Self {
            board,
            records,
            mode,
            key,
            clock,
            composed,
            line,
            ..
        } = self;
        let Mode::Ready(keyed) = mode else {
            return Err(Refusal::Storage);
        };
        let before = records.meter;
        note(board, records, asked, draft)?;

        board.feed_watchdog();
        let (digest, drbg, out) = (&draft.digest, &mut keyed.drbg, &mut line.message);
        let signature = key.open(board, |_, key| {
            let signed = key.engine()?.sign(digest, drbg, out);
            signed.map_err(|_| Refusal::Fault)
        })?;
        board.feed_watchdog();

        let Entry {
            event,
            counter,
            debt,
            time_floor,
            ..
        } = records.state();
        let done = Done {
            noted: (event, counter, debt),
            pressed,
        };
        let judge = Judge {
            clock,
            meter: &before,
            floor: time_floor,
            millis: board.millis(),
        };
        let composed = is_composed.then(|| composed.bytes());
        let outcome = finish(
            keyed, &judge, request, composed, draft, &done, signature, board, id,
        );
        line.message.fill(0);
        outcome
    }
}

/// Makes the text again, and sends it with its signature.
#[inline(never)]
#[allow(clippy::too_many_arguments)] // In a frame of its own, below which the engine does not stand.
fn finish<B: Board>(
    keyed: &Keyed<B::Mapped>,
    judge: &Judge<'_>,
    request: &SignRequest<'_>,
    composed: Option<&[u8]>,
    draft: &Draft,
    done: &Done,
    signature: &[u8],
    board: &mut B,
    id: u8,
) -> Result<(), Refusal> {
    let mut has_chain = false;
    let prepared = again(keyed, judge, request, composed, draft, done, &mut has_chain);
    // Where it is: moved, it would be on the stack twice.
    let input = prepared.as_ref().map_err(|_| Refusal::Fault)?;
    let constants: &[_] = if has_chain { &keyed.constants } else { &[] };
    release(input, signature, board, id, constants)
}

/// What has been done for a draft.
struct Done {
    /// What the newest entry of the log is, its counter, and what is owed by it.
    noted: (Event, u64, u32),
    /// Whether the button was pressed.
    pressed: bool,
}

/// The second judgement, and the same text from it. What it does not allow, the first did not either, unless there
/// was a fault.
#[inline(never)]
fn again<'a, M: AsRef<[u8]> + HeaderBytes>(
    keyed: &'a Keyed<M>,
    judge: &Judge<'_>,
    request: &SignRequest<'_>,
    composed: Option<&'a [u8]>,
    draft: &'a Draft,
    done: &Done,
    has_chain: &mut bool,
) -> Result<SigningInput<'a>, Refusal> {
    let content = content_of(composed)?;
    let statement = statement_of(content.as_ref());
    let allowed = judge.of(keyed, black_box(request), statement, &mut None)?;
    let (event, counter, debt) = done.noted;
    let is_noted =
        event == Event::of(statement) && counter == draft.counter && allowed.debt <= debt;
    let is_pressed = allowed.presence.is_none() || black_box(done.pressed);
    if !is_noted || !is_pressed {
        return Err(Refusal::Fault);
    }
    *has_chain = keyed.served(allowed.position)?.has_chain;
    prepare(keyed, &allowed, request, content.as_ref(), &draft.jti)
}

/// Makes the text that is signed, and gives its digest.
#[inline(never)]
fn seal<M: AsRef<[u8]> + HeaderBytes>(
    keyed: &Keyed<M>,
    allowed: &Allowed<'_>,
    request: &SignRequest<'_>,
    composed: Option<&[u8]>,
    jti: &str,
) -> Result<[u8; 32], Refusal> {
    let content = content_of(composed)?;
    let prepared = prepare(keyed, allowed, request, content.as_ref(), jti);
    let input = prepared.as_ref().map_err(|refusal| *refusal)?;
    Ok(*input.digest())
}

/// Writes that the statement is made.
#[inline(never)]
fn note<B: Board>(
    board: &mut B,
    records: &mut Records,
    asked: &Asked,
    draft: &Draft,
) -> Result<(), Refusal> {
    let entry = asked.noted(records.entry(Event::of(draft.statement), board.millis()));
    records.write(
        board,
        Entry {
            counter: draft.counter,
            time_floor: entry.time_floor.max(draft.now),
            debt: draft.debt,
            digest: draft.digest,
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
        let sealed = size_of::<SigningInput<'_>>() + size_of::<Text>();
        assert!(sealed + size_of::<TokenSink<'_, B>>() < 1024);
    }
    // Ends the part that is no arithmetic.
    board.feed_watchdog();
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

impl Judge<'_> {
    /// What policy, rate and clock say. The place of the audience is noted as soon as it is known.
    #[inline(never)]
    fn of<'k, M: AsRef<[u8]> + HeaderBytes>(
        &self,
        keyed: &'k Keyed<M>,
        request: &SignRequest<'_>,
        statement: Statement,
        place: &mut Option<u8>,
    ) -> Result<Allowed<'k>, Refusal> {
        let policy = keyed.policy()?;
        let debt = self.meter.one_more(policy.rate, self.millis)?;
        let position = policy
            .schemes
            .iter()
            .position(|entry| entry.scheme == request.scheme)
            .ok_or(Refusal::Scheme)?;
        let rules = request.scheme.rules();
        let first = policy.permission(request.scheme, statement);
        let audience = match (request.audience, statement) {
            // It has none, and is for the requests to any of them.
            (None, Statement::LoginHint) => first,
            (given, _) => given
                .or(rules.audience().value().default())
                .and_then(|audience| policy.audience(request.scheme, statement, audience)),
        };
        let audience = audience.ok_or(if first.is_some() || statement == Statement::Assertion {
            Refusal::Audience
        } else {
            Refusal::Statement
        })?;
        *place = u8::try_from(audience).ok();
        let scheme = policy.schemes.get(position).map(|it| it.scheme);
        let named = policy.audiences.get(audience);
        let named = named.filter(|named| Some(named.scheme) == scheme);
        let max = policy.max_lifetime;
        let own = statement.lifetime(rules).ok_or(Refusal::Statement)?;
        let lifetime = request.lifetime.map_or(own.default(), u64::from);
        if lifetime > max.into() {
            return Err(Refusal::Lifetime { max });
        }
        let now = self
            .clock
            .served(request.now, self.floor, &policy, self.millis)?;
        Ok(Allowed {
            position,
            named: *named.ok_or(Refusal::Audience)?,
            now,
            // Hidden from the compiler, which would leave out what the comparison makes superfluous.
            lifetime: u32::try_from(lifetime).unwrap_or(max).min(black_box(max)),
            debt,
            presence: policy.presence,
        })
    }
}

/// Makes the claims and seals them: audience and scheme are the policy's own, and the lifetime is not above its.
#[inline(never)]
fn prepare<'a, M: AsRef<[u8]> + HeaderBytes>(
    keyed: &'a Keyed<M>,
    allowed: &Allowed<'a>,
    request: &SignRequest<'_>,
    content: Option<&Content<'a>>,
    jti: &'a str,
) -> Result<SigningInput<'a>, Refusal> {
    let served = keyed.served(allowed.position)?;
    let named = allowed.named;
    if !named.allows(named.scheme, statement_of(content)) {
        return Err(Refusal::Statement);
    }
    let request = AssertionRequest {
        audience: Some(Audience::new(named.audience).map_err(|_| Refusal::Field)?),
        now: UnixTime::from_secs(allowed.now).map_err(|_| Refusal::Clock)?,
        backdate: request.backdate.into(),
        lifetime: Some(allowed.lifetime.into()),
        jti: Jti::new(jti).map_err(|_| Refusal::Field)?,
    };
    let credential = served
        .profile
        .bind(&keyed.key)
        .map_err(|_| Refusal::Fault)?;
    match content {
        None => credential.prepare(&request),
        Some(content) => content.prepare(credential, &request),
    }
    .map_err(refusal_of)
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
