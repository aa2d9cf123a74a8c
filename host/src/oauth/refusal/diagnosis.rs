//! What HTTP statuses and OAuth codes mean to a client that signs assertions.
//!
//! Sources: FIAM's table of response codes, RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, CIBA Core
//! sections 11 and 13, and the error tables of itsme (by endpoint) and eHealth (section 8).

use privyseal_core::named;

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

named! {
    /// What a refusal means.
    #[non_exhaustive]
    pub enum Diagnosis {
        /// `invalid_request`.
        InvalidRequest = "the request lacks something, or has something twice or malformed",
        /// `invalid_client`.
        InvalidClient = "the server does not accept who signs or how",
        /// `invalid_grant`.
        InvalidGrant = "the server does not accept the assertion",
        /// `invalid_grant` to a code.
        InvalidCode =
            "the server does not accept the code: it is good once, for a short time, and for the client and redirect URI \
         that it was given to",
        /// `invalid_grant` to a refresh token.
        InvalidRefreshToken = "the refresh token has expired, was revoked, or was used before",
        /// `invalid_grant` to an `auth_req_id`.
        InvalidAuthReqId = "the authentication request has expired, or its tokens were fetched before",
        /// `unauthorized_client` where a person is asked, or was.
        ClientMayNotAsk = "the server does not know this client, or does not let it ask persons",
        /// `unauthorized_client` where a person logs in.
        ClientMayNotLogIn = "this client may not send persons there to log in",
        /// `unsupported_response_type`.
        UnsupportedResponseType = "the server does not give codes to this client",
        /// `request_not_supported` or `invalid_request_object`.
        RequestObject = "the server does not take signed requests, or not this one",
        /// `login_required`, `interaction_required`, `consent_required`, `account_selection_required`.
        LoginRequired = "the person is not logged in there, or must be asked something",
        /// A code of the authorization endpoint that no standard has.
        OwnReason = "refused for a reason of its own",
        /// HTTP 400 or 404 to a discovery session (itsme).
        DiscoveryOver = "the discovery session is not valid, or is older than 15 minutes",
        /// `unauthorized_client`.
        UnauthorizedClient = "this client may not ask for tokens in this way",
        /// `unauthorized_client` to a refresh token, or about a token or a session.
        ClientMayNotGoOn = "the server does not let this client do that with its tokens",
        /// `unsupported_token_type` (RFC 7009 section 2.2.1).
        UnsupportedTokenType = "the server does not do that with tokens of this kind",
        /// `unsupported_grant_type`.
        UnsupportedGrantType = "the server does not know this kind of request",
        /// `invalid_scope`.
        InvalidScope = "the scope is unknown, malformed or more than this client may have",
        /// `invalid_token`.
        InvalidToken = "the access token has expired, was revoked or is malformed",
        /// `insufficient_scope`.
        InsufficientScope = "the access token allows less than this call needs",
        /// `access_denied`.
        AccessDenied = "the person, or the server, said no",
        /// `authorization_pending`, of CIBA.
        Pending = "the person has not confirmed yet",
        /// `slow_down`, of CIBA.
        SlowDown = "the person has not confirmed yet, and the server is asked too often",
        /// `expired_token`, of CIBA.
        ExpiredToken = "the person did not confirm in time",
        /// `expired_login_hint_token`, of CIBA.
        ExpiredLoginHint = "the user_identifier_token has expired: it is good once and for a short time",
        /// `unknown_user_id`, of CIBA.
        UnknownUser = "the server does not know the person that is meant",
        /// `unauthorized_user`, of itsme.
        UserMayNot = "the person may not do this with that client or service",
        /// `missing_user_code` or `invalid_user_code`, of CIBA.
        UserCode = "the server wants a code of the person (user_code), which is not sent here",
        /// `invalid_binding_message`, of CIBA.
        BindingMessage = "the server does not take the text that the person is to compare",
        /// `transaction_failed`, of CIBA.
        TransactionFailed = "the server could not have the person confirm it, or not end it",
        /// `server_error`.
        ServerError = "the server is in trouble",
        /// `temporarily_unavailable`.
        Overloaded = "the server is overloaded or in maintenance, for the moment",
        /// HTTP 3xx.
        Redirect = "a redirect, which is not followed: assertions and tokens go to no other address",
        /// HTTP 400.
        BadRequest = "bad request: fields are missing, or the request or its JWS is malformed",
        /// HTTP 401 to an assertion.
        Unauthorized = "unauthorized: expired, a signature that is not valid, or the wrong certificate",
        /// HTTP 401 to an access token.
        TokenRejected = "unauthorized: the access token has expired or is not valid here",
        /// A document that is for everybody is not there.
        NotPublished = "no such document is published there",
        /// HTTP 403.
        Forbidden = "forbidden: the identity is valid but authorization is missing",
        /// HTTP 404 of an OpenID provider.
        NoSuchEndpoint = "nothing is there: the wrong address, or a service that the server does not have",
        /// HTTP 404.
        NotFound = "not found: an unknown participant, no consent on record, or the wrong path",
        /// HTTP 405.
        NotAllowed = "the address is there, and does not take such a request",
        /// HTTP 429.
        RateLimited = "too many requests: the rate limit is exceeded",
        /// HTTP 500.
        InternalError = "internal error of the server",
        /// HTTP 408, 501 and above.
        Unavailable = "the server, or one before it, is in trouble",
        /// Any other status.
        Unexpected = "an answer that no token server should give",
    }
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
            "authorization_pending" => Self::Pending,
            "slow_down" => Self::SlowDown,
            "expired_token" => Self::ExpiredToken,
            "expired_login_hint_token" => Self::ExpiredLoginHint,
            "unknown_user_id" => Self::UnknownUser,
            "unauthorized_user" => Self::UserMayNot,
            "missing_user_code" | "invalid_user_code" => Self::UserCode,
            "invalid_binding_message" => Self::BindingMessage,
            "transaction_failed" => Self::TransactionFailed,
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
