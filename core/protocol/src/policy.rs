//! What a device may sign, or that it unwraps content keys: given once, when it is provisioned, and locked with the key.
#![allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]

use core::fmt;

use heapless::Vec;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use privyseal_core::cert::KeyUsage;
use privyseal_core::id::{Audience, ClientId};
use privyseal_core::kid::Kid;
use privyseal_core::limits::CLOCK_FLOOR;
use privyseal_core::rsa::{KeyError, RsaPublicKey};
use privyseal_core::scheme::{self, KeyReference, NotBefore, OWN_FORMS, Scheme, SchemeRules};

use super::statement::Statement;

/// Audiences that a policy can allow.
pub const MAX_AUDIENCES: usize = 16;

/// Schemes that a policy can have, each once.
pub const MAX_SCHEMES: usize = scheme::ALL.len();

/// Seconds that the host's clock may run ahead of the device's, at most: ten years.
pub const MAX_JUMP_SECONDS: u32 = 10 * 366 * 86_400;

/// Seconds that a person has to press the button, at most.
pub const MAX_PRESENCE_SECONDS: u8 = 120;

/// Assertions in one period of the rate limit, at most.
pub const MAX_RATE: u16 = 10_000;

/// Seconds of the rate limit's period, at most: a day.
pub const MAX_RATE_SECONDS: u32 = 86_400;

/// Bits of a scheme's number below that of a statement.
const STATEMENT_SHIFT: u8 = 6;

/// Schemes of a user's own that a policy can have.
pub const MAX_OWN: u8 = 5;

/// The first number of those.
const FIRST_OWN: u8 = 32;

/// Above the last: each place has one for each form.
const MAX_CODE: u8 = FIRST_OWN + MAX_OWN * 6;
const _: () = assert!(OWN_FORMS.len() == 6 && MAX_CODE <= 1 << STATEMENT_SHIFT);

/// A scheme, on the wire and in the log, as its number: [`Scheme::code`]; or, of a user's own, its place in the policy
/// and its form.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct SchemeId(u8);

impl SchemeId {
    /// That of a scheme.
    pub const fn of(scheme: &'static Scheme) -> Self {
        Self(scheme.code())
    }

    /// That of a scheme of a user's own, which stands in this place, from 0, of those in the policy. `None` from
    /// [`MAX_OWN`] on.
    pub fn own(place: u8, key: KeyReference, not_before: NotBefore) -> Option<Self> {
        let of_place = (FIRST_OWN..MAX_CODE).skip(usize::from(place).checked_mul(OWN_FORMS.len())?);
        let mut ids = of_place.take(OWN_FORMS.len()).map(Self);
        ids.find(|id| id.has_form(key, not_before))
    }

    /// The scheme's rules; of a user's own those that a device knows, which are wider.
    pub fn rules(self) -> &'static SchemeRules {
        let [first, ..] = &OWN_FORMS;
        let own = usize::from(self.0.saturating_sub(FIRST_OWN));
        let form = own
            .checked_rem(OWN_FORMS.len())
            .and_then(|form| OWN_FORMS.get(form));
        // The numbers of known schemes are their places; a test looks at each number.
        let known = scheme::ALL.get(usize::from(self.0)).map(|it| it.rules());
        known.or(form).unwrap_or(first)
    }

    /// Whether it is the number of a scheme with these rules.
    pub fn serves(self, rules: &SchemeRules) -> bool {
        match rules.built_in() {
            Some(scheme) => scheme.code() == self.0,
            None => {
                self.0 >= FIRST_OWN
                    && self.has_form(rules.key_reference().value(), rules.not_before().value())
            }
        }
    }

    fn has_form(self, key: KeyReference, not_before: NotBefore) -> bool {
        let rules = self.rules();
        rules.key_reference().value() == key && rules.not_before().value() == not_before
    }

    /// The number.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The scheme of a number.
    pub fn from_code(code: u8) -> Option<Self> {
        let is_known = usize::from(code) < scheme::ALL.len();
        (is_known || (FIRST_OWN..MAX_CODE).contains(&code)).then_some(Self(code))
    }
}

impl fmt::Debug for SchemeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rules().name())
    }
}

impl From<SchemeId> for u8 {
    fn from(id: SchemeId) -> Self {
        id.code()
    }
}

impl TryFrom<u8> for SchemeId {
    type Error = &'static str;

    fn try_from(code: u8) -> Result<Self, &'static str> {
        Self::from_code(code).ok_or("no scheme's number")
    }
}

/// One scheme that the device serves, and as which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemePolicy<'a> {
    /// The scheme.
    pub scheme: SchemeId,
    /// `iss` and `sub`.
    #[serde(borrow)]
    pub client_id: &'a str,
    /// `kid`, for a scheme whose header names the key so, and for no other.
    pub kid: Option<&'a str>,
}

/// One audience that the device signs for, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u8, &'a str)", try_from = "(u8, &'a str)")]
pub struct AllowedAudience<'a> {
    /// Under which scheme.
    pub scheme: SchemeId,
    /// `aud`, character by character.
    pub audience: &'a str,
    /// What may be signed for it. A login hint goes with authentication requests.
    pub statement: Statement,
}

impl<'a> AllowedAudience<'a> {
    /// One for client assertions.
    #[must_use]
    pub const fn of_assertions(scheme: SchemeId, audience: &'a str) -> Self {
        Self {
            scheme,
            audience,
            statement: Statement::Assertion,
        }
    }

    /// Whether it is one of this scheme's for this statement.
    pub fn allows(&self, scheme: SchemeId, statement: Statement) -> bool {
        self.scheme == scheme && self.statement == statement.permission()
    }
}

/// The scheme's number and, above it, what is allowed: nothing for assertions, as policies had it that knew no more.
impl<'a> From<AllowedAudience<'a>> for (u8, &'a str) {
    fn from(allowed: AllowedAudience<'a>) -> Self {
        let code = allowed.scheme.code() | (allowed.statement.code() << STATEMENT_SHIFT);
        (code, allowed.audience)
    }
}

impl<'a> TryFrom<(u8, &'a str)> for AllowedAudience<'a> {
    type Error = &'static str;

    fn try_from((code, audience): (u8, &'a str)) -> Result<Self, Self::Error> {
        let scheme = SchemeId::try_from(code & ((1 << STATEMENT_SHIFT) - 1))?;
        let code = code >> STATEMENT_SHIFT;
        let mut statements = Statement::ALL.into_iter();
        let statement = statements.find(|it| it.code() == code);
        Ok(Self {
            scheme,
            audience,
            statement: statement.ok_or("no statement's number")?,
        })
    }
}

/// How many assertions in how many seconds: so many at once, then one each `seconds / assertions`.
/// Refusals that are written into the log count as well, since they wear the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// 1 to [`MAX_RATE`].
    pub assertions: u16,
    /// 1 to [`MAX_RATE_SECONDS`].
    pub seconds: u32,
}

impl Rate {
    /// Milliseconds for which one assertion counts, at least 1.
    pub fn interval(self) -> u32 {
        let millis = u64::from(self.seconds).saturating_mul(1000);
        let each = millis.checked_div(self.assertions.into()).unwrap_or(millis);
        u32::try_from(each.max(1)).unwrap_or(u32::MAX)
    }
}

/// The whole policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy<'a> {
    /// The schemes, each once. With none of them the key signs nothing: see [`Policy::unwraps`].
    #[serde(borrow)]
    pub schemes: Vec<SchemePolicy<'a>, MAX_SCHEMES>,
    /// The audiences. A scheme without one here signs nothing, whatever its default audience is.
    #[serde(borrow)]
    pub audiences: Vec<AllowedAudience<'a>, MAX_AUDIENCES>,
    /// The longest `exp - iat`, in seconds, below what each scheme allows.
    pub max_lifetime: u32,
    /// The rate limit.
    pub rate: Rate,
    /// No assertion is made for a time before this one, seconds since the epoch: the time of provisioning.
    pub time_floor: u64,
    /// Seconds, since the device started, by which the host's clock may be ahead of the device's: of the
    /// time floor when it started, and of the milliseconds that it counted since. What it was switched off
    /// must fit in too, unless the authority speaks.
    pub max_jump: u32,
    /// The public key of the provisioning authority (SubjectPublicKeyInfo of RSA-2048 or RSA-3072, DER),
    /// whose word lets time jump further.
    pub authority: Option<&'a [u8]>,
    /// If there is one: the button must be pressed for each assertion, within so many seconds.
    pub presence: Option<u8>,
    /// Whether the board's own random generator must take part; without it the seed alone is used.
    pub board_entropy: bool,
    /// Whether no key is taken but one that is kept under an unlock secret.
    pub unlock: bool,
}

/// What is wrong with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It has no scheme, and yet what goes with one.
    #[error(
        "the policy has no scheme, but audiences or a longest lifetime, which a key that unwraps has not"
    )]
    NoScheme,
    /// A scheme stands there twice.
    #[error("the policy has scheme {} twice", .0.rules().name())]
    DuplicateScheme(SchemeId),
    /// A client id is not of its scheme's form.
    #[error("the client id for {} is not of its form ({})", .0.rules().name(), .0.rules().client_id().source())]
    ClientId(SchemeId),
    /// A `kid` is missing or malformed, or is there where the header carries the chain.
    #[error("the kid for {} is missing, malformed, or one too many ({})", .0.rules().name(), .0.rules().key_reference().source())]
    Kid(SchemeId),
    /// An audience is not of its scheme's form, or its scheme is not there.
    #[error(
        "audience {position} (from 0) is not of its scheme's form, or its scheme is not in the \
                 policy"
    )]
    Audience {
        /// Which one, from 0.
        position: usize,
    },
    /// An audience is for a statement that its scheme does not have.
    #[error("an audience is for a statement that {} does not have", .0.rules().name())]
    Statement(SchemeId),
    /// The longest lifetime is shorter than the shortest of a scheme.
    #[error("max_lifetime is shorter than {} demands ({})", .0.rules().name(), .0.rules().lifetime().source())]
    Lifetime(SchemeId),
    /// The rate limit is out of its range.
    #[error("the rate is not 1 to {max_rate} assertions in 1 to {max_rate_seconds} s", max_rate = MAX_RATE, max_rate_seconds = MAX_RATE_SECONDS)]
    Rate,
    /// The time floor is before this release, so it was never set.
    #[error("the time floor is before {clock_floor}, when this software was released", clock_floor = CLOCK_FLOOR)]
    TimeFloor,
    /// The jump is longer than [`MAX_JUMP_SECONDS`].
    #[error("max_jump is above {max_jump_seconds} s", max_jump_seconds = MAX_JUMP_SECONDS)]
    Jump,
    /// The authority's key is no RSA key of 2048 or 3072 bits.
    #[error("the authority's key is no RSA key of 2048 or 3072 bits")]
    Authority,
    /// The time for the button is zero or above [`MAX_PRESENCE_SECONDS`].
    #[error("the time for the button is not 1 to {max_presence_seconds} s", max_presence_seconds = MAX_PRESENCE_SECONDS)]
    Presence,
}

impl<'a> Policy<'a> {
    /// Reads the encoding of a policy, all of it.
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        match postcard::take_from_bytes(bytes) {
            Ok((policy, [])) => Some(policy),
            _ => None,
        }
    }

    /// Writes the encoding; `None` if the buffer is too short. [`super::MAX_POLICY`] bytes are the most
    /// that a device takes.
    pub fn to_bytes<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        postcard::to_slice(self, buffer).ok().map(|bytes| &*bytes)
    }

    /// SHA-256 of the encoding with a time floor of zero: which policy it is, whenever it was made. `None` never comes: a
    /// hash has room for everything.
    pub fn fingerprint(&self) -> Option<[u8; 32]> {
        let timeless = Self {
            time_floor: 0,
            ..self.clone()
        };
        postcard::serialize_with_flavor(&timeless, Hashing(Sha256::new())).ok()
    }

    /// Whether the key unwraps content keys. It signs nothing then: there is no scheme, no audience, and no lifetime.
    pub fn unwraps(&self) -> bool {
        self.schemes.is_empty() && self.audiences.is_empty() && self.max_lifetime == 0
    }

    /// Checks every rule that needs neither key nor chain.
    ///
    /// # Errors
    /// [`PolicyError`], the first that is found.
    pub fn check(&self) -> Result<(), PolicyError> {
        if self.schemes.is_empty() && !self.unwraps() {
            return Err(PolicyError::NoScheme);
        }
        for (position, scheme) in self.schemes.iter().enumerate() {
            let mut before = self.schemes.iter().take(position);
            if before.any(|other| other.scheme == scheme.scheme) {
                return Err(PolicyError::DuplicateScheme(scheme.scheme));
            }
            scheme.check()?;
            if u64::from(self.max_lifetime) < scheme.scheme.rules().lifetime().value().min() {
                return Err(PolicyError::Lifetime(scheme.scheme));
            }
        }
        for (position, allowed) in self.audiences.iter().enumerate() {
            let (statement, rules) = (allowed.statement, allowed.scheme.rules());
            let lifetime = statement.lifetime(rules);
            if statement.permission() != statement || lifetime.is_none() {
                return Err(PolicyError::Statement(allowed.scheme));
            }
            if lifetime.is_some_and(|it| u64::from(self.max_lifetime) < it.min()) {
                return Err(PolicyError::Lifetime(allowed.scheme));
            }
            let fits = self.scheme(allowed.scheme).is_some()
                && Audience::new(allowed.audience)
                    .and_then(|audience| rules.choose_audience(Some(audience)))
                    .is_ok();
            if !fits {
                return Err(PolicyError::Audience { position });
            }
        }
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), PolicyError> {
        let Rate {
            assertions,
            seconds,
        } = self.rate;
        if !(1..=MAX_RATE).contains(&assertions) || !(1..=MAX_RATE_SECONDS).contains(&seconds) {
            return Err(PolicyError::Rate);
        }
        if !(CLOCK_FLOOR..=privyseal_core::limits::MAX_UNIX_TIME).contains(&self.time_floor) {
            return Err(PolicyError::TimeFloor);
        }
        if self.max_jump > MAX_JUMP_SECONDS {
            return Err(PolicyError::Jump);
        }
        if matches!(self.authority_key(), Some(Err(_))) {
            return Err(PolicyError::Authority);
        }
        match self.presence {
            None | Some(1..=MAX_PRESENCE_SECONDS) => Ok(()),
            Some(_) => Err(PolicyError::Presence),
        }
    }

    /// The entry of a scheme.
    pub fn scheme(&self, scheme: SchemeId) -> Option<&SchemePolicy<'a>> {
        self.schemes.iter().find(|entry| entry.scheme == scheme)
    }

    /// Where an audience stands in the list, if it does for this statement.
    pub fn audience(
        &self,
        scheme: SchemeId,
        statement: Statement,
        audience: &str,
    ) -> Option<usize> {
        self.audiences
            .iter()
            .position(|allowed| allowed.allows(scheme, statement) && allowed.audience == audience)
    }

    /// Where the first audience stands for which this statement is allowed.
    pub fn permission(&self, scheme: SchemeId, statement: Statement) -> Option<usize> {
        let mut audiences = self.audiences.iter();
        audiences.position(|allowed| allowed.allows(scheme, statement))
    }

    /// The authority's key, if there is an authority.
    pub fn authority_key(&self) -> Option<Result<RsaPublicKey, KeyError>> {
        let spki = self.authority?;
        let key = RsaPublicKey::from_spki(spki);
        // The signature must fit a message.
        Some(key.and_then(|key| match key.bits() {
            2048 | 3072 => Ok(key),
            bits => Err(KeyError::Size { bits }),
        }))
    }

    /// Whether a scheme names its key by its certificate.
    pub fn needs_chain(&self) -> bool {
        self.schemes
            .iter()
            .any(|entry| entry.scheme.rules().key_reference().value() != KeyReference::Kid)
    }

    /// The usages of which the leaf must have one, for people: those of the first scheme that has any.
    pub fn leaf_key_usage(&self) -> Option<KeyUsage> {
        let mut rules = self.schemes.iter().map(|entry| entry.scheme.rules());
        rules.find_map(|rules| rules.leaf_key_usage().value().first().copied())
    }
}

/// Hashes what is encoded.
struct Hashing(Sha256);

impl Flavor for Hashing {
    type Output = [u8; 32];

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.update(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<[u8; 32]> {
        Ok(self.0.finalize().into())
    }
}

impl SchemePolicy<'_> {
    fn check(&self) -> Result<(), PolicyError> {
        let rules = self.scheme.rules();
        ClientId::new(self.client_id)
            .and_then(|client_id| rules.check_client_id(&client_id))
            .map_err(|_| PolicyError::ClientId(self.scheme))?;
        let fits = match (rules.key_reference().value(), self.kid) {
            (KeyReference::Kid, kid) => kid.is_some_and(|kid| Kid::new(kid).is_ok()),
            (_, kid) => kid.is_none(),
        };
        if fits {
            Ok(())
        } else {
            Err(PolicyError::Kid(self.scheme))
        }
    }
}

#[cfg(test)]
mod tests;
