//! What a proof takes besides signatures.

use std::vec;
use std::vec::Vec;

use super::{
    Certificate, Chain, ChainError, LinkError, Spec, VerifyLink, Yes, basic_constraints, cert_sign,
    extension, proved, proved_by, tlv,
};
use crate::cert::clock::check_clock_is_set;
use crate::cert::{ClockError, KeyUsage, KeyUsages, Validity};
use crate::limits::CLOCK_FLOOR;
use crate::time::UnixTime;

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

/// A leaf that says what it is for must be for signatures of some kind.
#[test]
fn a_leaf_of_another_purpose_is_refused() {
    let seals = crate::scheme::ISHARE.rules();
    let check = |purposes: &[u8]| {
        let oid = |last: &u8| tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 3, *last]);
        let purposes: Vec<_> = purposes.iter().flat_map(oid).collect();
        let leaf = Spec::leaf("root").with(extension(37, true, &tlv(0x30, &purposes)));
        seals.check_leaf_purpose(Some(&Certificate::from_der(&leaf.der()).unwrap()))
    };
    // A server, code, time stamps, OCSP.
    for other in [1, 3, 8, 9] {
        let refused = check(&[other]);
        assert!(
            matches!(refused, Err(ChainError::LeafPurpose { .. })),
            "{other}"
        );
        assert_eq!(check(&[other, 4]), Ok(()), "and mail");
    }
    let plain = Spec::leaf("root").der();
    let plain = Certificate::from_der(&plain).unwrap();
    assert_eq!(seals.check_leaf_purpose(Some(&plain)), Ok(()));
}

#[test]
fn a_usage_twice_is_one_and_the_first_second_of_the_clock_counts() {
    let twice = [KeyUsage::NonRepudiation, KeyUsage::NonRepudiation];
    let usages: KeyUsages = twice.into_iter().collect();
    assert!(usages.has(KeyUsage::NonRepudiation) && !usages.has(KeyUsage::CrlSign));
    let at = |seconds| check_clock_is_set(UnixTime::from_secs(seconds).unwrap());
    assert_eq!(at(CLOCK_FLOOR), Ok(()));
    assert!(at(CLOCK_FLOOR - 1).is_err());
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
        // Of several that begin or end together, the first is named.
        ([(26, 30), (26, 30), (26, 30)], expected(2026, 0, 2030, 0)),
        ([(20, 45), (26, 30), (26, 30)], expected(2026, 1, 2030, 1)),
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
