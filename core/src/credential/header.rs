//! The JOSE header of a credential, encoded once.

use crate::cert::Chain;
use crate::encoding::base64::{Base64Sink, Base64UrlSink};
use crate::encoding::json::Object;
use crate::encoding::sink::{Overflow, Sink, SliceSink};
use crate::field::{Fault, Field, FieldError};
use crate::kid::Kid;
use crate::limits::MAX_HEADER;

/// How the header names the key.
#[derive(Clone, Copy)]
pub(super) enum KeyName<'a> {
    /// By its certificates: `x5c`.
    Chain(&'a Chain<'a>),
    /// By an identifier that the receiver knows: `kid`.
    Kid(Kid<'a>),
}

/// Writes the header in base64url and gives its length.
pub(super) fn encode(name: KeyName<'_>, buffer: &mut [u8]) -> Result<usize, FieldError> {
    let mut sink = SliceSink::new(buffer);
    // A failure is sticky: finish() reports it.
    let _ = write(name, &mut sink);
    sink.finish()
        .map(<[u8]>::len)
        .map_err(|Overflow { capacity }| {
            let fault = Fault::TooLong {
                len: MAX_HEADER,
                max: capacity,
            };
            FieldError::new(Field::Header, fault, "the buffer given")
        })
}

/// `{"alg":"RS256","typ":"JWT","x5c":[..]}` or `{"alg":"RS256","kid":..,"typ":"JWT"}`, and nothing else.
fn write<S: Sink>(name: KeyName<'_>, sink: &mut S) -> Result<(), S::Error> {
    let mut encoder = Base64UrlSink::new(sink);
    let mut header = Object::new(&mut encoder);
    header.string("alg", "RS256");
    match name {
        KeyName::Kid(kid) => header.string("kid", kid.as_str()).string("typ", "JWT"),
        KeyName::Chain(chain) => header.string("typ", "JWT").plain_strings(
            "x5c",
            chain.certificates(),
            |sink, certificate| {
                let mut base64 = Base64Sink::new(sink);
                base64.write(certificate.as_der())?;
                base64.finish()
            },
        ),
    };
    header.finish()?;
    encoder.finish()
}
