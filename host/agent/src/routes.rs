//! What can be asked: five addresses, and none that signs anything else than an assertion.

use core::convert::Infallible;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue,
    RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use hyper::http::uri::{Authority, PathAndQuery};
use hyper::{Method, Request, Response, StatusCode, Version};
use privyseal::http::{is_only, only_header};
use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use privyseal_hsm::Secret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::agent::Agent;
use crate::metrics;
use crate::problem::{self, Problem};
use crate::served::{Requester, Served};
use crate::stream::Connection;

/// The largest body of a request, in bytes: an audience has 512 at most.
const MAX_BODY: usize = 4096;

/// How long a body may take.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// How long testing the audit log may take.
const LOG_LIMIT: Duration = Duration::from_secs(10);

/// Where a connection came from.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// The Unix socket; the kernel says who.
    User(u32),
    /// Loopback TCP, where a bearer token says it.
    Tcp(Arc<Secret>),
}

/// What is asked about an assertion.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssertionRequest {
    audience: Option<String>,
}

#[derive(Serialize)]
struct AssertionResponse<'a> {
    client_id: &'a str,
    client_assertion_type: &'a str,
    client_assertion: &'a str,
    expires_in: u64,
}

#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u64,
}

type Answer = Response<Full<Bytes>>;

pub(crate) async fn answer(
    agent: Arc<Agent>,
    (peer, connection): (Peer, Arc<Connection>),
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut answer = route(&agent, &peer, &connection, request)
        .await
        .unwrap_or_else(refusal);
    if agent.shared.is_ending.load(Ordering::Relaxed) {
        // What came behind it would not be read.
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(CONNECTION, close);
    }
    let status = answer.status().as_u16();
    tracing::debug!(%method, path, status, ?peer, "answered");
    Ok(answer)
}

async fn route(
    agent: &Agent,
    peer: &Peer,
    connection: &Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Answer, Problem> {
    if let Peer::Tcp(_) = peer {
        check_host(&request)?;
    }
    check_head(&request)?;
    // No path has a query.
    let path = request.uri().path_and_query();
    let path = path.map_or("", PathAndQuery::as_str).to_owned();
    let parts: Vec<_> = path.split('/').skip(1).collect();
    match parts[..] {
        ["live"] => {
            only(&Method::GET, &request)?;
            Ok(text("text/plain; charset=utf-8", "live\n"))
        }
        ["ready"] => {
            only(&Method::GET, &request)?;
            ready(agent).await
        }
        ["metrics"] => {
            only(&Method::GET, &request)?;
            let requester = requester(agent, peer, request.headers())?;
            if let Requester::User(uid) = requester
                && !agent.is_watcher(uid)
            {
                agent.shared.metrics.refused.inc();
                let detail = "the metrics are not for the one who asks";
                return Err(Problem::new(StatusCode::FORBIDDEN, "metrics", detail));
            }
            agent.all().iter().for_each(|served| served.observe());
            Ok(text(metrics::MEDIA_TYPE, agent.shared.metrics.text()))
        }
        ["v1", profile, "assertion"] => {
            only(&Method::POST, &request)?;
            let (served, requester) = authorized(agent, peer, &request, profile)?;
            let asked = asked(request).await?;
            let made = served.assertion(connection, requester, asked.audience);
            let (assertion, client_id, expires_in) = made.await?;
            Ok(json(&AssertionResponse {
                client_id: client_id.as_str(),
                client_assertion_type: CLIENT_ASSERTION_TYPE,
                client_assertion: assertion.as_str(),
                expires_in,
            }))
        }
        ["v1", profile, "token"] => {
            only(&Method::GET, &request)?;
            let (served, requester) = authorized(agent, peer, &request, profile)?;
            let (token, expires_in) = served.token(connection, requester).await?;
            Ok(json(&TokenResponse {
                access_token: token.expose(),
                token_type: "Bearer",
                expires_in,
            }))
        }
        _ => {
            let detail = "there is nothing at this path";
            Err(Problem::new(StatusCode::NOT_FOUND, "path", detail))
        }
    }
}

fn only(method: &Method, request: &Request<Incoming>) -> Result<(), Problem> {
    if request.method() == method {
        return Ok(());
    }
    let detail = format!("only {method} is for this path");
    Err(Problem {
        allow: Some(method.clone()),
        ..Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail)
    })
}

/// What hyper leaves to others (RFC 9112 sections 3.2 and 6.1).
fn check_head(request: &Request<Incoming>) -> Result<(), Problem> {
    let headers = request.headers();
    let hosts = headers.get_all(HOST).iter().count();
    let is_old = request.version() == Version::HTTP_10;
    let detail = if hosts > 1 || (hosts == 0 && !is_old) {
        "a request has one Host"
    } else if !is_only(headers, &TRANSFER_ENCODING, "chunked") {
        "the Transfer-Encoding is another one than chunked, once"
    } else {
        return Ok(());
    };
    Err(Problem::new(StatusCode::BAD_REQUEST, "head", detail))
}

/// A page in a browser can make it ask any name that leads to loopback; the name then gives it away.
fn check_host(request: &Request<Incoming>) -> Result<(), Problem> {
    let host = only_header(request.headers(), &HOST).and_then(|host| host.to_str().ok());
    // What stands in the address counts instead (RFC 9112 section 3.2.2).
    let of_address = request.uri().authority().map(Authority::as_str);
    let host = host.map(|host| of_address.unwrap_or(host));
    let host = host.unwrap_or_default().to_ascii_lowercase();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => &host,
    };
    if ["localhost", "127.0.0.1", "[::1]"].contains(&name) {
        return Ok(());
    }
    let detail = "the Host is not localhost, 127.0.0.1 or [::1], once";
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "host",
        detail,
    ))
}

/// Who asks.
fn requester(agent: &Agent, peer: &Peer, headers: &HeaderMap) -> Result<Requester, Problem> {
    let secret = match peer {
        Peer::User(uid) => return Ok(Requester::User(*uid)),
        Peer::Tcp(secret) => secret,
    };
    let given = only_header(headers, &AUTHORIZATION).map(HeaderValue::as_bytes);
    let given = given.and_then(|value| {
        let (scheme, token) = value.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
    });
    match given {
        Some(token) if bool::from(token.ct_eq(secret.expose().as_bytes())) => Ok(Requester::Bearer),
        _ => {
            agent.shared.metrics.refused.inc();
            let detail = "over TCP the bearer token of this agent is needed";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "bearer", detail))
        }
    }
}

fn authorized(
    agent: &Agent,
    peer: &Peer,
    request: &Request<Incoming>,
    profile: &str,
) -> Result<(Arc<Served>, Requester), Problem> {
    let requester = requester(agent, peer, request.headers())?;
    let served = agent.served(profile, requester);
    served.map(|served| (served, requester)).ok_or_else(|| {
        if agent.shared.may_tell("forbidden") {
            tracing::warn!(
                ?requester,
                "a profile was asked for that is not there for the one who asks"
            );
        }
        agent.shared.metrics.refused.inc();
        Problem::no_profile()
    })
}

/// The body: nothing, or a JSON object.
async fn asked(request: Request<Incoming>) -> Result<AssertionRequest, Problem> {
    let body = Limited::new(request.into_body(), MAX_BODY).collect();
    let body = match timeout(BODY_LIMIT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is larger than {MAX_BODY} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", detail));
        }
        Ok(Err(_)) => {
            let detail = "the body ended before its end";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "body", detail));
        }
        Err(_) => {
            let detail = "the body did not come in time";
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body", detail));
        }
    };
    if body.is_empty() {
        return Ok(AssertionRequest::default());
    }
    serde_json::from_slice(&body).map_err(|error| {
        // The place and the rule; serde repeats no value of a text member that is known.
        let detail = format!(
            "the body is not a JSON object with audience: line {}",
            error.line()
        );
        Problem::new(StatusCode::BAD_REQUEST, "body", detail)
    })
}

/// Anybody may ask, and hears what is wrong, but not of which profile; that is in the log.
pub(crate) async fn ready(agent: &Agent) -> Result<Answer, Problem> {
    let shared = Arc::clone(&agent.shared);
    let test = async {
        let turn = Arc::clone(&shared.log_test).lock_owned().await;
        let test = move || (shared.audit.test(), drop(turn)).0;
        spawn_blocking(test).await
    };
    let failed = match timeout(LOG_LIMIT, test).await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(error.to_string()),
        Ok(Err(_)) | Err(_) => Some("its test did not end".to_owned()),
    };
    if let Some(error) = failed {
        if agent.shared.may_tell("audit") {
            tracing::warn!(%error, "nothing is released: the audit log cannot be written");
        }
        let detail = "the audit log cannot be written, and nothing is released";
        return Err(Problem::unavailable("audit", detail));
    }
    let all = agent.all();
    let tests: Vec<_> = all
        .into_iter()
        .map(|served| tokio::spawn(async move { served.self_test().await }))
        .collect();
    for test in tests {
        match test.await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => {
                return Err(Problem::unavailable(
                    problem.kind,
                    "a profile does not sign",
                ));
            }
            Err(_) => return Err(Problem::unavailable("internal", "a self-test did not end")),
        }
    }
    Ok(text("text/plain; charset=utf-8", "ready\n"))
}

fn text(media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn json(body: &impl Serialize) -> Answer {
    // Texts and numbers are always JSON.
    text(
        "application/json",
        serde_json::to_vec(body).unwrap_or_default(),
    )
}

#[allow(clippy::needless_pass_by_value, reason = "it is the end of it")]
pub(crate) fn refusal(problem: Problem) -> Answer {
    let mut answer = text(problem::MEDIA_TYPE, problem.to_json());
    *answer.status_mut() = problem.status;
    let headers = answer.headers_mut();
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let allow = problem.allow.as_ref().map(Method::as_str);
    if let Some(method) = allow.and_then(|method| method.parse().ok()) {
        headers.insert(ALLOW, method);
    }
    answer
}
