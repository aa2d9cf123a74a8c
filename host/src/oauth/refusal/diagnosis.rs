//! What HTTP statuses and OAuth codes mean to a client that signs assertions.
//!
//! Sources: FIAM's table of response codes, RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, CIBA Core
//! sections 11 and 13, and the error tables of itsme (by endpoint) and eHealth (section 8).

/// Which request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestKind {
    /// The request for an access token, with an assertion.
    Token,
    /// A call with an access token.
    Call,
    /// A question about an access token, with an assertion.
    Introspection,
    /// A document that is for everybody: metadata, keys.
    Public,
    /// A person's browser, sent to log in.
    Authorization,
    /// The exchange of a code for tokens.
    Code,
    /// The exchange of a refresh token for tokens.
    Refresh,
    /// The question who the owner of an access token is.
    UserInfo,
    /// The request to make a token worthless.
    Revocation,
    /// The request to end a session.
    Logout,
    /// The request for a session of itsme's user discovery.
    NewDiscovery,
    /// A session of itsme's user discovery.
    Discovery,
    /// The request to ask a person (CIBA).
    Backchannel,
    /// The request for the tokens of a person who was asked (CIBA).
    CibaTokens,
}

impl RequestKind {
    /// Whether it goes to an OpenID provider, for a person or for what follows: nothing of FIAM's or iSHARE's registries.
    pub const fn is_to_provider(self) -> bool {
        !matches!(self, Self::Token | Self::Call | Self::Public)
    }

    /// Whether it is about a token or a session that was given before.
    const fn is_of_tokens(self) -> bool {
        matches!(
            self,
            Self::Refresh | Self::Introspection | Self::Revocation | Self::Logout
        )
    }
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Diagnosis {
    /// `invalid_request`.
    #[error("the request lacks something, or has something twice or malformed")]
    InvalidRequest,
    /// `invalid_client`.
    #[error("the server does not accept who signs or how")]
    InvalidClient,
    /// `invalid_grant`.
    #[error("the server does not accept the assertion")]
    InvalidGrant,
    /// `invalid_grant` to a code.
    #[error(
        "the server does not accept the code: it is good once, for a short time, and for the client and redirect URI \
         that it was given to"
    )]
    InvalidCode,
    /// `invalid_grant` to a refresh token.
    #[error("the refresh token has expired, was revoked, or was used before")]
    InvalidRefreshToken,
    /// `invalid_grant` to an `auth_req_id`.
    #[error("the authentication request has expired, or its tokens were fetched before")]
    InvalidAuthReqId,
    /// `unauthorized_client` where a person is asked, or was.
    #[error("the server does not know this client, or does not let it ask persons")]
    ClientMayNotAsk,
    /// `unauthorized_client` where a person logs in.
    #[error("this client may not send persons there to log in")]
    ClientMayNotLogIn,
    /// `unsupported_response_type`.
    #[error("the server does not give codes to this client")]
    UnsupportedResponseType,
    /// `request_not_supported` or `invalid_request_object`.
    #[error("the server does not take signed requests, or not this one")]
    RequestObject,
    /// `login_required`, `interaction_required`, `consent_required`, `account_selection_required`.
    #[error("the person is not logged in there, or must be asked something")]
    LoginRequired,
    /// A code of the authorization endpoint that no standard has.
    #[error("refused for a reason of its own")]
    OwnReason,
    /// HTTP 400 or 404 to a discovery session (itsme).
    #[error("the discovery session is not valid, or is older than 15 minutes")]
    DiscoveryOver,
    /// `unauthorized_client`.
    #[error("this client may not ask for tokens in this way")]
    UnauthorizedClient,
    /// `unauthorized_client` to a refresh token, or about a token or a session.
    #[error("the server does not let this client do that with its tokens")]
    ClientMayNotGoOn,
    /// `unsupported_token_type` (RFC 7009 section 2.2.1).
    #[error("the server does not revoke tokens of this kind")]
    UnsupportedTokenType,
    /// `unsupported_grant_type`.
    #[error("the server does not know this kind of request")]
    UnsupportedGrantType,
    /// `invalid_scope`.
    #[error("the scope is unknown, malformed or more than this client may have")]
    InvalidScope,
    /// `invalid_token`.
    #[error("the access token has expired, was revoked or is malformed")]
    InvalidToken,
    /// `insufficient_scope`.
    #[error("the access token allows less than this call needs")]
    InsufficientScope,
    /// `access_denied`.
    #[error("the person, or the server, said no")]
    AccessDenied,
    /// `expired_token`, of CIBA.
    #[error("the person did not confirm in time")]
    ExpiredToken,
    /// `expired_login_hint_token`, of CIBA.
    #[error("the user_identifier_token has expired: it is good once and for a short time")]
    ExpiredLoginHint,
    /// `unknown_user_id`, of CIBA.
    #[error("the server does not know the person that is meant")]
    UnknownUser,
    /// `server_error`.
    #[error("the server is in trouble")]
    ServerError,
    /// `temporarily_unavailable`.
    #[error("the server is overloaded or in maintenance, for the moment")]
    Overloaded,
    /// HTTP 3xx.
    #[error("a redirect, which is not followed: assertions and tokens go to no other address")]
    Redirect,
    /// HTTP 400.
    #[error("bad request: fields are missing, or the request or its JWS is malformed")]
    BadRequest,
    /// HTTP 401 to an assertion.
    #[error("unauthorized: expired, a signature that is not valid, or the wrong certificate")]
    Unauthorized,
    /// HTTP 401 to an access token.
    #[error("unauthorized: the access token has expired or is not valid here")]
    TokenRejected,
    /// A document that is for everybody is not there.
    #[error("no such document is published there")]
    NotPublished,
    /// HTTP 403.
    #[error("forbidden: the identity is valid but authorization is missing")]
    Forbidden,
    /// HTTP 404 of an OpenID provider.
    #[error("nothing is there: the wrong address, or a service that the server does not have")]
    NoSuchEndpoint,
    /// HTTP 404.
    #[error("not found: an unknown participant, no consent on record, or the wrong path")]
    NotFound,
    /// HTTP 405.
    #[error("the address is there, and does not take such a request")]
    NotAllowed,
    /// HTTP 429.
    #[error("too many requests: the rate limit is exceeded")]
    RateLimited,
    /// HTTP 500.
    #[error("internal error of the server")]
    InternalError,
    /// HTTP 408, 501 and above.
    #[error("the server, or one before it, is in trouble")]
    Unavailable,
    /// Any other status.
    #[error("an answer that no token server should give")]
    Unexpected,
}

impl Diagnosis {
    /// Whether it is about the server or its address, not about the assertion, the token or what they may do.
    pub const fn is_servers(self) -> bool {
        matches!(
            self,
            Self::ServerError
                | Self::Overloaded
                | Self::Redirect
                | Self::NotPublished
                | Self::NoSuchEndpoint
                | Self::NotAllowed
                | Self::RateLimited
                | Self::InternalError
                | Self::Unavailable
                | Self::Unexpected
        )
    }

    /// The code says more than the status, where there is one.
    pub(crate) fn of(kind: RequestKind, status: u16, code: Option<&str>) -> Self {
        if matches!(status, 408 | 429 | 500..) {
            return Self::of_status(kind, status);
        }
        code.and_then(|code| Self::of_code(kind, code))
            .unwrap_or_else(|| Self::of_status(kind, status))
    }

    fn of_code(kind: RequestKind, code: &str) -> Option<Self> {
        Some(match code {
            "invalid_request" => Self::InvalidRequest,
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => match kind {
                RequestKind::Code => Self::InvalidCode,
                RequestKind::Refresh | RequestKind::Logout => Self::InvalidRefreshToken,
                RequestKind::CibaTokens => Self::InvalidAuthReqId,
                _ => Self::InvalidGrant,
            },
            "unauthorized_client" => match kind {
                RequestKind::Authorization | RequestKind::Code => Self::ClientMayNotLogIn,
                RequestKind::Backchannel | RequestKind::CibaTokens => Self::ClientMayNotAsk,
                kind if kind.is_of_tokens() => Self::ClientMayNotGoOn,
                _ => Self::UnauthorizedClient,
            },
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "request_not_supported" | "invalid_request_object" => Self::RequestObject,
            "login_required"
            | "interaction_required"
            | "consent_required"
            | "account_selection_required" => Self::LoginRequired,
            "unsupported_token_type" => Self::UnsupportedTokenType,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "invalid_scope" => Self::InvalidScope,
            "invalid_token" => Self::InvalidToken,
            "insufficient_scope" => Self::InsufficientScope,
            "access_denied" => Self::AccessDenied,
            "expired_token" => Self::ExpiredToken,
            "expired_login_hint_token" => Self::ExpiredLoginHint,
            "unknown_user_id" => Self::UnknownUser,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::Overloaded,
            _ => return None,
        })
    }

    const fn of_status(kind: RequestKind, status: u16) -> Self {
        match (status, kind) {
            (300..=399, _) => Self::Redirect,
            (400 | 404, RequestKind::Discovery) => Self::DiscoveryOver,
            (400, RequestKind::Authorization) => Self::OwnReason,
            (401, RequestKind::Call | RequestKind::UserInfo) => Self::TokenRejected,
            (401, kind) if kind.is_to_provider() => Self::InvalidClient,
            (404, kind) if kind.is_to_provider() => Self::NoSuchEndpoint,
            (400, _) => Self::BadRequest,
            (401 | 403 | 404, RequestKind::Public) => Self::NotPublished,
            (401, _) => Self::Unauthorized,
            (403, _) => Self::Forbidden,
            (404, _) => Self::NotFound,
            (405, _) => Self::NotAllowed,
            (429, _) => Self::RateLimited,
            (500, _) => Self::InternalError,
            (408 | 501.., _) => Self::Unavailable,
            _ => Self::Unexpected,
        }
    }
}
