//! What the given revocation lists say about a chain.

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, Chain, VerifyLink as _};

use crate::pki::certificates::Certificates;
use crate::pki::crl::Crl;
use crate::pki::links::HostLinks;
use crate::pki::path::PathRule;
use crate::pki::revocation::{Revocation, RevocationCheck, RevocationOptions};
use crate::report::{Report, Verdict};

const SOURCE: &str = "RFC 5280 section 6.3";

impl Report {
    /// Every certificate but the root is judged: a root is trusted or not, nobody can revoke it.
    pub(super) fn revocation(
        &mut self,
        chain: &Chain<'_>,
        asked: RevocationOptions<'_>,
        trust: Option<&Certificates>,
        now: UnixTime,
    ) {
        let Some(check) = asked.at(now) else {
            let text = "revocation is not checked: no CRL is given";
            return self.add_by(Verdict::Note, SOURCE, text);
        };
        let certificates = chain.certificates();
        let trusted = trust.into_iter().flat_map(Certificates::iter);
        let trusted: Vec<_> = trusted
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect();
        for (position, certificate) in certificates.iter().enumerate() {
            let has_signed = |issuer: &&Certificate<'_>| {
                HostLinks.is_same_name(certificate.issuer(), issuer.subject())
                    && HostLinks.verify(certificate, issuer).is_ok()
            };
            let above = certificates.get(position.saturating_add(1));
            if above.is_some() || !certificate.is_self_issued() {
                let issuer = above.or_else(|| trusted.iter().find(has_signed));
                self.status(position, certificate, issuer, &check);
            }
        }
        let concerns = |crl: &Crl| certificates.iter().any(|one| crl.is_of_issuer_of(one));
        for _ in asked.crls.iter().filter(|crl| !concerns(crl)) {
            let text = "a CRL is of an issuer that issued no certificate here";
            self.add_by(Verdict::Note, SOURCE, text);
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
            return self.add_by(unknown, SOURCE, text);
        };
        let (verdict, rule) = match check.status_of(certificate, issuer) {
            Revocation::Good { this_update } => {
                let text = format!(
                    "certificate {position} is not revoked by its issuer's CRL of {this_update}"
                );
                return self.add_by(Verdict::Passed, SOURCE, text);
            }
            Revocation::Revoked { since } => (Verdict::Broken, PathRule::Revoked(since)),
            Revocation::Unknown(why) => (unknown, PathRule::RevocationUnknown(why)),
        };
        let text = format!("certificate {position} {rule}");
        self.add_by(verdict, rule.source_text(), text);
    }
}
