//! Requests of a client that proves who it is with a new assertion (RFC 7523 section 2.2).

use privyseal_core::token::request::{CLIENT_ASSERTION_TYPE, write_member};
use zeroize::Zeroizing;

use super::{Assertion, OAuthError, RequestKind, response};
use crate::http::{Http, Response, Url};

/// What is asked, without who asks.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Form<'a> {
    /// Where.
    pub url: &'a Url,
    /// The members, in this order; `client_id` (where the scheme sends it), `client_assertion_type` and
    /// `client_assertion` come behind them. Their values are shown nowhere.
    pub members: &'a [(&'a str, &'a str)],
    /// What kind of request it is, for the explanation of a refusal.
    pub kind: RequestKind,
    /// The largest response, in bytes.
    pub max: usize,
}

impl<'a> Form<'a> {
    /// Asks `url` with these members, for a response of at most `max` bytes.
    pub(crate) const fn new(
        url: &'a Url,
        members: &'a [(&'a str, &'a str)],
        kind: RequestKind,
        max: usize,
    ) -> Self {
        Self {
            url,
            members,
            kind,
            max,
        }
    }

    /// Posts the members, and who sends them; gives the response if it is a success.
    pub(crate) fn send(
        &self,
        http: &Http,
        client_id: Option<&str>,
        assertion: &Assertion,
    ) -> Result<Response, OAuthError> {
        let authentication = [
            ("client_id", client_id),
            ("client_assertion_type", Some(CLIENT_ASSERTION_TYPE)),
            ("client_assertion", Some(assertion.as_str())),
        ];
        let authentication = authentication.into_iter();
        let authentication = authentication.filter_map(|(name, value)| Some((name, value?)));
        let body = form_body(self.members.iter().copied().chain(authentication));
        let answer = http.post_form(self.url, &body, self.max)?;
        let members = self.members.iter();
        let secrets = members.filter(|(name, _)| !PUBLIC_MEMBERS.contains(name));
        let secrets = secrets.map(|(_, value)| *value);
        response::success(
            self.url,
            self.kind,
            answer,
            secrets.chain([assertion.as_str()]),
        )
    }
}

/// What may be repeated of a request.
const PUBLIC_MEMBERS: [&str; 6] = [
    "grant_type",
    "scope",
    "response_type",
    "redirect_uri",
    "code_challenge_method",
    "prompt",
];

/// A form with these members, in this order (`application/x-www-form-urlencoded`). It may hold an assertion: its place
/// is reserved at once, and wiped.
pub(crate) fn form_body<'a>(
    members: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Zeroizing<Vec<u8>> {
    // Escaped, each byte has at most three.
    let len = members
        .clone()
        .map(|(name, value)| name.len() + 3 * value.len() + 2);
    let mut body = Zeroizing::new(Vec::with_capacity(len.sum()));
    for (name, value) in members {
        if !body.is_empty() {
            body.push(b'&');
        }
        let Ok(()) = write_member(&mut *body, name, value);
    }
    body
}

privyseal_core::opaque_debug! { [] Form<'_>: url, kind; }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_escaped_and_the_body_never_grows() {
        let members = [("token", "a b+c"), ("client_id", "did:x"), ("empty", "")];
        let body = form_body(members.into_iter());
        assert_eq!(&body[..], b"token=a%20b%2Bc&client_id=did%3Ax&empty=");
        // A body that grew would leave a copy behind.
        let escaped = form_body([("n", "+++")].into_iter());
        assert_eq!((escaped.len(), escaped.capacity()), (11, 12));
    }
}
