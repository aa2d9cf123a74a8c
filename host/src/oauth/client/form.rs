//! Requests of a client that proves who it is with a new assertion (RFC 7523 section 2.2).

use core::convert::Infallible;

use privyseal_core::ClientId;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::token::request::{CLIENT_ASSERTION_TYPE, write_member};
use zeroize::Zeroizing;

use super::{AssertionOptions, AssertionSource};
use crate::error::Error;
use crate::http::{Http, Response, Url};
use crate::oauth::refusal::Refusal;
use crate::oauth::refusal::meaning::Stage;

/// What is asked, without who asks.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// Where.
    pub url: &'a Url,
    /// The members, in this order; `client_id` (where the scheme sends it), `client_assertion_type` and
    /// `client_assertion` come behind them. Their values are shown nowhere.
    pub members: &'a [(&'a str, &'a str)],
    /// What kind of request it is, for the explanation of a refusal.
    pub stage: Stage,
    /// The largest answer, in bytes.
    pub max: usize,
}

/// Posts `form` with a new assertion of `source`; see [`AssertionSource::post`].
pub(super) fn post<A: AssertionSource + ?Sized>(
    source: &mut A,
    http: &Http,
    options: &AssertionOptions,
    form: &Form<'_>,
) -> Result<Response, Error> {
    let sends_client_id = source.scheme().token_request.client_id.value;
    let client_id = sends_client_id.then(|| source.client_id().clone());
    let assertion = source.assertion(options)?;
    let authentication = [
        ("client_id", client_id.as_ref().map(ClientId::as_str)),
        ("client_assertion_type", Some(CLIENT_ASSERTION_TYPE)),
        ("client_assertion", Some(assertion.as_str())),
    ];
    let authentication = authentication
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let members = form.members.iter().copied().chain(authentication);
    let body = FormBody::of(members);

    let response = http.post_form(form.url, body.as_bytes(), form.max)?;
    if response.is_success() && !Refusal::is_error_body(&response.body) {
        return Ok(response);
    }
    let sent = form
        .members
        .iter()
        .filter(|(name, _)| !["grant_type", "scope"].contains(name))
        .map(|(_, value)| *value)
        .chain([assertion.as_str()]);
    Err(Refusal::new(form.url, form.stage, &response, sent).into())
}

/// A form that holds an assertion: its place is reserved at once, and wiped.
pub(super) struct FormBody(Zeroizing<Vec<u8>>);

impl FormBody {
    pub(super) fn with_capacity(len: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(len)))
    }

    fn of<'a>(members: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        // Escaped, each byte has at most three.
        let len = members
            .clone()
            .map(|(name, value)| name.len() + 3 * value.len() + 2);
        let mut body = Self::with_capacity(len.sum());
        for (number, (name, value)) in members.enumerate() {
            if number > 0 {
                let Ok(()) = body.write(b"&");
            }
            let Ok(()) = write_member(&mut body, name, value);
        }
        body
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Sink for FormBody {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl core::fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Form")
            .field("url", &self.url)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_escaped_and_fit_their_place() {
        let members = [("token", "a b+c"), ("client_id", "did:x"), ("empty", "")];
        let body = FormBody::of(members.into_iter());
        assert_eq!(body.as_bytes(), b"token=a%20b%2Bc&client_id=did%3Ax&empty=");
        assert!(body.as_bytes().len() <= body.0.capacity());
    }
}
