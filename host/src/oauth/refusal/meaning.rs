//! What HTTP statuses and OAuth codes mean to whoever signs assertions.
//!
//! Sources: FIAM's table of response codes, RFC 6749 section 5.2, RFC 6750 section 3.1.

use crate::exit::Exit;

/// Which request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The request for an access token, with an assertion.
    Token,
    /// A call with an access token.
    Call,
    /// A question about an access token, with an assertion.
    Introspection,
    /// A document that is for everybody: metadata, keys.
    Public,
}

/// What a refusal means, what to do, and how the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) what: &'static str,
    pub(super) advice: &'static str,
    pub(super) exit: Exit,
}

impl Meaning {
    const fn refused(what: &'static str, advice: &'static str) -> Self {
        Self {
            what,
            advice,
            exit: Exit::Refused,
        }
    }

    const fn server(what: &'static str, advice: &'static str) -> Self {
        Self {
            what,
            advice,
            exit: Exit::Server,
        }
    }

    /// The code says more than the status, where there is one.
    pub(super) fn of(stage: Stage, status: u16, code: Option<&str>) -> Self {
        if matches!(status, 429 | 500..) {
            return Self::of_status(stage, status);
        }
        code.and_then(Self::of_code)
            .unwrap_or_else(|| Self::of_status(stage, status))
    }

    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "invalid_request" => Self::refused(
                "the request lacks something, or has something twice or malformed",
                "check that --scheme is the server's scheme",
            ),
            "invalid_client" => Self::refused(
                "the server does not accept who signs or how",
                "check that the client id is registered there with this key or certificate, that the \
                 audience is this server's, that the clock is right, and that the jti was never used \
                 before",
            ),
            "invalid_grant" => Self::refused(
                "the server does not accept the assertion",
                "check the audience and the clock; an assertion is good once and for 30 s",
            ),
            "unauthorized_client" => Self::refused(
                "this client may not ask for tokens in this way",
                "ask the server's operator to allow client credentials with private_key_jwt",
            ),
            "unsupported_grant_type" => Self::refused(
                "the server does not know this kind of request",
                "check that --scheme is the server's scheme and --base-url its address",
            ),
            "invalid_scope" => Self::refused(
                "the scope is unknown, malformed or more than this client may have",
                "check that --scheme is the server's scheme",
            ),
            "invalid_token" => Self::refused(
                "the access token has expired, was revoked or is malformed",
                "ask for a new one",
            ),
            "insufficient_scope" => Self::refused(
                "the access token allows less than this call needs",
                "ask the server's operator for the missing permission",
            ),
            "access_denied" => Self::refused(
                "the person, or the server, said no",
                "ask the person; a new request may be made",
            ),
            "expired_token" => Self::refused(
                "the person did not confirm in time",
                "make a new request; --requested-expiry may ask for more time",
            ),
            "expired_login_hint_token" => Self::refused(
                "the user_identifier_token has expired: it is good once and for a short time",
                "begin anew with the QR code",
            ),
            "unknown_user_id" => Self::refused(
                "the server does not know the person that is meant",
                "begin anew with the QR code",
            ),
            "server_error" | "temporarily_unavailable" => {
                Self::server("the server is in trouble", TRY_LATER)
            }
            _ => return None,
        })
    }

    fn of_status(stage: Stage, status: u16) -> Self {
        match (status, stage) {
            (300..=399, _) => Self::server(
                "a redirect, which is not followed: assertions and tokens go to no other address",
                "if the new address is the right one, give it with --base-url",
            ),
            (400, _) => Self::refused(
                "bad request: fields are missing, or the request or its JWS is malformed",
                "check that --scheme is the server's scheme and --base-url its address",
            ),
            (401, Stage::Token | Stage::Introspection) => Self::refused(
                "unauthorized: expired, a signature that is not valid, or the wrong certificate",
                "check the clock, the audience, and that this certificate is the one that was \
                 registered",
            ),
            (401, Stage::Call) => Self::refused(
                "unauthorized: the access token has expired or is not valid here",
                "ask for a new one; check that --base-url is the address it is for",
            ),
            (401 | 403 | 404, Stage::Public) => Self::server(
                "no such document is published there",
                "check --base-url, and --realm where there are realms",
            ),
            (403, _) => Self::refused(
                "forbidden: the identity is valid but authorization is missing",
                "ask the scheme's operator, or the data owner, for the permission",
            ),
            (404, _) => Self::refused(
                "not found: an unknown participant, no consent on record, or the wrong path",
                "check that onboarding is completed, and --base-url and --call",
            ),
            (429, _) => Self::server("too many requests: the rate limit is exceeded", "wait"),
            (500, _) => Self::server("internal error of the server", TRY_LATER),
            (501.., _) => Self::server("the server, or one before it, is in trouble", TRY_LATER),
            _ => Self::server(
                "an answer that no token server should give",
                "check that --base-url is the server's address",
            ),
        }
    }
}

const TRY_LATER: &str = "try again later; each try makes a new assertion";
