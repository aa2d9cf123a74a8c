//! What a token is, by its content, where nobody says.

use super::facts::Facts;
use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, ITSME, Scheme};

/// What a token says, as far as its rules go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A client assertion (RFC 7523 section 3).
    Assertion,
    /// A signed authentication request (CIBA Core section 7.1.1).
    Request,
    /// itsme's `login_hint_token`.
    LoginHint,
}

impl Kind {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "client assertion",
            Self::Request => "request object",
            Self::LoginHint => "login hint token",
        }
    }
}

/// The scheme that the content points at. Several may fit: iSHARE 2.1 is taken before 1.x.
pub(super) fn scheme(facts: &Facts<'_>) -> Option<&'static Scheme> {
    let claims = facts.claims();
    let has_hint = claims.is_some_and(|claims| {
        claims.object.get("login_hint_token").is_some() || claims.own_hint.kind.value().is_some()
    });
    if has_hint {
        return Some(&ITSME);
    }
    let audience = claims.and_then(|claims| claims.aud.value()).unwrap_or("");
    let has_x5c = facts.header().is_some_and(|header| header.x5c.is_present);
    if audience.contains("/realms/") {
        return Some(&EHEALTH);
    }
    if audience.contains(".itsme.services") {
        return Some(&ITSME);
    }
    if Some(audience) == FIAM.audience().value().default() {
        return Some(&FIAM);
    }
    (has_x5c || is_party_id(audience)).then_some(&ISHARE)
}

fn is_party_id(text: &str) -> bool {
    text.starts_with("did:ishare:") || text.starts_with("EU.EORI.")
}

/// What it is. Only a scheme with signed authentication requests has anything but assertions.
pub(super) fn kind(facts: &Facts<'_>, scheme: Option<&'static Scheme>) -> Kind {
    let has_requests = scheme.is_some_and(|scheme| scheme.request_object().is_some());
    let Some(claims) = facts.claims().filter(|_| has_requests) else {
        return Kind::Assertion;
    };
    let has = |name| claims.object.get(name).is_some();
    if has("login_hint_token") || has("scope") {
        Kind::Request
    } else if has("type") && has("value") && !has("iss") {
        Kind::LoginHint
    } else {
        Kind::Assertion
    }
}
