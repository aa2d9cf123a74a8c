//! Everything that is read from a token, once, before any rule is judged.

mod claims;
mod header;
mod x5c;

use super::json::{Object, Value};
use super::scratch::Scratch;
use super::verdict::{Violation, ensure};
use privyseal_core::cert::Certificate;
use privyseal_core::field::Fault;
use privyseal_core::jws::JwsParts;
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_JSON_MEMBERS, MAX_UNIX_TIME};

pub(super) use claims::Claims;
pub(super) use header::Header;
pub(super) use x5c::X5c;

/// What a token says, each part as far as it can be read.
pub(super) struct Facts<'t> {
    /// Whether it is a compact JWS at all.
    pub(super) form: Result<(), Violation>,
    pub(super) header: Result<Header<'t>, Violation>,
    pub(super) claims: Result<Claims<'t>, Violation>,
    pub(super) signing_input: &'t str,
    pub(super) signature: &'t [u8],
}

/// A member that should be a string.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'t> {
    Absent,
    /// Another type: which one.
    Wrong(&'static str),
    Is(&'t str),
}

/// A member that should be a `NumericDate` in whole seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    Absent,
    /// Something else.
    Wrong(Violation),
    Is(u64),
}

impl<'t> Facts<'t> {
    pub(super) fn read(token: &'t str, scratch: &mut Scratch<'t>) -> Self {
        let parts = is_in_bounds(token.len(), scratch)
            .and_then(|()| JwsParts::split(token).ok_or_else(|| not_three(token, scratch)));
        let decoded = parts.and_then(|parts| {
            let parts = Parts::decode(&parts, scratch)?;
            let payload = scratch.base64url(parts.payload);
            Ok((parts, payload.ok_or(Violation::Text(PAYLOAD))?))
        });
        match decoded {
            Ok((parts, payload)) => Self {
                claims: object(payload).map(|object| Claims::read(object, scratch)),
                ..Self::of_parts(&parts, scratch)
            },
            Err(why) => Self::unread(why),
        }
    }

    /// What all but the payload says.
    pub(super) fn of_header(parts: &JwsParts<'t>, scratch: &mut Scratch<'t>) -> Self {
        let parts =
            is_in_bounds(parts.token_len(), scratch).and_then(|()| Parts::decode(parts, scratch));
        match parts {
            Ok(parts) => Self::of_parts(&parts, scratch),
            Err(why) => Self::unread(why),
        }
    }

    /// What a payload alone says, in JSON.
    pub(super) fn of_payload(payload: &'t [u8], scratch: &mut Scratch<'t>) -> Self {
        Self {
            form: Ok(()),
            claims: object(payload).map(|object| Claims::read(object, scratch)),
            ..Self::unread(UNREAD)
        }
    }

    fn of_parts(parts: &Parts<'t>, scratch: &mut Scratch<'t>) -> Self {
        Self {
            form: Ok(()),
            header: object(parts.header).map(|object| Header::read(object, scratch)),
            signing_input: parts.signing_input,
            signature: parts.signature,
            ..Self::unread(UNREAD)
        }
    }

    const fn unread(why: Violation) -> Self {
        Self {
            form: Err(why),
            header: Err(why),
            claims: Err(why),
            signing_input: "",
            signature: &[],
        }
    }

    pub(super) fn header(&self) -> Option<&Header<'t>> {
        self.header.as_ref().ok()
    }

    pub(super) fn claims(&self) -> Option<&Claims<'t>> {
        self.claims.as_ref().ok()
    }

    /// The certificates in the header, if they could be read.
    pub(super) fn certificates(&self) -> &[Certificate<'t>] {
        let certificates = self.header().map(|header| &header.x5c.certificates);
        certificates.map_or(&[], |certificates| {
            certificates.as_deref().unwrap_or_default()
        })
    }
}

/// The parts of a compact JWS (RFC 7515 section 7.1), decoded but for the payload.
struct Parts<'t> {
    header: &'t [u8],
    payload: &'t str,
    signature: &'t [u8],
    signing_input: &'t str,
}

impl<'t> Parts<'t> {
    fn decode(parts: &JwsParts<'t>, scratch: &mut Scratch<'t>) -> Result<Self, Violation> {
        let mut decode = |text, what| scratch.base64url(text).ok_or(Violation::Text(what));
        Ok(Self {
            header: decode(parts.header, HEADER)?,
            payload: parts.payload,
            signature: decode(parts.signature, SIGNATURE)?,
            signing_input: parts.signing_input,
        })
    }
}

/// Whether a token of that length may be read, and can be with this scratch.
fn is_in_bounds(len: usize, scratch: &Scratch<'_>) -> Result<(), Violation> {
    let max = MAX_COMPACT_JWS.min(scratch.len() / 3);
    ensure(len <= max, Fault::TooLong { len, max })
}

const HEADER: &str = "has a header that is not base64url without padding";
const PAYLOAD: &str = "has a payload that is not base64url without padding";
const SIGNATURE: &str = "has a signature that is not base64url without padding";
const UNREAD: Violation = Violation::Text("was not read");
const PARTS: &str = "has not three parts with dots between them";
/// That it is a JWE, which is no fault of its own.
pub(super) const ENCRYPTED: Violation = Violation::Text(
    "is a JWE (RFC 7516), not a JWS: encrypted for its receiver, whose private key alone opens it",
);

/// What is wrong with a token that has not three parts. A JWE has five, and its header names the algorithm (RFC 7516
/// section 4.1.2).
fn not_three(token: &str, scratch: &mut Scratch<'_>) -> Violation {
    let mut parts = token.split('.');
    let header = parts.next().filter(|_| parts.count() == 4);
    let header = header.and_then(|header| object(scratch.base64url(header)?).ok());
    match header.and_then(|header| header.get("enc")) {
        Some(_) => ENCRYPTED,
        None => Violation::Text(PARTS),
    }
}

/// One JSON object in UTF-8, each member there once.
fn object(bytes: &[u8]) -> Result<Object<'_>, Violation> {
    let text = core::str::from_utf8(bytes).map_err(|_| Violation::Text("is not UTF-8"))?;
    let object = match Value::parse(text)? {
        Value::Object(object) => object,
        other => return Err(Violation::kind(other.kind(), "an object")),
    };
    let (len, max) = (object.len(), MAX_JSON_MEMBERS);
    ensure(len <= max, Fault::TooLong { len, max })?;
    let why = Violation::Text("has the same member twice");
    ensure(!object.has_duplicate(), why)?;
    Ok(object)
}

impl<'t> Text<'t> {
    fn read(object: &Object<'t>, name: &str, scratch: &mut Scratch<'t>) -> Self {
        Self::of(object.get(name), scratch)
    }

    fn of(value: Option<Value<'t>>, scratch: &mut Scratch<'t>) -> Self {
        match value {
            None => Self::Absent,
            Some(Value::String(text)) => match scratch.text(&text) {
                Some(text) => Self::Is(text),
                None => Self::Wrong("a string that cannot be read"),
            },
            Some(other) => Self::Wrong(other.kind()),
        }
    }

    /// The text, if it is one.
    pub(super) const fn value(self) -> Option<&'t str> {
        match self {
            Self::Is(text) => Some(text),
            _ => None,
        }
    }

    /// The text, which must be there and not empty.
    pub(super) fn required(self) -> Result<&'t str, Violation> {
        match self {
            Self::Absent => Err(Violation::Fault(Fault::Missing)),
            Self::Wrong(found) => Err(Violation::kind(found, "a string")),
            Self::Is("") => Err(Violation::Fault(Fault::Empty)),
            Self::Is(text) => Ok(text),
        }
    }

    /// The text, which need not be there.
    pub(super) fn optional(self) -> Result<Option<&'t str>, Violation> {
        match self {
            Self::Absent => Ok(None),
            present => present.required().map(Some),
        }
    }
}

impl Moment {
    fn read(object: &Object<'_>, name: &str) -> Self {
        match object.get(name) {
            None => Self::Absent,
            Some(Value::Number(digits)) => match digits.parse::<u64>() {
                Ok(value) if value > MAX_UNIX_TIME => {
                    let (min, max) = (0, MAX_UNIX_TIME);
                    Self::Wrong(Fault::OutOfRange { value, min, max }.into())
                }
                Ok(value) => Self::Is(value),
                Err(_) => Self::Wrong(Violation::Text("is not a whole number of seconds")),
            },
            Some(other) => Self::Wrong(Violation::kind(other.kind(), "a number")),
        }
    }

    /// The seconds, if it is a moment.
    pub(super) const fn value(self) -> Option<u64> {
        match self {
            Self::Is(seconds) => Some(seconds),
            _ => None,
        }
    }

    /// The seconds, which must be there.
    pub(super) const fn required(self) -> Result<u64, Violation> {
        match self {
            Self::Absent => Err(Violation::Fault(Fault::Missing)),
            Self::Wrong(why) => Err(why),
            Self::Is(seconds) => Ok(seconds),
        }
    }
}
