//! What a token is, by its content, where nobody says.

use super::facts::{ENCRYPTED, Facts};
use privyseal_core::named;
use privyseal_core::scheme::{ALL, KeyReference, Scheme, SchemeRules};

named! {
    /// What a token says, as far as its rules go.
    #[non_exhaustive]
    pub enum Kind {
        /// A client assertion (RFC 7523 section 3).
        Assertion = "client assertion",
        /// A signed authentication request (CIBA Core section 7.1.1).
        Request = "request object",
        /// itsme's `login_hint_token`.
        LoginHint = "login hint token",
        /// A JWE (RFC 7516): what is in it, only its receiver can tell.
        Encrypted = "encrypted token",
    }
}

/// The scheme that the content points at: the first that fits.
pub(super) fn scheme(facts: &Facts<'_>) -> Option<&'static Scheme> {
    let claims = facts.claims();
    let has_hint = claims.is_some_and(|claims| {
        claims.object.get("login_hint_token").is_some() || claims.own_hint.kind.value().is_some()
    });
    let first = |fits: &dyn Fn(&Scheme) -> bool| ALL.iter().copied().find(|scheme| fits(scheme));
    if has_hint {
        return first(&|scheme| scheme.request_object().is_some());
    }
    let audience = claims.and_then(|claims| claims.aud.value()).unwrap_or("");
    let marked = first(&|scheme| {
        let marks = scheme.audience().value().marks();
        marks.iter().any(|mark| audience.contains(mark))
    });
    let has_x5c = facts.header().is_some_and(|header| header.x5c.is_present);
    marked.or_else(|| {
        first(&|scheme| {
            let of_anyone = scheme.audience().value().default().is_none();
            has_x5c && of_anyone && scheme.key_reference().value() == KeyReference::X5cWithRoot
        })
    })
}

/// What it is. Only a scheme with signed authentication requests has anything but assertions.
pub(super) fn kind(facts: &Facts<'_>, scheme: Option<&'static SchemeRules>) -> Kind {
    if facts.form == Err(ENCRYPTED) {
        return Kind::Encrypted;
    }
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
