//! Which key it is, and whether it signed.

use super::{Judge, at_most, form_is};
use crate::KnownKey;
use crate::report::Report;
use crate::rule::RuleId;
use crate::verdict::{Reason, Verdict, Violation, ensure};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::limits::MAX_KID;
use privyseal_core::rsa::{KeyError, RsaPublicKey, VerifyingKey};
use privyseal_core::scheme::KeyReference;

const KNOWN: &str =
    "RFC 7515 sections 4.1.4 and 4.1.8: kid or x5t#S256 names one of the issuer's keys";
const SIZE: &str = "RFC 7518 section 3.3: RSA keys of 2048 bits or more";
const SIGNATURE: &str = "RFC 7515 section 5.2; RFC 8017 section 8.2.2";

impl Judge<'_, '_> {
    /// Whether `kid` or `x5t#S256` names a key.
    pub(super) fn key_name(&self, report: &mut Report) {
        let rule = self.scheme.key_reference();
        let named = if rule.value() == KeyReference::X5tS256 {
            self.on_header(
                report,
                RuleId::HeaderX5tS256,
                rule.source(),
                &[],
                |header| ensure(is_digest(header.x5t_s256.required()?), form_is(DIGEST)),
            );
            RuleId::HeaderX5tS256
        } else {
            self.on_header(report, RuleId::HeaderKid, rule.source(), &[], |header| {
                at_most(header.kid.required()?, MAX_KID)
            });
            RuleId::HeaderKid
        };
        if self.question.keys.is_none() {
            report.put(
                RuleId::KeyKnown,
                KNOWN,
                Verdict::because("no key set was given"),
            );
            return;
        }
        report.put_after(RuleId::KeyKnown, KNOWN, &[named], || {
            self.known_key().map(|_| ())
        });
    }

    /// Whether the key is fit, and whether the signature is its.
    pub(super) fn signature(&self, report: &mut Report) {
        let found = match self.scheme.key_reference().value() {
            KeyReference::X5cWithRoot => RuleId::X5cCertificates,
            KeyReference::X5tS256 | KeyReference::Kid => RuleId::KeyKnown,
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
    pub(super) fn key(&self) -> Option<Result<RsaPublicKey, KeyError>> {
        match self.scheme.key_reference().value() {
            KeyReference::X5cWithRoot => self.leaf().map(|leaf| leaf.rsa_key()),
            KeyReference::X5tS256 | KeyReference::Kid => Some(self.known_key().ok()?.key.clone()),
        }
    }

    /// The one key of the given set that the header names. Which of several signed, receivers do not agree on.
    fn known_key(&self) -> Result<&KnownKey<'_>, Violation> {
        let header = self.facts.header();
        let by_digest = self.scheme.key_reference().value() == KeyReference::X5tS256;
        let name = header.and_then(|header| {
            let name = if by_digest {
                &header.x5t_s256
            } else {
                &header.kid
            };
            name.value()
        });
        let known = self.question.keys.unwrap_or_default().iter();
        let mut named = known.filter(|known| {
            let known = if by_digest { known.x5t_s256 } else { known.kid };
            known.is_some() && known == name
        });
        let none = "the given set has no RSA key for signatures of that name";
        let key = named.next().ok_or(Violation::Text(none))?;
        let several = "the given set has several keys of that name (RFC 7517 section 4.5)";
        ensure(
            named.all(|other| other.key == key.key),
            Violation::Text(several),
        )?;
        Ok(key)
    }
}

const DIGEST: &str = "the SHA-256 digest of a certificate, 43 characters of base64url";

/// 43 characters have 258 bits: the last two are of no byte.
fn is_digest(text: &str) -> bool {
    let mut digest = [0; 32];
    Base64UrlUnpadded::decode(text, &mut digest).is_ok_and(|digest| digest.len() == 32)
}
