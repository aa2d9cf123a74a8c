use std::format;
use std::string::String;
use std::vec::Vec;

use super::subject::SubjectAttributeType as Type;
use super::*;
use crate::encoding::sink::SliceSink;
use crate::field::Fault;
use crate::limits::{MAX_CERTIFICATION_REQUEST, MAX_SUBJECT_ATTRIBUTES, MAX_SUBJECT_VALUE};
use crate::rsa::SignatureError;

fn key(bytes: usize) -> RsaPublicKey {
    RsaPublicKey::from_components(&std::vec![0xc3; bytes], &[1, 0, 1]).unwrap()
}

fn written(info: &CertificationRequestInfo<'_>) -> Vec<u8> {
    let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
    let mut sink = SliceSink::new(&mut buffer);
    info.write_to(&mut sink).unwrap();
    sink.finish().unwrap().to_vec()
}

fn attribute(kind: Type, value: &str) -> SubjectAttribute<'_> {
    SubjectAttribute::new(kind, value).unwrap()
}

/// RFC 2986 section 4.1, byte by byte.
#[test]
fn the_bytes_of_a_request() {
    let subject = Subject::new(&[
        attribute(Type::Country, "NL"),
        attribute(Type::CommonName, "A"),
    ]);
    let subject = subject.unwrap();
    let usages = KeyUsages::from_iter([KeyUsage::NonRepudiation]);
    let info = CertificationRequestInfo::new(&subject, usages, &key(256)).unwrap();
    let der = written(&info);

    let name: &[u8] = b"\x30\x19\
        \x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02NL\
        \x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01A";
    let version: &[u8] = &[2, 1, 0];
    let attributes: &[u8] = b"\xa0\x21\x30\x1f\
        \x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\
        \x31\x12\x30\x10\x30\x0e\
        \x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x06\x40";
    assert!(der.starts_with(&[&[0x30, 0x82][..], &der[2..4], version, name].concat()));
    assert!(der.ends_with(attributes), "{:02x?}", &der[der.len() - 40..]);
    assert_eq!(info.digest(), &<[u8; 32]>::from(Sha256::digest(&der)));
    assert_eq!(info.digest_info()[19..], info.digest()[..]);
}

#[test]
fn no_usage_is_an_empty_set_of_attributes() {
    let subject = Subject::new(&[attribute(Type::CommonName, "A")]).unwrap();
    let info = CertificationRequestInfo::new(&subject, KeyUsages::default(), &key(256)).unwrap();
    assert!(written(&info).ends_with(&[0xa0, 0]));
}

#[test]
fn only_usages_of_signing_are_asked_for() {
    let subject = Subject::new(&[attribute(Type::CommonName, "A")]).unwrap();
    for usage in KeyUsage::ALL {
        let info =
            CertificationRequestInfo::new(&subject, [usage].into_iter().collect(), &key(256));
        let signs = matches!(usage, KeyUsage::DigitalSignature | KeyUsage::NonRepudiation);
        match info {
            Ok(_) => assert!(signs, "{usage}"),
            Err(Error::Field(error)) => {
                assert!(!signs, "{usage}");
                assert_eq!(error.field, Field::KeyUsage);
            }
            Err(error) => panic!("{usage}: {error}"),
        }
    }
}

#[test]
fn a_signature_that_is_none_releases_nothing() {
    let subject = Subject::new(&[attribute(Type::CommonName, "A")]).unwrap();
    let info = CertificationRequestInfo::new(&subject, KeyUsages::default(), &key(256)).unwrap();
    let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
    for (signature, error) in [
        (&[0; 256][..], SignatureError::Invalid),
        (
            &[0; 255],
            SignatureError::Length {
                len: 255,
                expected: 256,
            },
        ),
    ] {
        let refused = info.attach(signature, &mut buffer).unwrap_err();
        assert_eq!(refused, Error::Signature(error));
        assert!(buffer.iter().all(|&byte| byte == 0));
    }
}

/// The largest subject, the largest key: the signed request is the info, 15 bytes of algorithm, and a
/// signature of 512 bytes with 5 of its own, in 4 of an outer header.
#[test]
fn the_maximum_suffices() {
    let value: String = "\u{1f511}".repeat(MAX_SUBJECT_VALUE);
    let unit = attribute(Type::OrganizationalUnit, &value);
    let subject = Subject::new(&[unit; MAX_SUBJECT_ATTRIBUTES]).unwrap();
    let usages = [KeyUsage::DigitalSignature, KeyUsage::NonRepudiation]
        .into_iter()
        .collect();
    let info = CertificationRequestInfo::new(&subject, usages, &key(512)).unwrap();
    let whole = written(&info).len() + 15 + 5 + 512 + 4;
    assert!(whole <= MAX_CERTIFICATION_REQUEST, "{whole}");

    let error = SubjectAttribute::new(Type::CommonName, &format!("{value}x")).unwrap_err();
    assert_eq!(
        error.fault,
        Fault::TooLong {
            len: 65,
            max: MAX_SUBJECT_VALUE
        }
    );
    let error = Subject::new(&[unit; MAX_SUBJECT_ATTRIBUTES + 1]).unwrap_err();
    assert_eq!(
        error.fault,
        Fault::TooLong {
            len: 9,
            max: MAX_SUBJECT_ATTRIBUTES
        }
    );
}

#[test]
fn wrong_subjects_are_refused() {
    for (kind, value) in [
        (Type::Country, "Netherlands"),
        (Type::Country, "nl"),
        (Type::Country, "N1"),
        (Type::SerialNumber, "EU_EORI"),
        (Type::CommonName, ""),
        (Type::CommonName, "a\nb"),
        (Type::Organization, "\u{0}"),
    ] {
        let error = SubjectAttribute::new(kind, value).unwrap_err();
        assert_eq!(error.field, Field::Subject, "{kind} {value:?}");
    }
    assert_eq!(Subject::new(&[]).unwrap_err().fault, Fault::Empty);
    let twice = [
        attribute(Type::CommonName, "A"),
        attribute(Type::CommonName, "B"),
    ];
    assert!(Subject::new(&twice).is_err());
    let units = [
        attribute(Type::OrganizationalUnit, "A"),
        attribute(Type::OrganizationalUnit, "B"),
    ];
    assert!(Subject::new(&units).is_ok());
}

#[test]
fn attribute_names() {
    for kind in SubjectAttributeType::ALL {
        assert_eq!(SubjectAttributeType::by_arc(kind.arc()), Some(kind));
    }
    assert_eq!(SubjectAttributeType::by_arc(0), None);
    let name = SubjectAttribute::new(SubjectAttributeType::CommonName, "A B").unwrap();
    assert_eq!(name.value(), "A B");
    for kind in Type::ALL {
        assert_eq!(Type::by_name_or_oid(kind.name()), Some(kind));
        assert_eq!(
            Type::by_name_or_oid(&format!("2.5.4.{}", kind.arc())),
            Some(kind)
        );
    }
    assert_eq!(Type::by_name_or_oid("cn"), Some(Type::CommonName));
    assert_eq!(Type::by_name_or_oid("emailAddress"), None);
    assert_eq!(Type::by_name_or_oid("2.5.4."), None);
}
