//! What the given revocation lists say about a chain.

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, Chain};

use crate::pki::crl::{Crl, Revocation};
use crate::report::{Report, Verdict};

impl Report {
    /// Every certificate but the root is judged: a root is trusted or not, nobody can revoke it.
    pub(super) fn revocation(&mut self, chain: &Chain<'_>, crls: &[Crl], now: UnixTime) {
        if crls.is_empty() {
            return self.add(Verdict::Note, "revocation is not checked: no CRL is given");
        }
        let certificates = chain.certificates();
        for (position, certificate) in certificates.iter().enumerate() {
            let issuer = certificates.get(position.saturating_add(1));
            if issuer.is_some() || !certificate.is_self_issued() {
                self.status(position, certificate, issuer, crls, now);
            }
        }
        let concerns = |crl: &Crl| certificates.iter().any(|one| crl.is_of_issuer_of(one));
        for _ in crls.iter().filter(|crl| !concerns(crl)) {
            self.add(
                Verdict::Note,
                "a CRL is of an issuer that issued no certificate here",
            );
        }
    }

    fn status(
        &mut self,
        position: usize,
        certificate: &Certificate<'_>,
        issuer: Option<&Certificate<'_>>,
        crls: &[Crl],
        now: UnixTime,
    ) {
        let mut covered = false;
        for crl in crls.iter().filter(|crl| crl.is_of_issuer_of(certificate)) {
            let Some(issuer) = issuer else {
                let reason = "its issuer is not there to verify the CRL with";
                return self.unknown(position, reason);
            };
            match crl.status(certificate, issuer, now) {
                Ok(Revocation::NotCovered) => continue,
                Ok(Revocation::Good { this_update }) => self.add(
                    Verdict::Passed,
                    format!(
                        "certificate {position} is not revoked by its issuer's CRL of {this_update}"
                    ),
                ),
                Ok(Revocation::Revoked { since }) => self.add(
                    Verdict::Broken,
                    format!(
                        "certificate {position} is revoked since {since} (RFC 5280 section 5.3)"
                    ),
                ),
                Err(error) => self.add(Verdict::Broken, format!("certificate {position}: {error}")),
            }
            covered = true;
        }
        if !covered {
            self.unknown(position, "no CRL given covers it");
        }
    }

    fn unknown(&mut self, position: usize, reason: &str) {
        let text = format!("revocation of certificate {position} is not checked: {reason}");
        self.add(Verdict::Note, text);
    }
}
