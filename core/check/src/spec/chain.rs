//! Rules about the certificates in the header.

use super::Judge;
use crate::report::Report;
use crate::rule::RuleId;
use crate::verdict::{Verdict, Violation, ensure};
use crate::{Registry, Revocations};
use heapless::Vec;
use privyseal_core::cert::{Certificate, Chain, ChainError, Validity, VerifyLink};
use privyseal_core::limits::MAX_CERTIFICATES;

const X5C: &str = "RFC 7515 section 4.1.6: x5c";

const CERTIFICATE: &str = "RFC 7515 section 4.1.6: each string is a DER certificate (RFC 5280)";
const PROOF: &str = "RFC 5280 section 6.1: path validation";
const DATES: &str = "RFC 5280 section 4.1.2.5: validity";
const REVOCATION: &str = "RFC 5280 section 6.3: revocation";
const TRUST: &str = "RFC 5280 section 6.1.1: trust anchors; iSHARE: the trusted list";

impl<'t> Judge<'_, 't> {
    /// Whether `x5c` holds certificates.
    pub(super) fn x5c(&self, report: &mut Report) {
        let source = self.scheme.key_reference().source();
        self.on_header(report, RuleId::HeaderX5c, source, &[], |header| {
            header.x5c.form
        });
        self.on_header(
            report,
            RuleId::X5cEncoding,
            X5C,
            &[RuleId::HeaderX5c],
            |header| header.x5c.encoding,
        );
        let is_read = self
            .facts
            .header()
            .is_some_and(|header| header.x5c.certificates.is_ok());
        // Base64 that was understood although it is not as it should be hides no certificate.
        let needs: &[_] = if is_read {
            &[RuleId::HeaderX5c]
        } else {
            &[RuleId::X5cEncoding]
        };
        self.on_header(
            report,
            RuleId::X5cCertificates,
            CERTIFICATE,
            needs,
            |header| {
                header
                    .x5c
                    .certificates
                    .as_ref()
                    .map(|_| ())
                    .map_err(|&why| why)
            },
        );
    }

    /// Whether the certificates are a chain that may sign.
    pub(super) fn chain(&self, report: &mut Report) {
        let (certificates, ordered) = (self.facts.certificates(), &self.ordered);
        let read = [RuleId::X5cCertificates];
        let is_ordered = || match ordered {
            Ok(chain) if chain.certificates() == certificates => Ok(()),
            Ok(_) => Err(Violation::Text(
                "is not leaf first, each certificate followed by its issuer",
            )),
            Err(error) => Err((*error).into()),
        };
        report.put_after(RuleId::X5cOrder, X5C, &read, is_ordered);
        // A chain that only stands in the wrong order can still be proved.
        let needs: &[_] = if ordered.is_ok() {
            &read
        } else {
            &[RuleId::X5cOrder]
        };
        report.put_after(RuleId::X5cChain, PROOF, needs, || {
            let proof = ordered
                .clone()
                .and_then(|chain| chain.prove(self.question.links));
            proof.map(|_| ()).map_err(Violation::from)
        });
        report.put_after(
            RuleId::X5cRoot,
            self.scheme.key_reference().source(),
            needs,
            || {
                let has_root = ordered.as_ref().is_ok_and(Chain::has_root);
                ensure(has_root, ChainError::MissingRoot)
            },
        );
        report.put_after(RuleId::X5cDates, DATES, &read, || {
            Validity::of(certificates)
                .check(self.question.now)
                .map_err(Violation::from)
        });
        let usage = self.scheme.leaf_key_usage();
        report.put_after(RuleId::LeafKeyUsage, usage.source(), &read, || {
            let usage = self.scheme.check_leaf_key_usage(self.leaf().as_ref());
            usage.map_err(Violation::from)
        });
        let purposes = self.scheme.leaf_purposes();
        report.put_after(RuleId::LeafPurpose, purposes.source(), &read, || {
            let purpose = self.scheme.check_leaf_purpose(self.leaf().as_ref());
            purpose.map_err(Violation::from)
        });
    }

    /// Whether the chain ends where trust begins, and what this software does not ask.
    pub(super) fn trust(&self, report: &mut Report) {
        let needs = [RuleId::X5cChain];
        match (self.question.anchors, self.question.registry) {
            (None, None) => {
                let why = Verdict::because("no trusted certificates were given");
                report.put(RuleId::ChainTrusted, TRUST, why);
            }
            (Some(anchors), None) => report.put_after(RuleId::ChainTrusted, TRUST, &needs, || {
                let is_anchored =
                    |chain: &Chain<'_>| chain.is_anchored_by(anchors, self.question.links);
                let is_trusted = self.ordered.as_ref().is_ok_and(is_anchored);
                let why = "does not end at one of the trusted certificates";
                ensure(is_trusted, Violation::Text(why))
            }),
            (_, Some(registry)) => {
                report.put_after(RuleId::ChainTrusted, TRUST, &needs, || {
                    let chain = self.ordered.as_ref();
                    chain.map_or(Verdict::Passed, |chain| registry.trusts(chain))
                });
            }
        }
        match self.question.revocations {
            None => {
                let why = Verdict::because("no revocation list was given");
                report.put(RuleId::Revocation, REVOCATION, why);
            }
            Some(lists) => report.put_after(RuleId::Revocation, REVOCATION, &needs, || {
                let chain = self.ordered.as_ref();
                chain.map_or(Verdict::Passed, |chain| revocation(chain, lists))
            }),
        }
        if let Some(source) = self.scheme.registry().map(|rule| rule.source()) {
            match self.question.registry {
                None => {
                    let verdict = Verdict::because("the registry was not asked");
                    report.put(RuleId::PartyStatus, source, verdict);
                }
                Some(registry) => {
                    let needs = [RuleId::Signature];
                    report.put_after(RuleId::PartyStatus, source, &needs, || self.party(registry));
                }
            }
        }
    }

    fn party(&self, registry: &dyn Registry) -> Verdict {
        let claims = self.facts.claims();
        match (claims.and_then(|claims| claims.iss.value()), self.leaf()) {
            (Some(party), Some(leaf)) => registry.party(party, &leaf),
            _ => Verdict::because("the token names no party"),
        }
    }

    /// The leaf: by the chain's own order, or else the first certificate.
    pub(super) fn leaf(&self) -> Option<Certificate<'t>> {
        let leaf = self.ordered.as_ref().ok().and_then(Chain::leaf);
        leaf.or(self.facts.certificates().first()).copied()
    }
}

pub(super) fn ordered<'t>(
    certificates: &[Certificate<'t>],
    links: &dyn VerifyLink,
) -> Result<Chain<'t>, ChainError> {
    let ders: Vec<_, MAX_CERTIFICATES> = certificates.iter().map(Certificate::as_der).collect();
    Chain::order(&ders).or_else(|error| {
        // In order by names whose bytes differ.
        let given = Chain::in_order(&ders)?;
        let is_chain = given.is_named_in_order(links);
        if is_chain { Ok(given) } else { Err(error) }
    })
}

/// The worst that is said of any certificate but the root, which is trusted or not: nobody revokes it.
fn revocation(chain: &Chain<'_>, lists: &dyn Revocations) -> Verdict {
    let certificates = chain.certificates();
    let pairs = certificates.iter().zip(certificates.iter().skip(1));
    let mut worst = if chain.has_root() {
        Verdict::Passed
    } else {
        Verdict::because("the issuer of the last certificate is not there")
    };
    for (certificate, issuer) in pairs {
        match lists.status(certificate, issuer) {
            broken @ Verdict::Broken(_) => return broken,
            Verdict::Passed => {}
            unknown @ Verdict::NotChecked(_) => worst = unknown,
        }
    }
    worst
}
