//! Which key it is, and whether it signed.

use super::{Judge, at_most};
use crate::KnownKey;
use crate::report::Report;
use crate::rule::RuleId;
use crate::verdict::{Reason, Verdict, Violation, ensure};
use privyseal_core::limits::MAX_KID;
use privyseal_core::rsa::{KeyError, RsaPublicKey, VerifyingKey};
use privyseal_core::scheme::KeyReference;

const KNOWN: &str = "RFC 7515 section 4.1.4: the kid names one of the issuer's keys";
const SIZE: &str = "RFC 7518 section 3.3: RSA keys of 2048 bits or more";
const SIGNATURE: &str = "RFC 7515 section 5.2; RFC 8017 section 8.2.2";

impl Judge<'_, '_> {
    /// Whether `kid` names a key.
    pub(super) fn kid(&self, report: &mut Report) {
        let source = self.scheme.key_reference().source();
        self.on_header(report, RuleId::HeaderKid, source, &[], |header| {
            at_most(header.kid.required()?, MAX_KID)
        });
        if self.question.keys.is_none() {
            report.put(
                RuleId::KeyKnown,
                KNOWN,
                Verdict::because("no key set was given"),
            );
            return;
        }
        let known = self.known_key().is_some();
        report.put_after(RuleId::KeyKnown, KNOWN, &[RuleId::HeaderKid], || {
            ensure(
                known,
                Violation::Text("is not the kid of a key in the given set"),
            )
        });
    }

    /// Whether the key is fit, and whether the signature is its.
    pub(super) fn signature(&self, report: &mut Report) {
        let found = match self.scheme.key_reference().value() {
            KeyReference::X5cWithRoot => RuleId::X5cCertificates,
            KeyReference::Kid => RuleId::KeyKnown,
        };
        let key = self.key();
        report.put_after(RuleId::KeySize, SIZE, &[found], || match &key {
            Some(Ok(_)) => Verdict::Passed,
            Some(Err(error)) => Verdict::Broken((*error).into()),
            None => Verdict::NotChecked(Reason::Needs(found)),
        });
        report.put_after(
            RuleId::Signature,
            SIGNATURE,
            &[RuleId::HeaderAlg, RuleId::KeySize],
            || self.verify(key.as_ref()),
        );
    }

    fn verify(&self, key: Option<&Result<RsaPublicKey, KeyError>>) -> Result<(), Violation> {
        let (Some(Ok(key)), Some(algorithm)) = (key, self.algorithm()) else {
            return Ok(()); // Both are prerequisites.
        };
        let digest = algorithm.digest(self.facts.signing_input.as_bytes());
        VerifyingKey::new(key.clone())?.verify(&digest, self.facts.signature)?;
        Ok(())
    }

    /// The key that should have signed.
    fn key(&self) -> Option<Result<RsaPublicKey, KeyError>> {
        match self.scheme.key_reference().value() {
            KeyReference::X5cWithRoot => self.leaf().map(|leaf| leaf.rsa_key()),
            KeyReference::Kid => self.known_key().map(|known| known.key.clone()),
        }
    }

    fn known_key(&self) -> Option<&KnownKey<'_>> {
        let kid = self.facts.header()?.kid.value()?;
        self.question
            .keys?
            .iter()
            .find(|known| known.kid == Some(kid))
    }
}
