//! What certificates make a chain, and in what order.

use std::vec;
use std::vec::Vec;

use super::{
    Certificate, CertificateError, Chain, ChainError, LinkError, Spec, VerifyLink, Yes, extension,
    proved, tlv,
};
use crate::cert::{BasicConstraints, KeyUsage, KeyUsages, Name};
use crate::limits::{MAX_CERTIFICATES, MAX_CHAIN_DER};

const NAMES: [&str; 8] = ["root", "a", "b", "c", "d", "e", "f", "g"];

/// A chain of that many certificates, leaf first.
#[allow(clippy::arithmetic_side_effects, reason = "a small number")]
fn chain(count: usize) -> Vec<Vec<u8>> {
    let mut specs = vec![Spec::ca("root", "root", None)];
    for pair in NAMES[..count - 1].windows(2) {
        specs.push(Spec::ca(pair[0], pair[1], None));
    }
    specs.push(Spec::leaf(NAMES[count - 2]));
    specs.iter().rev().map(Spec::der).collect()
}

fn borrowed(ders: &[Vec<u8>]) -> Vec<&[u8]> {
    ders.iter().map(Vec::as_slice).collect()
}

#[test]
fn any_order_becomes_the_one() {
    let ders = chain(4);
    let expected = borrowed(&ders);
    for first in 0..4 {
        for step in [1, 3] {
            let given: Vec<_> = (0..4).map(|n| expected[(first + n * step) % 4]).collect();
            let chain = Chain::order(&given).expect("a chain");
            let found: Vec<_> = chain
                .certificates()
                .iter()
                .map(Certificate::as_der)
                .collect();
            assert_eq!(found, expected);
            assert_eq!(chain.leaf().map(Certificate::as_der), Some(expected[0]));
        }
    }
    let in_order = Chain::in_order(&expected).expect("a chain");
    assert!(in_order.has_root() && in_order.is_named_in_order(&Yes));
    let wrong = Chain::in_order(&[expected[1], expected[0]]).expect("readable");
    assert!(!wrong.has_root() && !wrong.is_named_in_order(&Yes));
}

#[test]
fn what_is_no_chain_is_named_by_its_place() {
    let ders = chain(3);
    let given = borrowed(&ders);
    let refused = |given: &[&[u8]]| Chain::order(given).map(|_| ()).expect_err("no chain");
    assert_eq!(refused(&[]), ChainError::Empty);
    let stranger = Spec::ca("x", "y", None).der();
    for position in 0..3 {
        let mut twice = given.clone();
        twice.push(given[position]);
        assert_eq!(refused(&twice), ChainError::Duplicate { position: 3 });
        let mut malformed = given.clone();
        malformed[position] = b"\x30\x00";
        let error = refused(&malformed);
        assert!(
            matches!(error, ChainError::Certificate { position: at, error: CertificateError::Malformed { .. } } if at == position),
            "{error}"
        );
        let mut strange = given.clone();
        strange.insert(position, &stranger);
        assert!(matches!(refused(&strange), ChainError::Unrelated { .. }));
    }
    assert_eq!(
        refused(&[given[0], given[2]]),
        ChainError::Unrelated { position: 1 }
    );
    // Each issued the other: a circle.
    let circle = [
        Spec::ca("a", "b", None).der(),
        Spec::ca("b", "a", None).der(),
    ];
    assert_eq!(
        refused(&borrowed(&circle)),
        ChainError::Unrelated { position: 0 }
    );
    // A leaf that signed itself is a chain.
    let alone = Spec {
        subject: "alone",
        ..Spec::leaf("alone")
    }
    .der();
    assert!(Chain::order(&[&alone]).expect("a chain").has_root());
}

#[test]
fn a_chain_at_its_limits_works_and_one_more_is_refused() {
    let most = chain(MAX_CERTIFICATES);
    assert!(Chain::order(&borrowed(&most)).is_ok());
    let count = MAX_CERTIFICATES + 1;
    let error = Chain::order(&borrowed(&chain(count))).map(|_| ());
    assert_eq!(error, Err(ChainError::TooMany { count }));

    let of_len = |len: usize| {
        let root = Spec::ca("root", "root", None).der();
        let padded = |bytes: usize| {
            Spec::leaf("root")
                .with(extension(99, false, &vec![0; bytes]))
                .der()
        };
        let padding = len - root.len() - padded(8000).len() + 8000;
        [padded(padding), root]
    };
    assert!(Chain::order(&borrowed(&of_len(MAX_CHAIN_DER))).is_ok());
    let len = MAX_CHAIN_DER + 1;
    let error = Chain::order(&borrowed(&of_len(len))).map(|_| ());
    assert_eq!(error, Err(ChainError::TooLong { len }));
}

/// Says yes, but not to this issuer.
struct Doubts(&'static str);

impl VerifyLink for Doubts {
    fn verify(&self, _: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), LinkError> {
        let doubted = issuer.subject().common_name() == Some(self.0);
        if doubted {
            Err(LinkError::BadSignature)
        } else {
            Ok(())
        }
    }
}

#[test]
fn each_signature_counts_that_of_the_root_too() {
    let specs = [
        Spec::leaf("a"),
        Spec::ca("root", "a", None),
        Spec::ca("root", "root", None),
    ];
    let error = LinkError::BadSignature;
    let doubted = |name| super::proved_by(&specs, &Doubts(name));
    assert_eq!(doubted("nobody"), Ok(()));
    assert_eq!(doubted("a"), Err(ChainError::Link { position: 0, error }));
    assert_eq!(
        doubted("root"),
        Err(ChainError::Link { position: 1, error })
    );
    // Below its root a chain may end.
    assert_eq!(proved(&specs[..2]), Ok(()));
    let ders = specs.each_ref().map(Spec::der);
    let unordered = Chain::in_order(&[&ders[0], &ders[2]]).expect("readable");
    let unrelated = Err(ChainError::Unrelated { position: 0 });
    assert_eq!(unordered.prove_at(0, &Yes), unrelated);
    assert_eq!(unordered.prove_at(2, &Yes), Ok(()), "there is none");
}

/// The root's own signature, where nothing else is by its key.
#[test]
fn the_signature_of_a_root_alone_counts() {
    struct OnlyItself;
    impl VerifyLink for OnlyItself {
        fn verify(
            &self,
            subject: &Certificate<'_>,
            issuer: &Certificate<'_>,
        ) -> Result<(), LinkError> {
            if subject == issuer {
                Err(LinkError::BadSignature)
            } else {
                Ok(())
            }
        }
    }
    let alone = [Spec::leaf("root"), Spec::ca("root", "root", None)];
    let error = LinkError::BadSignature;
    assert_eq!(
        super::proved_by(&alone, &OnlyItself),
        Err(ChainError::Link { position: 1, error })
    );
}

#[test]
fn extensions_say_what_they_say() {
    let usages = |bits: &[u8]| {
        let spec = Spec {
            extensions: vec![extension(15, true, bits)],
            ..Spec::leaf("ca")
        };
        let der = spec.der();
        let certificate = Certificate::from_der(&der).expect("DER");
        certificate.key_usages().expect("key usage")
    };
    let all: KeyUsages = KeyUsage::ALL.into_iter().collect();
    assert_eq!(usages(&[3, 3, 7, 0xff, 0x80]), all);
    for (number, usage) in KeyUsage::ALL.into_iter().enumerate() {
        let one = KeyUsages::from_iter([usage]);
        assert!(one.has(usage) && one.iter().eq([usage]), "{usage}");
        assert!(
            KeyUsage::ALL
                .into_iter()
                .filter(|&other| one.has(other))
                .eq([usage])
        );
        let bits = 0x8000_u16 >> number;
        let [high, low] = bits.to_be_bytes();
        assert_eq!(usages(&[3, 3, 7, high, low]), one, "{usage}");
    }
    let constraints = |value: &[u8]| {
        let spec = Spec {
            extensions: vec![extension(19, true, value)],
            ..Spec::leaf("ca")
        };
        let der = spec.der();
        let read = Certificate::from_der(&der);
        read.map(|it| it.basic_constraints().expect("basic constraints"))
    };
    let said = |ca, path_len| Ok(BasicConstraints { ca, path_len });
    assert_eq!(constraints(&[0x30, 0]), said(false, None));
    assert_eq!(constraints(&[0x30, 3, 1, 1, 0xff]), said(true, None));
    assert_eq!(
        constraints(&[0x30, 6, 1, 1, 0xff, 2, 1, 7]),
        said(true, Some(7))
    );
    assert_eq!(
        constraints(&[0x30, 7, 1, 1, 0xff, 2, 2, 1, 0]),
        said(true, None),
        "256 is no limit"
    );
    assert!(
        constraints(&[0x30, 6, 1, 1, 0xff, 4, 1, 7]).is_err(),
        "no INTEGER"
    );
    assert!(
        constraints(&[0x30, 3, 1, 1, 0xff, 5, 0]).is_err(),
        "an element behind it"
    );
    let purposes = |value: &[u8]| {
        let der = Spec::leaf("ca").with(extension(37, false, value)).der();
        Certificate::from_der(&der).map(|it| it.extended_key_usages().count())
    };
    assert_eq!(
        purposes(&[0x30, 10, 6, 3, 0x55, 0x1d, 0x25, 6, 3, 0x55, 0x1d, 0x26]),
        Ok(2)
    );
    assert!(purposes(&[0x30, 7, 6, 3, 0x55, 0x1d, 0x25, 5, 0]).is_err());
    assert!(
        purposes(&[0x30, 5, 6, 3, 0x55, 0x1d, 0x25, 5, 0]).is_err(),
        "an element behind it"
    );
}

#[test]
fn names_give_their_attributes() {
    let attribute = |arc: u8, tag: u8, text: &str| {
        let pair = tlv(
            0x30,
            &[&[6, 3, 0x55, 4, arc], &tlv(tag, text.as_bytes())[..]].concat(),
        );
        tlv(0x31, &pair)
    };
    let name = [
        attribute(5, 0x13, "EU.EORI.NL1"),
        attribute(3, 0x0c, "seal"),
        attribute(97, 0x16, "NTRNL-1"),
        attribute(3, 0x0c, "another"),
    ];
    let der = tlv(0x30, &name.concat());
    let name = Name::new(&der);
    assert_eq!(name.as_der(), der);
    assert_eq!(name.common_name(), Some("seal"), "the first");
    assert_eq!(name.serial_number(), Some("EU.EORI.NL1"));
    assert_eq!(name.organization_identifier(), Some("NTRNL-1"));
    // A BMPString is not read here.
    let other = tlv(0x30, &attribute(3, 0x1e, "\0s"));
    assert_eq!(Name::new(&other).common_name(), None);
    assert_eq!(Name::new(&tlv(0x30, &[])).common_name(), None);
    assert_eq!(Name::new(&[5, 0]).common_name(), None);
}
