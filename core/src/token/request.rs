//! The token request (RFC 6749 section 4.4.2 with RFC 7523 section 2.2).

use crate::encoding::hex_digit;
use crate::encoding::sink::{Sink, count};
use crate::id::ClientId;
use crate::jws::CompactJws;
use crate::scheme::Scheme;

/// `client_assertion_type` (RFC 7523 section 2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The media type of the form body.
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// The form body that asks for an access token, at most [`crate::limits::MAX_TOKEN_REQUEST`] bytes.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    scheme: &'a Scheme,
    client_id: &'a ClientId,
    assertion: CompactJws<'a>,
}

impl<'a> TokenRequest<'a> {
    /// Asks `scheme`'s token endpoint with `assertion`.
    pub const fn new(
        scheme: &'a Scheme,
        client_id: &'a ClientId,
        assertion: CompactJws<'a>,
    ) -> Self {
        Self {
            scheme,
            client_id,
            assertion,
        }
    }

    /// Bytes of the body: the value of `Content-Length`.
    pub fn body_len(&self) -> usize {
        count(|counter| self.write_to(counter))
    }

    /// Writes the body. It holds an assertion that is good for as long as its `exp` says: not for logs.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_to<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let rules = self.scheme.token_request();
        write_member(sink, "grant_type", rules.grant_type().value())?;
        let client_id = rules.client_id().value();
        for (name, value) in [
            ("scope", rules.scope().map(|scope| scope.value())),
            ("client_id", client_id.then_some(self.client_id.as_str())),
            ("client_assertion_type", Some(CLIENT_ASSERTION_TYPE)),
            ("client_assertion", Some(self.assertion.as_str())),
        ] {
            let Some(value) = value else { continue };
            sink.write(b"&")?;
            write_member(sink, name, value)?;
        }
        Ok(())
    }
}

/// Writes one member of a form: `name=value`, the value escaped.
///
/// # Errors
/// Whatever `sink` fails with.
pub fn write_member<S: Sink>(sink: &mut S, name: &str, value: &str) -> Result<(), S::Error> {
    sink.write(name.as_bytes())?;
    sink.write(b"=")?;
    write_escaped(sink, value)
}

/// Writes a value, percent-encoded but for unreserved characters: for a form, or a part of a URL (RFC 3986 section
/// 2.1).
///
/// # Errors
/// Whatever `sink` fails with.
pub fn write_escaped<S: Sink>(sink: &mut S, value: &str) -> Result<(), S::Error> {
    for run in value
        .as_bytes()
        .split_inclusive(|&byte| !is_unreserved(byte))
    {
        match run.split_last() {
            Some((&last, plain)) if !is_unreserved(last) => {
                sink.write(plain)?;
                sink.write(&[b'%', hex_upper(last >> 4), hex_upper(last & 0x0f)])?;
            }
            _ => sink.write(run)?,
        }
    }
    Ok(())
}

/// Written as they are: the unreserved characters of RFC 3986 section 2.3, without `~`, which the
/// form encoding of the URL standard escapes.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

const fn hex_upper(nibble: u8) -> u8 {
    hex_digit(nibble).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;
    use crate::limits::{MAX_CLIENT_ID, MAX_COMPACT_JWS, MAX_TOKEN_REQUEST};
    use crate::scheme::{FIAM, ISHARE};
    use std::string::String;

    fn body(request: &TokenRequest<'_>) -> String {
        let mut buffer = std::vec![0; MAX_TOKEN_REQUEST];
        let mut sink = SliceSink::new(&mut buffer);
        request.write_to(&mut sink).unwrap();
        let body = sink.finish().unwrap();
        assert_eq!(body.len(), request.body_len());
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn fiam_has_three_members() {
        let client_id = ClientId::new("EU.EORI.NL123456789").unwrap();
        let request = TokenRequest::new(&FIAM, &client_id, CompactJws::new(b"a-b.c_d.e"));
        assert_eq!(
            body(&request),
            "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
             client-assertion-type%3Ajwt-bearer&client_assertion=a-b.c_d.e"
        );
    }

    #[test]
    fn ishare_adds_scope_and_client_id() {
        let client_id = ClientId::new("did:ishare:EU.NL.NTRNL-10000001").unwrap();
        let request = TokenRequest::new(&ISHARE, &client_id, CompactJws::new(b"a.b.c"));
        assert_eq!(
            body(&request),
            "grant_type=client_credentials&scope=iSHARE&client_id=did%3Aishare%3AEU.NL.NTRNL-\
             10000001&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type\
             %3Ajwt-bearer&client_assertion=a.b.c"
        );
    }

    #[test]
    fn the_longest_request_is_within_its_limit() {
        let client_id = ClientId::new(&"/".repeat(MAX_CLIENT_ID)).unwrap();
        let token = std::vec![b'a'; MAX_COMPACT_JWS];
        let request = TokenRequest::new(&ISHARE, &client_id, CompactJws::new(&token));
        assert!(request.body_len() <= MAX_TOKEN_REQUEST);
    }
}
