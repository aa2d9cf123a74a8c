//! The JOSE header of a credential, encoded once.

use crate::cert::{Certificate, Chain, ProvenChain, Prover};
use crate::encoding::base64::{Base64Sink, Base64UrlSink};
use crate::encoding::json::Object;
use crate::encoding::sink::Sink;
use crate::field::{Field, FieldError};
use crate::kid::{Kid, KidBuf};
use crate::limits::MAX_HEADER;

/// How the header names the key.
#[derive(Clone, Copy, Debug)]
pub struct KeyName<'a>(pub(super) Name<'a>);

/// A chain that a `Prover` proved, or a `kid`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    Chain(&'a Chain<'a>),
    Digest(&'a Certificate<'a>),
    Kid(Kid<'a>),
}

impl<'a> KeyName<'a> {
    /// By its certificates: `x5c`.
    pub fn chain<P: Prover>(chain: &'a ProvenChain<'a, P>) -> Self {
        Self(Name::Chain(chain))
    }

    /// By the digest of a certificate that the receiver knows: `x5t#S256`. Nobody need have issued it but itself.
    pub const fn digest(certificate: &'a Certificate<'a>) -> Self {
        Self(Name::Digest(certificate))
    }

    /// By an identifier that the receiver knows: `kid`.
    pub const fn kid(kid: Kid<'a>) -> Self {
        Self(Name::Kid(kid))
    }

    /// Whether it is by certificates.
    pub const fn is_chain(&self) -> bool {
        matches!(self.0, Name::Chain(_))
    }
}

/// Writes the header in base64url and gives its length.
pub(super) fn encode(name: KeyName<'_>, buffer: &mut [u8]) -> Result<usize, FieldError> {
    let header = Field::Header.fill(buffer, || MAX_HEADER, |sink| write(name, sink))?;
    Ok(header.len())
}

/// Writes the header of every token of such a key, base64url without the dot, and gives its length. For
/// [`Profile::new`](super::Profile::new): a device writes it into its flash, piece by piece.
///
/// # Errors
/// Whatever `sink` fails with.
pub fn encode_header<S: Sink>(name: KeyName<'_>, sink: &mut S) -> Result<usize, S::Error> {
    let mut counted = Counted { sink, len: 0 };
    write(name, &mut counted)?;
    Ok(counted.len)
}

/// The length of the header that `kept` begins with; an error if it begins with something else.
pub(super) fn compare(name: KeyName<'_>, kept: &[u8]) -> Result<usize, FieldError> {
    let mut comparison = Comparison(kept);
    write(name, &mut comparison).map_err(|Differs| {
        Field::Header.is_not("the header that was encoded for this key", "what was kept")
    })?;
    Ok(kept.len().saturating_sub(comparison.0.len()))
}

struct Counted<'s, S> {
    sink: &'s mut S,
    len: usize,
}

impl<S: Sink> Sink for Counted<'_, S> {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        self.len = self.len.saturating_add(bytes.len());
        self.sink.write(bytes)
    }
}

/// Takes only what it expects.
struct Comparison<'a>(&'a [u8]);

struct Differs;

impl Sink for Comparison<'_> {
    type Error = Differs;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Differs> {
        self.0 = self.0.strip_prefix(bytes).ok_or(Differs)?;
        Ok(())
    }
}

/// `alg` and `typ`, and one of `x5c`, `x5t#S256` and `kid`: the names in their order, and nothing else.
fn write<S: Sink>(name: KeyName<'_>, sink: &mut S) -> Result<(), S::Error> {
    let mut encoder = Base64UrlSink::new(sink);
    let mut header = Object::new(&mut encoder);
    header.string("alg", "RS256");
    match name.0 {
        Name::Kid(kid) => header.string("kid", kid.as_str()).string("typ", "JWT"),
        Name::Digest(certificate) => {
            let digest = KidBuf::certificate_digest(certificate.as_der());
            let digest = digest.as_kid();
            header
                .string("typ", "JWT")
                .string("x5t#S256", digest.as_str())
        }
        Name::Chain(chain) => header.string("typ", "JWT").plain_strings(
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
