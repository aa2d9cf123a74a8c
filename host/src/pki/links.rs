//! Links of a chain, for the core: signatures by whatever algorithm a CA uses, and the constraints in a chain.

use privyseal_core::cert::{Certificate, LinkError, Name, Prover, VerifyLink};

use super::path;
use super::signature::Signed;

/// Knows what [`privyseal_core::cert::RsaLinks`] knows, and every other algorithm that is verified here.
///
/// What a root says about itself by an algorithm that is not verified here, such as SHA-1, is not judged: a root
/// counts by who trusts it (RFC 5280 section 6.1.1 (d)).
#[allow(
    clippy::exhaustive_structs,
    reason = "it has no state, and is named as a value"
)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HostLinks;

// SAFETY: it succeeds only where a library verified the signature with the issuer's key.
#[allow(unsafe_code, reason = "our own verifier may prove a chain that signs")]
unsafe impl Prover for HostLinks {}

impl VerifyLink for HostLinks {
    fn verify(&self, subject: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), LinkError> {
        let signed = Signed::read(subject.as_der()).ok_or(LinkError::UnknownAlgorithm)?;
        match signed.verify(issuer.spki()) {
            Err(LinkError::UnknownAlgorithm) if subject == issuer => Ok(()),
            outcome => outcome,
        }
    }

    fn is_same_name(&self, one: Name<'_>, other: Name<'_>) -> bool {
        let normal = |name: Name<'_>| path::NormalName::from_der(name.as_der()).ok();
        one == other || (normal(one).is_some() && normal(one) == normal(other))
    }

    fn constraints_hold(&self, chain: &[Certificate<'_>]) -> Option<bool> {
        path::constraints_hold(chain)
    }
}
