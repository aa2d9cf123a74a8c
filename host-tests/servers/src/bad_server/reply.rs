//! What a bad server says.

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Sends these bytes and closes.
    Raw(String),
    /// Refuses with that status, and repeats in the error what it was sent.
    Echo(u16),
    /// Sends these bytes and closes; `<secret>` and `<SECRET>` (in capitals) stand for the bearer token or a
    /// piece of the assertion that came.
    Repeat(String),
    /// Sends a body without end.
    Endless,
    /// Sends the head, then one byte a second.
    Drip,
    /// Sends the head, one byte a second.
    DripHead,
    /// Sends its part of the TLS handshake, one byte a second.
    DripHandshake,
    /// Sends a head without end.
    EndlessHead,
    /// Says `100 Continue` without end.
    EndlessContinue,
    /// Takes the request and says nothing.
    Silence,
    /// Closes without a word.
    Close,
}

impl Reply {
    /// A complete answer in JSON.
    pub fn json(status: &str, body: &str) -> Self {
        Self::of_type(status, "application/json", body)
    }

    /// A complete answer in JSON that says when to come back.
    pub fn busy(status: &str, retry_after: &str) -> Self {
        Self::Raw(format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nRetry-After: {retry_after}\r\n\
             Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        ))
    }

    /// A complete answer of any type.
    pub fn of_type(status: &str, kind: &str, body: &str) -> Self {
        let len = body.len();
        Self::Raw(format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\nConnection: \
             close\r\n\r\n{body}"
        ))
    }
}

/// The bearer token of a request, or so much of the claims of its assertion that they are in it.
pub(super) fn secret_of(request: &str) -> String {
    let after = |mark| request.split_once(mark).map(|(_, rest)| rest);
    if let Some(rest) = after("Bearer ") {
        return rest.split("\r\n").next().unwrap_or_default().to_owned();
    }
    let assertion = after("client_assertion=").unwrap_or("none.none");
    let claims = assertion.split('.').nth(1).unwrap_or_default();
    claims.chars().take(64).collect()
}
