//! What to do about a server's refusal.

use privyseal::Refusal;
use privyseal::oauth::{Diagnosis, RequestKind};

/// What is said where a refresh token is spent, or nobody knows.
pub(super) const SPENT: &str =
    "the refresh token is good once: use it no more, and have the person log in again";

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
    use Diagnosis as D;
    use RequestKind::{
        Authorization, Backchannel, Call, CibaTokens, Code, Discovery, Introspection, Logout,
        NewDiscovery, Public, Refresh, Revocation, UserInfo,
    };
    Some(match (kind, diagnosis) {
        (NewDiscovery, D::InvalidRequest | D::BadRequest) => {
            "check --client-id, and that --env or --base-url is right"
        }
        (NewDiscovery | Discovery, D::InvalidClient) => {
            "check that the client id is registered with this key's kid, that --env or --base-url is right, and that \
             the clock is right"
        }
        (Backchannel | CibaTokens, D::InvalidClient) => {
            "check that the provider can read the JWK Set that has this key's kid, and that the clock is right; an \
             assertion is good once"
        }
        (Backchannel, D::InvalidScope) => {
            "check --service and --scope: they must be set up for this client at the provider"
        }
        (Backchannel, D::InvalidRequest | D::BadRequest) => {
            "check --service, --acr and --requested-expiry, and that ping mode (--ping) is what was registered"
        }
        (Backchannel, D::RequestObject) => {
            "check that RS256 is registered for signed requests of this client, and that the clock is right"
        }
        (Backchannel, D::ClientMayNotAsk) => {
            "check --client-id, and --env or --base-url: the client must be known there"
        }
        (Backchannel, D::ExpiredLoginHint) => {
            "begin again with the QR code, and ask at once when it was scanned"
        }
        (CibaTokens, D::ClientMayNotAsk) => {
            "ask the provider to allow CIBA with private_key_jwt; if it does, check this key's kid and the clock"
        }
        (CibaTokens, D::InvalidRequest | D::BadRequest) => {
            "check that CIBA is set up for this client in the mode that was used, --ping or polling"
        }
        (CibaTokens, D::UnsupportedGrantType) => "ask the provider to allow this client CIBA",
        (Refresh, D::InvalidScope) => {
            "have the person log in again: what this client may have is not what it was then"
        }
        (Logout, D::InvalidRefreshToken) => {
            "its session has ended before, or it is none of this client's"
        }
        (Refresh | Introspection | Revocation | Logout, D::ClientMayNotGoOn | D::AccessDenied) => {
            "ask the provider to allow this client that, with private_key_jwt"
        }
        (Authorization | Code, D::InvalidScope) => {
            "check --scope: it must be set up for this client at the provider"
        }
        (
            Authorization | Code | Refresh | Introspection | Revocation | Logout | UserInfo,
            D::InvalidClient,
        ) => {
            "check that the client id is registered with this key's kid, and that the clock is right; an assertion is \
             good once"
        }
        (Code | Refresh, D::UnsupportedGrantType) => {
            "ask the provider to allow this client the authorization code flow, with refresh tokens if they are wanted"
        }
        (Introspection, D::UnsupportedTokenType)
        | (Refresh | Introspection | Revocation | Logout, D::InvalidRequest | D::BadRequest) => {
            "check that the file has a token of the kind that is asked for, and of this provider"
        }
        (Authorization | Code, D::InvalidRequest | D::BadRequest) => {
            "check that the redirect URI, of --listen, is registered exactly so"
        }
        (Authorization, D::UnsupportedResponseType) => {
            "ask the provider to give this client codes (response_type code)"
        }
        (Authorization, D::ServerError | D::OwnReason) => {
            "begin the login again later; if it stays so, ask the provider's support"
        }
        (Authorization, D::Overloaded) => "begin the login again in some minutes",
        (Refresh, D::ServerError | D::Overloaded) => SPENT,
        (UserInfo, D::InvalidRequest | D::BadRequest) => {
            "ask the provider's support: its UserInfo endpoint does not take the access token as it should"
        }
        (UserInfo, D::NotAllowed) => {
            "ask the provider's support: its metadata name a UserInfo endpoint that does not take GET"
        }
        // Nothing of an assertion was sent there.
        (
            UserInfo | Public | Call,
            D::ServerError | D::Overloaded | D::InternalError | D::Unavailable,
        ) => "try again later",
        (Public, D::Redirect) => "if the new address is the right one, give that one",
        (Public, D::NotPublished) => {
            "check the address that was given, and the realm where there are realms"
        }
        (kind, D::Redirect) if kind.is_to_provider() => {
            "ask the provider's support: its metadata name an address that leads elsewhere"
        }
        (UserInfo, D::InvalidToken | D::TokenRejected) => "begin the login again",
        (UserInfo, D::InsufficientScope | D::Forbidden) => "ask for more with --scope",
        (kind, D::Forbidden) if kind.is_to_provider() => "ask the provider for the permission",
        _ => return None,
    })
}

const fn of_client(diagnosis: Diagnosis) -> &'static str {
    match diagnosis {
        Diagnosis::InvalidRequest => "check that --scheme is the server's scheme",
        Diagnosis::InvalidScope => {
            "check the scope, and ask the server's operator to allow it to this client"
        }
        Diagnosis::InvalidClient => {
            "check that the client id is registered there with this key or certificate, that the \
             audience is this server's, that the clock is right, and that the jti was never used before"
        }
        Diagnosis::InvalidGrant => {
            "check the audience and the clock; an assertion is good once, and for as long as its scheme says"
        }
        Diagnosis::InvalidCode => "begin the login again, and finish it within a minute",
        Diagnosis::InvalidRefreshToken => "have the person log in again",
        Diagnosis::InvalidAuthReqId
        | Diagnosis::DiscoveryOver
        | Diagnosis::ExpiredLoginHint
        | Diagnosis::UnknownUser => "begin again with the QR code",
        Diagnosis::ClientMayNotLogIn | Diagnosis::UnsupportedResponseType => {
            "ask the provider to allow this client the authorization code flow"
        }
        Diagnosis::RequestObject => {
            "begin the login again without --signed-request, or ask the provider to take signed requests of this client"
        }
        Diagnosis::LoginRequired => {
            "begin the login again, without --prompt none where that was given"
        }
        Diagnosis::UnsupportedTokenType => {
            "give the refresh token: with it the access tokens of its session are worth nothing either"
        }
        Diagnosis::UnauthorizedClient => {
            "ask the server's operator to allow client credentials with private_key_jwt"
        }
        Diagnosis::UnsupportedGrantType | Diagnosis::BadRequest => {
            "check that --scheme is the server's scheme and --base-url its address"
        }
        Diagnosis::NoSuchEndpoint => {
            "check --base-url and what else names the server; an address that the provider's metadata name is its operator's to mend"
        }
        Diagnosis::InvalidToken => "ask for a new one",
        Diagnosis::InsufficientScope => "ask the server's operator for the missing permission",
        Diagnosis::AccessDenied => "ask the person; a new request may be made",
        Diagnosis::UserMayNot => {
            "ask the provider who may use that service, and check --service; another person may be asked"
        }
        Diagnosis::UserCode => "ask the provider to register this client without user codes",
        Diagnosis::BindingMessage => "ask the provider what such a text may be",
        Diagnosis::TransactionFailed => {
            "make a new request; if it fails again, ask the provider's support"
        }
        Diagnosis::ExpiredToken => "make a new request; --requested-expiry may ask for more time",
        Diagnosis::ServerError
        | Diagnosis::Overloaded
        | Diagnosis::InternalError
        | Diagnosis::Unavailable => "try again later; each try makes a new assertion",
        Diagnosis::Redirect => "if the new address is the right one, give it with --base-url",
        Diagnosis::Unauthorized => {
            "check the clock, the audience, and that this certificate is the one that was registered"
        }
        Diagnosis::TokenRejected => {
            "ask for a new one; check that --base-url is the address it is for"
        }
        Diagnosis::Forbidden => "ask the scheme's operator, or the data owner, for the permission",
        Diagnosis::NotFound => "check that onboarding is completed, and --base-url and --call",
        Diagnosis::RateLimited => "wait",
        _ => "check that --base-url is the server's address",
    }
}
