//! From a request to a response.

use core::time::Duration;
use std::sync::Arc;

use base64ct::{Base64, Encoding as _};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING,
    CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, PRAGMA, RETRY_AFTER, TRANSFER_ENCODING,
    WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Request, Response, StatusCode, Version};
use privyseal::UnixTime;
use privyseal::base::{clock, entropy};
use privyseal::http::{is_only, only_header};
use privyseal_check::RuleId;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Grant, LIFETIME, TokenServer};
use crate::replay::StoreError;
use crate::{Rejection, Rule, TokenForm, VerifiedParty};

/// How long a client may take for the body of a request.
const BODY_TIME: Duration = Duration::from_secs(15);

/// In which a form, all of which is ASCII, is the same.
const OF_ASCII: [&str; 3] = ["utf-8", "us-ascii", "iso-8859-1"];

/// What `privyseal` calls the client to services behind a proxy.
const CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");

/// Which of the two addresses a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Public,
    Internal,
}

type Answer = Response<Full<Bytes>>;

impl TokenServer {
    pub(super) async fn answer(self: &Arc<Self>, face: Face, request: Request<Incoming>) -> Answer {
        let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
        let answer = self.routed(face, request).await;
        let answer = answer.unwrap_or_else(|rejection| self.refused(&rejection));
        if is_chunked {
            // RFC 9112 section 6.1: a length beside it may be meant for another reader of the same connection.
            return with(answer, CONNECTION, "close");
        }
        answer
    }

    async fn routed(
        self: &Arc<Self>,
        face: Face,
        request: Request<Incoming>,
    ) -> Result<Answer, Rejection> {
        let (head, body) = request.into_parts();
        if !has_host(&head) {
            return Ok(invalid(StatusCode::BAD_REQUEST));
        }
        // RFC 9112 section 6.1: also chunked twice, of which another reader may undo one.
        if !is_only(&head.headers, &TRANSFER_ENCODING, "chunked") {
            return Ok(invalid(StatusCode::NOT_IMPLEMENTED));
        }
        let path = head.uri.path();
        let method = match (face, path) {
            (Face::Public, path) if self.paths.iter().any(|it| it == path) => "POST",
            (Face::Internal, "/v1/accept" | "/v1/introspect") => "POST",
            (Face::Internal, "/v1/authorize" | "/live") => "GET",
            _ => return Ok(invalid(StatusCode::NOT_FOUND)),
        };
        // RFC 9110 section 9.1: who has GET has HEAD, too.
        let is_head = method == "GET" && head.method == "HEAD";
        if head.method != method && !is_head {
            let answer = invalid(StatusCode::METHOD_NOT_ALLOWED);
            return Ok(with(answer, ALLOW, method));
        }
        match (face, path) {
            (Face::Internal, "/live") => return Ok(status(StatusCode::NO_CONTENT)),
            (Face::Internal, "/v1/authorize") => return self.authorize(&head.headers).await,
            _ => {}
        }
        // RFC 9110 section 8.4: nobody would read what is coded as what it says.
        if !is_only(&head.headers, &CONTENT_ENCODING, "identity") {
            let why = "the body has a Content-Encoding, and none is decoded here";
            let mut answer = self.refused(&Rejection::new(Rule::Request, why));
            *answer.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Ok(with(answer, ACCEPT_ENCODING, "identity"));
        }
        let body = form(&head.headers, body).await?;
        match (face, path) {
            (Face::Public, _) if head.headers.contains_key(AUTHORIZATION) => {
                let form = TokenForm::read(&body);
                if form.assertion().is_some() {
                    return Err(form.names(Rejection::second_method("Authorization")));
                }
                // RFC 6749 section 5.2: 401 for who used this header.
                let mut answer = self.refused(&Rejection::unauthenticated());
                *answer.status_mut() = StatusCode::UNAUTHORIZED;
                Ok(with(answer, WWW_AUTHENTICATE, "Basic realm=\"none\""))
            }
            (Face::Public, _) => Ok(self.told(&body, self.token(&body).await, refusal)),
            (_, "/v1/accept") => Ok(self.told(&body, self.accept(&body).await, explained)),
            _ => self.introspect(&body).await,
        }
    }

    /// A refusal that is in the log.
    fn refused(&self, rejection: &Rejection) -> Answer {
        (self.watched)(Err(rejection));
        refusal(rejection)
    }

    /// What becomes of an assertion, which is in the log: the party's members, or the refusal.
    fn told(
        &self,
        body: &[u8],
        outcome: Result<(VerifiedParty, Value), Rejection>,
        refusal: fn(&Rejection) -> Answer,
    ) -> Answer {
        let outcome = outcome.map_err(|rejection| TokenForm::read(body).names(rejection));
        (self.watched)(outcome.as_ref().map(|(party, _)| party));
        match outcome {
            Ok((_, members)) => json(StatusCode::OK, &members),
            Err(rejection) => refusal(&rejection),
        }
    }

    /// RFC 6749 section 4.4.
    async fn token(self: &Arc<Self>, body: &[u8]) -> Result<(VerifiedParty, Value), Rejection> {
        let form = TokenForm::parse(body)?;
        form.check_token_request(self.receiver.receiver().scheme())?;
        let party = self.receiver.accept(form).await?;
        // 256 random bits, of which the SHA-256 is kept.
        let unavailable = |error| Rejection::unavailable("the machine", error);
        let token = entropy::secret().map_err(unavailable)?;
        let issued = clock::now().map_err(unavailable)?;
        let grant = Grant {
            client_id: party.id().to_owned(),
            key: *party.key_digest(),
            issued,
            expires: issued.saturating_add(LIFETIME),
        };
        let (digest, kept) = (Sha256::digest(&*token).into(), grant.clone());
        let keep = move |server: &Self| server.tokens.keep(digest, &kept);
        self.stored(keep).await?;
        // It may have been taken out meanwhile.
        let (rule, why) = (
            Rule::Token(RuleId::KeyKnown),
            "is no key of the client any more",
        );
        Rejection::unless(self.still_knows(&grant), rule, why)?;
        let members = json!({
            "access_token": *token,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
        });
        Ok((party, members))
    }

    /// For services: the whole party.
    async fn accept(&self, body: &[u8]) -> Result<(VerifiedParty, Value), Rejection> {
        let party = self.receiver.accept(TokenForm::parse(body)?).await?;
        let members = json!({
            "client_id": party.id(),
            "jti": party.jti(),
            "exp": party.exp().as_secs(),
            "claims": party.claims(),
            "certificate": party.leaf().map(Base64::encode_string),
            "roles": party.roles(),
            "party_info": party.record(),
        });
        Ok((party, members))
    }

    /// RFC 7662. Only those on this machine can ask.
    async fn introspect(self: &Arc<Self>, body: &[u8]) -> Result<Answer, Rejection> {
        let form = TokenForm::parse(body)?;
        let own_id = self.receiver.receiver().audience();
        let found = self.found(form.needed("token")?).await?;
        let members = found.map(|grant| {
            json!({
                "active": true,
                "iss": own_id,
                "client_id": grant.client_id,
                "sub": grant.client_id,
                "token_type": "Bearer",
                "iat": grant.issued.as_secs(),
                "exp": grant.expires.as_secs(),
                "aud": own_id,
            })
        });
        let members = members.unwrap_or_else(|| json!({ "active": false }));
        Ok(json(StatusCode::OK, &members))
    }

    /// RFC 6750, for a proxy that asks before each request.
    async fn authorize(self: &Arc<Self>, headers: &HeaderMap) -> Result<Answer, Rejection> {
        let bearer = only(headers, &AUTHORIZATION).and_then(|text| {
            let (kind, token) = text.split_once(' ')?;
            let is_bearer = kind.eq_ignore_ascii_case("Bearer");
            is_bearer.then_some(token.trim())
        });
        let found = match bearer {
            Some(token) => self.found(token).await?,
            None => None,
        };
        let client = found.and_then(|grant| HeaderValue::from_str(&grant.client_id).ok());
        if let Some(client) = client {
            let mut answer = status(StatusCode::NO_CONTENT);
            answer.headers_mut().insert(CLIENT_ID, client);
            return Ok(answer);
        }
        // RFC 6750 section 3.1: no error where no token was given.
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let is_given = given.any(|it| it.as_bytes().to_ascii_lowercase().starts_with(b"bearer"));
        let challenge = if is_given {
            "Bearer error=\"invalid_token\""
        } else {
            "Bearer"
        };
        let answer = status(StatusCode::UNAUTHORIZED);
        Ok(with(answer, WWW_AUTHENTICATE, challenge))
    }

    async fn found(self: &Arc<Self>, token: &str) -> Result<Option<Grant>, Rejection> {
        let now: UnixTime =
            clock::now().map_err(|error| Rejection::unavailable("the machine", error))?;
        let digest = Sha256::digest(token).into();
        let find = move |server: &Self| server.tokens.find(&digest, now);
        let found = self.stored(find).await?;
        // Who is taken out, or whose key is, has no access with what came before.
        Ok(found.filter(|grant| self.still_knows(grant)))
    }

    fn still_knows(&self, grant: &Grant) -> bool {
        let receiver = self.receiver.receiver();
        receiver.still_knows(&grant.client_id, &grant.key)
    }

    /// Asks the store on a thread of its own: one that hangs holds up nobody who does not need it.
    async fn stored<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Rejection> {
        let server = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || ask(&server)).await;
        let answer = answer.map_err(|error| Rejection::unavailable("the machine", error))?;
        answer.map_err(|error| Rejection::unavailable("the token store", error))
    }
}

/// RFC 9112 section 3.2: what lacks a Host, has two or an invalid one is answered with 400.
fn has_host(head: &Parts) -> bool {
    if head.version < Version::HTTP_11 && !head.headers.contains_key(HOST) {
        return true;
    }
    let is_host = |text: &str| {
        let host = text.parse::<Authority>();
        let has_port =
            |it: &Authority| text == it.host() || text.ends_with(':') || it.port().is_some();
        text.is_empty() || host.is_ok_and(|it| !text.contains('@') && has_port(&it))
    };
    only(&head.headers, &HOST).is_some_and(is_host)
}

/// The text of a header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    only_header(headers, name)?.to_str().ok()
}

/// The body of a form, bounded in size and time.
async fn form(headers: &HeaderMap, body: Incoming) -> Result<Bytes, Rejection> {
    let kind = only(headers, &CONTENT_TYPE).map(str::to_ascii_lowercase);
    let kind = kind.unwrap_or_default();
    let mut parts = kind.split(';').map(str::trim);
    let is_form = parts.next() == Some("application/x-www-form-urlencoded");
    let mut charsets = parts.filter_map(|it| it.strip_prefix("charset="));
    let is_ascii = charsets.all(|it| {
        let inside = it.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        OF_ASCII.contains(&inside.unwrap_or(it))
    });
    let no_form = "the body is not application/x-www-form-urlencoded, of ASCII";
    Rejection::unless(is_form && is_ascii, Rule::Request, no_form)?;
    let body = Limited::new(body, TokenForm::MAX_BYTES).collect();
    let late = |_| Rejection::new(Rule::Request, "the body did not come in time");
    let body = tokio::time::timeout(BODY_TIME, body).await.map_err(late)?;
    let max = TokenForm::MAX_BYTES;
    let why = format_args!("the body has more than {max} bytes, or was cut short");
    let body = body.map_err(|_| Rejection::new(Rule::Request, why))?;
    let body = body.to_bytes();
    Rejection::unless(body.is_ascii(), Rule::Request, no_form)?;
    Ok(body)
}

fn code(rejection: &Rejection) -> StatusCode {
    StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// RFC 6749 section 5.2, with the code alone.
fn refusal(rejection: &Rejection) -> Answer {
    let body = json!({ "error": rejection.oauth_error() });
    let answer = json(code(rejection), &body);
    if rejection.is_temporary() {
        return with(answer, RETRY_AFTER, "5");
    }
    answer
}

/// The same for services: the rule and the reason.
fn explained(rejection: &Rejection) -> Answer {
    let body = json!({
        "error": rejection.oauth_error(),
        "rule": rejection.rule().name(),
        "reason": rejection.text(),
    });
    json(code(rejection), &body)
}

/// The same for a request that no form makes good.
fn invalid(status: StatusCode) -> Answer {
    json(status, &json!({ "error": "invalid_request" }))
}

fn json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = self::status(status);
    *answer.body_mut() = body.to_string().into();
    let answer = with(answer, CONTENT_TYPE, "application/json");
    // RFC 6749 section 5.1.
    with(with(answer, CACHE_CONTROL, "no-store"), PRAGMA, "no-cache")
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    let value = HeaderValue::from_static(value);
    answer.headers_mut().insert(name, value);
    answer
}
