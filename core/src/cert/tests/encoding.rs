//! What is DER, and what is not.

use std::vec;
use std::vec::Vec;

use super::{CertificateError, Spec, basic_constraints, cert_sign, extension, read, sequence, tlv};

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
