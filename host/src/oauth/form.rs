//! The forms of a client that proves who it is with a new assertion (RFC 7523 section 2.2).

use privyseal_core::limits::MAX_TOKEN_RESPONSE;
use privyseal_core::token::request::write_member;
use zeroize::Zeroizing;

use super::RequestKind;

/// The largest response of itsme's user discovery, in bytes. A QR code as JPEG has some ten KiB.
const MAX_DISCOVERY: usize = 512 * 1024;

/// The largest response of the backchannel authentication endpoint, in bytes.
const MAX_ACKNOWLEDGEMENT: usize = 16 * 1024;

/// The largest response, in bytes.
pub(super) const fn max_response(kind: RequestKind) -> usize {
    match kind {
        RequestKind::NewDiscovery | RequestKind::Discovery => MAX_DISCOVERY,
        RequestKind::Backchannel => MAX_ACKNOWLEDGEMENT,
        _ => MAX_TOKEN_RESPONSE,
    }
}

/// What may be repeated of a request.
pub(super) const PUBLIC_MEMBERS: [&str; 6] = [
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
