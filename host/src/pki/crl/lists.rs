//! Several lists, as `privyseal-check` asks them.

use privyseal_check::{Reason, Revocations, Verdict, Violation};
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;

use super::{Crl, CrlError, Revocation};

/// Lists, believed or not at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RevocationLists<'a> {
    /// The lists.
    pub(crate) crls: &'a [Crl],
    /// The moment.
    pub(crate) now: UnixTime,
}

impl Revocations for RevocationLists<'_> {
    fn status(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Verdict {
        let mut verdict = Verdict::NotChecked(Reason::Because(
            "no list that was given covers every certificate",
        ));
        for crl in self
            .crls
            .iter()
            .filter(|crl| crl.is_of_issuer_of(certificate))
        {
            match crl.status(certificate, issuer, self.now) {
                Ok(Revocation::NotCovered) => {}
                Ok(Revocation::Good { .. }) => verdict = Verdict::Passed,
                Ok(Revocation::Revoked { since }) => {
                    return Verdict::Broken(Violation::Revoked { since });
                }
                Err(error) => return Verdict::Broken(Violation::Text(fault(error))),
            }
        }
        verdict
    }
}

/// A list that cannot be believed proves nothing, and a receiver that asks it refuses.
const fn fault(error: CrlError) -> &'static str {
    match error {
        CrlError::Malformed => "cannot be told: the list is not the DER of a CRL",
        CrlError::CriticalExtension => "cannot be told: the list has an unknown critical extension",
        CrlError::IssuerKeyUsage => {
            "cannot be told: the list's issuer may not sign lists (cRLSign)"
        }
        CrlError::Signature | CrlError::Unverifiable(_) => {
            "cannot be told: the list was not signed by its issuer"
        }
        CrlError::NotYetValid { .. } => "cannot be told: the list is from the future",
        CrlError::Stale { .. } => "cannot be told: the list is out of date",
    }
}
