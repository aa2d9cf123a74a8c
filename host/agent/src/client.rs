//! Asks an agent, over its Unix socket.

use core::time::Duration;
use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use privyseal::base::display::sanitize_for_display;
use privyseal_core::jws::JwsParts;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::error::AgentError;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 128 * 1024;

/// How long an answer may take: longer than the agent gives its key.
const LIMIT: Duration = Duration::from_secs(75);

/// An agent that listens at a Unix socket.
#[derive(Clone, Debug)]
pub struct AgentClient {
    socket: PathBuf,
}

#[derive(Deserialize)]
struct Assertion {
    client_assertion: Zeroizing<String>,
}

#[derive(Default, Deserialize)]
struct Problem {
    kind: String,
    detail: String,
}

impl AgentClient {
    /// The agent at this socket.
    pub fn new(socket: &Path) -> Self {
        let socket = socket.to_owned();
        Self { socket }
    }

    /// A new assertion of a profile, for `audience` where the profile leaves that open.
    ///
    /// # Errors
    ///
    /// [`AgentError::NoAnswer`] and [`AgentError::Refused`].
    pub fn assertion(
        &self,
        profile: &str,
        audience: Option<&str>,
    ) -> Result<Zeroizing<String>, AgentError> {
        let body = audience.map(|audience| serde_json::json!({ "audience": audience }).to_string());
        let path = format!("/v1/{}/assertion", segment(profile));
        let answer = self.ask(&Method::POST, &path, body.unwrap_or_default())?;
        let answer: Option<Assertion> = serde_json::from_slice(&answer).ok();
        let assertion = answer.map(|it| it.client_assertion);
        // It is printed, or sent: not what else a text can hold.
        let is_jws = |text: &str| {
            let is_of_it = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            text.chars().all(is_of_it) && JwsParts::split(text).is_some()
        };
        assertion
            .filter(|it| is_jws(it))
            .ok_or_else(|| self.no_answer(&"its answer is not an assertion"))
    }

    /// An access token of a profile: the JSON object `access_token`, `token_type`, `expires_in`.
    ///
    /// # Errors
    ///
    /// [`AgentError::NoAnswer`] and [`AgentError::Refused`].
    pub fn token(&self, profile: &str) -> Result<Zeroizing<Vec<u8>>, AgentError> {
        let path = format!("/v1/{}/token", segment(profile));
        self.ask(&Method::GET, &path, String::new())
    }

    fn ask(
        &self,
        method: &Method,
        path: &str,
        body: String,
    ) -> Result<Zeroizing<Vec<u8>>, AgentError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(AgentError::Runtime)?;
        let answer = runtime.block_on(async {
            // Here, where there is a runtime that keeps the time.
            timeout(LIMIT, self.exchange(method, path, body)).await
        });
        let answer = answer.map_err(|_| self.no_answer(&"it took too long"))?;
        let (status, body) = answer.map_err(|error| self.no_answer(&error))?;
        if status.is_success() {
            return Ok(body);
        }
        let Problem { kind, detail } = serde_json::from_slice(&body).unwrap_or_default();
        let (status, detail) = (status.as_u16(), sanitize_for_display(&detail, None));
        Err(AgentError::Refused {
            status,
            kind,
            detail,
        })
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), Box<dyn core::error::Error + Send + Sync>> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost");
        let request = request.body(Full::new(Bytes::from(body)))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER)
            .collect()
            .await?;
        drop(sender);
        // What it sent is here.
        connection.abort();
        Ok((status, Zeroizing::new(body.to_bytes().to_vec())))
    }

    fn no_answer(&self, reason: &dyn ToString) -> AgentError {
        AgentError::NoAnswer {
            socket: self.socket.clone(),
            reason: reason.to_string(),
        }
    }
}

/// A profile's name in a path; what no name has becomes what no profile has.
fn segment(profile: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    profile
        .chars()
        .map(|c| if is_name(c) { c } else { '.' })
        .collect()
}
