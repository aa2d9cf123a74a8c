//! What to do about a server's refusal.

use privyseal::Refusal;
use privyseal::oauth::Diagnosis;

/// What to do about it.
pub(super) fn of(refusal: &Refusal) -> String {
    let advice = to_do(refusal.diagnosis());
    match refusal.retry_after() {
        Some(retry_after) => format!("{advice}; the server asks to come back {retry_after}"),
        None => advice.to_owned(),
    }
}

pub(super) const fn to_do(diagnosis: Diagnosis) -> &'static str {
    match diagnosis {
        Diagnosis::InvalidRequest | Diagnosis::InvalidScope => {
            "check that --scheme is the server's scheme"
        }
        Diagnosis::InvalidClient => {
            "check that the client id is registered there with this key or certificate, that the \
             audience is this server's, that the clock is right, and that the jti was never used before"
        }
        Diagnosis::InvalidGrant => {
            "check the audience and the clock; an assertion is good once and for 30 s"
        }
        Diagnosis::UnauthorizedClient => {
            "ask the server's operator to allow client credentials with private_key_jwt"
        }
        Diagnosis::UnsupportedGrantType | Diagnosis::BadRequest => {
            "check that --scheme is the server's scheme and --base-url its address"
        }
        Diagnosis::InvalidToken => "ask for a new one",
        Diagnosis::InsufficientScope => "ask the server's operator for the missing permission",
        Diagnosis::AccessDenied => "ask the person; a new request may be made",
        Diagnosis::ExpiredToken => "make a new request; --requested-expiry may ask for more time",
        Diagnosis::ExpiredLoginHint | Diagnosis::UnknownUser => "begin again with the QR code",
        Diagnosis::ServerError | Diagnosis::InternalError | Diagnosis::Unavailable => {
            "try again later; each try makes a new assertion"
        }
        Diagnosis::Redirect => "if the new address is the right one, give it with --base-url",
        Diagnosis::Unauthorized => {
            "check the clock, the audience, and that this certificate is the one that was registered"
        }
        Diagnosis::TokenRejected => {
            "ask for a new one; check that --base-url is the address it is for"
        }
        Diagnosis::NotPublished => "check --base-url, and --realm where there are realms",
        Diagnosis::Forbidden => "ask the scheme's operator, or the data owner, for the permission",
        Diagnosis::NotFound => "check that onboarding is completed, and --base-url and --call",
        Diagnosis::RateLimited => "wait",
        _ => "check that --base-url is the server's address",
    }
}
