//! Certificates that no library would issue, composed element by element. Their signatures are judged by a verifier
//! that says yes: what is tried here is everything else.

use std::format;
use std::vec;
use std::vec::Vec;

use super::oid::SHA256_WITH_RSA;
use super::{
    Certificate, CertificateError, Chain, ChainError, ClockError, LinkError, ProvenChain, Validity,
    VerifyLink,
};
use crate::time::UnixTime;

/// Says yes.
#[derive(Debug)]
struct Yes;

impl VerifyLink for Yes {
    fn verify(&self, _: &Certificate<'_>, _: &Certificate<'_>) -> Result<(), LinkError> {
        Ok(())
    }
}

/// One element, DER.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let mut element = match content.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    element.extend_from_slice(content);
    element
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// A name of one commonName.
fn name(text: &str) -> Vec<u8> {
    let pair = sequence(&[&[0x06, 3, 0x55, 4, 3], &tlv(0x0c, text.as_bytes())]);
    sequence(&[&tlv(0x31, &pair)])
}

/// An extension below id-ce (2.5.29).
fn extension(arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&[0x06, 3, 0x55, 0x1d, arc], critical, &tlv(0x04, value)])
}

/// cA and, if there is one, pathLenConstraint.
fn basic_constraints(path_len: Option<u8>) -> Vec<u8> {
    let limit = path_len.map_or(Vec::new(), |limit| tlv(0x02, &[limit]));
    extension(19, true, &sequence(&[&[1, 1, 0xff], &limit]))
}

/// keyCertSign.
fn cert_sign() -> Vec<u8> {
    extension(15, true, &[3, 2, 2, 4])
}

/// What a certificate is made of.
#[derive(Clone)]
struct Spec {
    version: Vec<u8>,
    serial: Vec<u8>,
    issuer: &'static str,
    subject: &'static str,
    /// Years of its validity: from the first day of one to the first day of the other.
    years: (u8, u8),
    extensions: Vec<Vec<u8>>,
    /// What stands behind the key instead of the extensions.
    behind: Option<Vec<u8>>,
    /// What follows the last element of the signed part.
    trailing: Vec<u8>,
}

impl Spec {
    fn leaf(issuer: &'static str) -> Self {
        Self {
            version: vec![0xa0, 3, 2, 1, 2],
            serial: vec![2, 1, 7],
            issuer,
            subject: "leaf",
            years: (26, 30),
            extensions: vec![extension(15, true, &[3, 2, 6, 0x40])],
            behind: None,
            trailing: Vec::new(),
        }
    }

    fn ca(issuer: &'static str, subject: &'static str, path_len: Option<u8>) -> Self {
        Self {
            subject,
            years: (20, 40),
            extensions: vec![basic_constraints(path_len), cert_sign()],
            ..Self::leaf(issuer)
        }
    }

    fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    fn der(&self) -> Vec<u8> {
        let algorithm = {
            let oid = tlv(0x06, SHA256_WITH_RSA.as_bytes());
            sequence(&[&oid, &[5, 0]])
        };
        let moment = |year: u8| tlv(0x17, format!("{year}0101000000Z").as_bytes());
        let validity = sequence(&[&moment(self.years.0), &moment(self.years.1)]);
        let key = sequence(&[&algorithm, &[3, 2, 0, 0]]);
        let extensions = tlv(0xa3, &tlv(0x30, &self.extensions.concat()));
        let tbs = sequence(&[
            &self.version,
            &self.serial,
            &algorithm,
            &name(self.issuer),
            &validity,
            &name(self.subject),
            &key,
            self.behind.as_ref().unwrap_or(&extensions),
            &self.trailing,
        ]);
        sequence(&[&tbs, &algorithm, &[3, 2, 0, 0]])
    }
}

fn read(spec: &Spec) -> Result<(), CertificateError> {
    Certificate::from_der(&spec.der()).map(|_| ())
}

/// The proof of these certificates, in their order.
fn proved(specs: &[Spec]) -> Result<(), ChainError> {
    proved_by(specs, &Yes)
}

fn proved_by<P: VerifyLink>(specs: &[Spec], links: &P) -> Result<(), ChainError> {
    let ders: Vec<_> = specs.iter().map(Spec::der).collect();
    let ders: Vec<&[u8]> = ders.iter().map(Vec::as_slice).collect();
    let chain = Chain::order(&ders).expect("a chain");
    chain.prove(links).map(|_: ProvenChain<'_, P>| ())
}

#[test]
fn der_as_it_should_be() {
    assert_eq!(read(&Spec::leaf("ca")), Ok(()));
    let mut without_version = Spec::leaf("ca");
    without_version.version.clear();
    without_version.behind = Some(Vec::new());
    assert_eq!(read(&without_version), Ok(()), "v1 has no extensions");
    let mut unique_ids = Spec::leaf("ca");
    let extensions = tlv(0xa3, &sequence(&[&basic_constraints(None)]));
    unique_ids.behind = Some([&[0x81, 1, 0][..], &[0x82, 1, 0], &extensions].concat());
    assert_eq!(read(&unique_ids), Ok(()));
}

#[test]
fn der_that_is_refused() {
    let good = || Spec::leaf("ca");
    let extensions = tlv(0xa3, &sequence(&[&cert_sign()]));
    let behind = |parts: &[&[u8]]| Spec {
        behind: Some(parts.concat()),
        ..good()
    };
    let refused = [
        ("two [3] fields", behind(&[&extensions, &extensions])),
        ("[1] behind [3]", behind(&[&extensions, &[0x81, 1, 0]])),
        ("[2] before [1]", behind(&[&[0x82, 1, 0], &[0x81, 1, 0]])),
        ("[4]", behind(&[&extensions, &[0xa4, 0]])),
        ("no extension in [3]", behind(&[&tlv(0xa3, &[0x30, 0])])),
        (
            "an element behind the list of extensions",
            behind(&[&tlv(0xa3, &[&extensions[2..], &[5, 0]].concat())]),
        ),
        (
            "an element behind the last",
            Spec {
                trailing: vec![5, 0],
                ..good()
            },
        ),
        (
            "a serial number with a leading zero octet",
            Spec {
                serial: vec![2, 2, 0, 7],
                ..good()
            },
        ),
        (
            "a serial number that is no INTEGER",
            Spec {
                serial: vec![4, 1, 7],
                ..good()
            },
        ),
        (
            "extended key usage without a purpose",
            good().with(extension(37, false, &[0x30, 0])),
        ),
        (
            "extended key usage that is no list",
            good().with(extension(37, false, &[5, 0])),
        ),
    ];
    for (what, spec) in refused {
        let error = read(&spec).expect_err(what);
        assert!(
            matches!(error, CertificateError::Malformed { .. }),
            "{what}: {error}"
        );
    }
    for version in [
        &[0xa0, 3, 2, 1, 0][..],
        &[0xa0, 3, 2, 1, 3],
        &[],
        &[0xa0, 3, 2, 1, 1],
    ] {
        let spec = Spec {
            version: version.to_vec(),
            ..good()
        };
        assert_eq!(read(&spec), Err(CertificateError::Version), "{version:?}");
    }
}

/// Known or not, critical or not.
#[test]
fn an_extension_twice_is_refused() {
    for arc in [15, 19, 31, 99] {
        let value: &[u8] = match arc {
            15 => &[3, 2, 6, 0x40],
            _ => &[0x30, 0],
        };
        let once = Spec {
            extensions: vec![extension(arc, false, value)],
            ..Spec::leaf("ca")
        };
        assert_eq!(read(&once), Ok(()), "{arc}");
        let twice = once.with(extension(arc, true, value));
        assert_eq!(
            read(&twice),
            Err(CertificateError::DuplicateExtension),
            "{arc}"
        );
    }
    let many = |count: u8| Spec {
        extensions: (100..100 + count)
            .map(|arc| extension(arc, false, &[5, 0]))
            .collect(),
        ..Spec::leaf("ca")
    };
    assert_eq!(read(&many(27)), Ok(()));
    let long = |count: u8| {
        let extensions = (0..count)
            .map(|arc| sequence(&[&[0x06, 4, 0x55, 0x1d, 0x81, arc], &tlv(0x04, &[5, 0])]));
        Spec {
            extensions: extensions.collect(),
            ..Spec::leaf("ca")
        }
    };
    assert_eq!(read(&long(32)), Ok(()));
    assert_eq!(read(&long(33)), Err(CertificateError::Extensions));
}

/// What this software does not process must not pass, and what needs no processing may.
#[test]
fn critical_extensions_and_constraints() {
    let chain = |leaf: Spec, issuing: Spec| [leaf, issuing, Spec::ca("root", "root", None)];
    let leaf = || Spec::leaf("issuing");
    let issuing = || Spec::ca("root", "issuing", Some(0));
    assert_eq!(proved(&chain(leaf(), issuing())), Ok(()));
    // subjectAltName, issuerAltName, certificatePolicies, policyMappings, inhibitAnyPolicy.
    for arc in [17, 18, 32, 33, 54] {
        let known = issuing().with(extension(arc, true, &[0x30, 0]));
        assert_eq!(proved(&chain(leaf(), known)), Ok(()), "{arc}");
    }
    let unknown = |critical| extension(99, critical, &[5, 0]);
    assert_eq!(
        proved(&chain(leaf().with(unknown(false)), issuing())),
        Ok(())
    );
    let refused = Err(ChainError::CriticalExtension { position: 0 });
    assert_eq!(
        proved(&chain(leaf().with(unknown(true)), issuing())),
        refused
    );
    let refused = Err(ChainError::CriticalExtension { position: 1 });
    assert_eq!(
        proved(&chain(leaf(), issuing().with(unknown(true)))),
        refused
    );
    // nameConstraints, policyConstraints.
    for (arc, critical) in [(30, false), (30, true), (36, false), (36, true)] {
        let constraints = || extension(arc, critical, &[0x30, 0]);
        for position in 0..3 {
            let mut specs = chain(leaf(), issuing());
            specs[position].extensions.push(constraints());
            let refused = Err(ChainError::UnprocessedConstraints { position });
            assert_eq!(proved(&specs), refused, "{arc} {critical}");
        }
    }
}

/// Knows about constraints what it is told.
struct Constraints(Option<bool>);

impl VerifyLink for Constraints {
    fn verify(&self, _: &Certificate<'_>, _: &Certificate<'_>) -> Result<(), LinkError> {
        Ok(())
    }

    fn constraints_hold(&self, chain: &[Certificate<'_>]) -> Option<bool> {
        assert_eq!(chain.len(), 3, "the whole chain");
        self.0
    }
}

#[test]
fn constraints_are_what_the_verifier_says() {
    let position = 1;
    let constrained = Spec::ca("root", "issuing", None).with(extension(30, true, &[0x30, 0]));
    let specs = [
        Spec::leaf("issuing"),
        constrained,
        Spec::ca("root", "root", None),
    ];
    for (said, expected) in [
        (Some(true), Ok(())),
        (Some(false), Err(ChainError::Constraints { position })),
        (None, Err(ChainError::UnprocessedConstraints { position })),
    ] {
        assert_eq!(proved_by(&specs, &Constraints(said)), expected);
    }
}

#[test]
fn path_lengths_count_no_self_issued_ca() {
    let root = |limit| Spec::ca("root", "root", Some(limit));
    let two_cas = |limit| {
        [
            Spec::leaf("b"),
            Spec::ca("a", "b", None),
            Spec::ca("root", "a", None),
            root(limit),
        ]
    };
    assert_eq!(proved(&two_cas(2)), Ok(()));
    let (position, allowed) = (3, 1);
    assert_eq!(
        proved(&two_cas(1)),
        Err(ChainError::PathLength { position, allowed })
    );

    // A CA that renews its own key: the certificate in between is issued by itself and does not count.
    let renewed = Spec {
        serial: vec![2, 1, 8],
        ..Spec::ca("a", "a", None)
    };
    let specs = [
        Spec::leaf("a"),
        renewed,
        Spec::ca("root", "a", Some(0)),
        root(1),
    ];
    assert_eq!(proved(&specs), Ok(()), "below a, and below the root");
}

#[test]
fn issuers_are_cas_that_may_sign_and_leaves_are_none() {
    let root = Spec::ca("root", "root", None);
    let not_ca = Spec {
        extensions: vec![cert_sign()],
        ..Spec::ca("root", "a", None)
    };
    let refused = Err(ChainError::NotCa { position: 1 });
    assert_eq!(proved(&[Spec::leaf("a"), not_ca, root.clone()]), refused);
    let may_not = Spec {
        extensions: vec![basic_constraints(None), extension(15, true, &[3, 2, 1, 2])],
        ..Spec::ca("root", "a", None)
    };
    let refused = Err(ChainError::CaKeyUsage { position: 1 });
    assert_eq!(proved(&[Spec::leaf("a"), may_not, root.clone()]), refused);
    let no_key_usage = Spec {
        extensions: vec![basic_constraints(None)],
        ..Spec::ca("root", "a", None)
    };
    assert_eq!(
        proved(&[Spec::leaf("a"), no_key_usage, root.clone()]),
        Ok(())
    );
    let leaf = Spec::leaf("root").with(basic_constraints(None));
    assert_eq!(proved(&[leaf, root]), Err(ChainError::LeafIsCa));
}

/// A CA may begin later and end earlier than its leaf.
#[test]
fn all_certificates_must_be_valid_together() {
    let validity = |years: [(u8, u8); 3]| {
        let mut specs = [
            Spec::leaf("a"),
            Spec::ca("root", "a", None),
            Spec::ca("root", "root", None),
        ];
        for (spec, years) in specs.iter_mut().zip(years) {
            spec.years = years;
        }
        let ders = specs.map(|spec| spec.der());
        let ders: Vec<&[u8]> = ders.iter().map(Vec::as_slice).collect();
        Chain::order(&ders).expect("a chain").validity()
    };
    let first_of = |year: u64| {
        let days = (year - 1970) * 365 + (year - 1969) / 4;
        UnixTime::from_secs(days * 86_400).expect("a moment")
    };
    let expected = |from, last_to_begin, to, first_to_end| Validity {
        not_before: first_of(from),
        last_to_begin,
        not_after: first_of(to),
        first_to_end,
    };
    for (years, expected) in [
        ([(26, 30), (20, 40), (20, 45)], expected(2026, 0, 2030, 0)),
        ([(26, 30), (27, 40), (20, 45)], expected(2027, 1, 2030, 0)),
        ([(26, 30), (20, 28), (20, 45)], expected(2026, 0, 2028, 1)),
        ([(26, 30), (20, 40), (29, 45)], expected(2029, 2, 2030, 0)),
        ([(26, 30), (27, 29), (28, 28)], expected(2028, 2, 2028, 2)),
    ] {
        let validity = validity(years);
        assert_eq!(validity, expected, "{years:?}");
        let (from, to) = (validity.not_before, validity.not_after);
        assert_eq!(validity.check(from), Ok(()));
        assert_eq!(validity.check(to), Ok(()));
        let position = validity.last_to_begin;
        let (now, not_before) = (from.saturating_sub(1), from);
        let early = ClockError::NotYetValid {
            now,
            not_before,
            position,
        };
        assert_eq!(validity.check(now), Err(early));
        let position = validity.first_to_end;
        let (now, not_after) = (to.saturating_add(1), to);
        let late = ClockError::Expired {
            now,
            not_after,
            position,
        };
        assert_eq!(validity.check(now), Err(late));
    }
}

/// An anchor counts if it is in the chain, or if it is a CA with the issuer's name and key.
#[test]
fn anchors() {
    struct No;

    impl VerifyLink for No {
        fn verify(&self, _: &Certificate<'_>, _: &Certificate<'_>) -> Result<(), LinkError> {
            Err(LinkError::BadSignature)
        }
    }

    let ders = [Spec::leaf("a").der(), Spec::ca("root", "a", None).der()];
    let chain = Chain::order(&[&ders[0], &ders[1]]).expect("a chain");
    let anchor = Spec::ca("root", "root", None).der();
    assert!(chain.is_anchored_by(&[&anchor], &Yes));
    assert!(
        !chain.is_anchored_by(&[&anchor], &No),
        "the name, and another key"
    );
    let other = Spec::ca("other", "other", None).der();
    assert!(!chain.is_anchored_by(&[&other], &Yes), "another name");
    let no_ca = Spec {
        subject: "root",
        ..Spec::leaf("root")
    };
    assert!(!chain.is_anchored_by(&[&no_ca.der()], &Yes), "no CA");
    assert!(!chain.is_anchored_by(&[b"no certificate"], &Yes));
    assert!(!chain.is_anchored_by(&[], &Yes));
    for der in &ders {
        assert!(chain.is_anchored_by(&[&other, der], &No), "in the chain");
    }
}
