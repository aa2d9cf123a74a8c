//! What to do about a server's refusal.

use privyseal::Refusal;
use privyseal::oauth::{Diagnosis, RequestKind};

/// What to do about it.
pub(super) fn of(refusal: &Refusal) -> String {
    let advice = to_do(refusal.kind(), refusal.diagnosis());
    match refusal.retry_after() {
        Some(retry_after) => format!("{advice}; the server asks to come back {retry_after}"),
        None => advice.to_owned(),
    }
}

pub(super) fn to_do(kind: RequestKind, diagnosis: Diagnosis) -> &'static str {
    of_person(kind, diagnosis).unwrap_or_else(|| of_client(diagnosis))
}

/// Where a person is asked, or logs in: what is else than for a client alone.
const fn of_person(kind: RequestKind, diagnosis: Diagnosis) -> Option<&'static str> {
    use RequestKind::{Authorization, Backchannel, CibaTokens, Code, Discovery, Refresh};
    Some(match (kind, diagnosis) {
        (Discovery, Diagnosis::InvalidClient | Diagnosis::Unauthorized) => {
            "check that the client id is registered with this key's kid, that --env or --base-url is right, and that \
             the clock is right"
        }
        (Backchannel | CibaTokens, Diagnosis::InvalidClient | Diagnosis::Unauthorized) => {
            "check that the provider can read the JWK Set that has this key's kid, and that the clock is right; an \
             assertion is good once"
        }
        (Backchannel, Diagnosis::InvalidScope) => {
            "check --service and --scope: they must be set up for this client at the provider"
        }
        (Backchannel, Diagnosis::InvalidRequest | Diagnosis::BadRequest) => {
            "check --service, --acr and --requested-expiry, and that ping mode (--ping) is what was registered"
        }
        (
            CibaTokens,
            Diagnosis::InvalidRequest | Diagnosis::BadRequest | Diagnosis::UnsupportedGrantType,
        ) => {
            "check that CIBA is set up for this client in the mode that was used, --ping or polling"
        }
        (Authorization | Code | Refresh, Diagnosis::InvalidScope) => {
            "check --scope: it must be set up for this client at the provider"
        }
        (Authorization | Code | Refresh, Diagnosis::InvalidClient | Diagnosis::Unauthorized) => {
            "check that the client id is registered with this key's kid, and that the clock is right; an assertion is \
             good once"
        }
        (Code | Refresh, Diagnosis::UnsupportedGrantType) => {
            "ask the provider to allow this client the authorization code flow, with refresh tokens if they are wanted"
        }
        (Authorization | Code | Refresh, Diagnosis::InvalidRequest | Diagnosis::BadRequest) => {
            "check that the redirect URI, of --listen, is registered exactly so"
        }
        (Authorization, Diagnosis::ServerError | Diagnosis::OwnReason) => {
            "begin the login again later; if it stays so, ask the provider's support"
        }
        _ => return None,
    })
}

const fn of_client(diagnosis: Diagnosis) -> &'static str {
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
        Diagnosis::InvalidCode => "begin the login again, and finish it within a minute",
        Diagnosis::InvalidRefreshToken => "have the person log in again",
        Diagnosis::InvalidAuthReqId
        | Diagnosis::DiscoveryOver
        | Diagnosis::ExpiredLoginHint
        | Diagnosis::UnknownUser => "begin again with the QR code",
        Diagnosis::ClientMayNotAsk => {
            "check --client-id, and ask the provider to allow CIBA with private_key_jwt"
        }
        Diagnosis::ClientMayNotLogIn | Diagnosis::UnsupportedResponseType => {
            "ask the provider to allow this client the authorization code flow"
        }
        Diagnosis::LoginRequired => "leave --prompt none out",
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
