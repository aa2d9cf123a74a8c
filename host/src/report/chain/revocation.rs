//! What the given revocation lists say about a chain.

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, Chain};

use crate::pki::crl::Crl;
use crate::pki::path::PathRule;
use crate::pki::revocation::{Revocation, RevocationCheck, RevocationOptions};
use crate::report::{Report, Verdict};

impl Report {
    /// Every certificate but the root is judged: a root is trusted or not, nobody can revoke it.
    pub(super) fn revocation(
        &mut self,
        chain: &Chain<'_>,
        asked: RevocationOptions<'_>,
        now: UnixTime,
    ) {
        let Some(check) = asked.at(now) else {
            return self.add(Verdict::Note, "revocation is not checked: no CRL is given");
        };
        let certificates = chain.certificates();
        for (position, certificate) in certificates.iter().enumerate() {
            let issuer = certificates.get(position.saturating_add(1));
            if issuer.is_some() || !certificate.is_self_issued() {
                self.status(position, certificate, issuer, &check);
            }
        }
        let concerns = |crl: &Crl| certificates.iter().any(|one| crl.is_of_issuer_of(one));
        for _ in asked.crls.iter().filter(|crl| !concerns(crl)) {
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
        check: &RevocationCheck<'_>,
    ) {
        let unknown = if check.options.allow_unknown {
            Verdict::Note
        } else {
            Verdict::Broken
        };
        let Some(issuer) = issuer else {
            let text = format!(
                "certificate {position} may be revoked: its issuer is not there to verify a CRL with"
            );
            return self.add(unknown, text);
        };
        let broken = |rule: PathRule| format!("certificate {position} {rule}");
        match check.status_of(certificate, issuer) {
            Revocation::Good { this_update } => self.add(
                Verdict::Passed,
                format!(
                    "certificate {position} is not revoked by its issuer's CRL of {this_update}"
                ),
            ),
            Revocation::Revoked { since } => {
                self.add(Verdict::Broken, broken(PathRule::Revoked(since)));
            }
            Revocation::Unknown(why) => {
                self.add(unknown, broken(PathRule::RevocationUnknown(why)));
            }
        }
    }
}
