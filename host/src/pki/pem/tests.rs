use super::*;

const WANTED: Wanted = Wanted {
    label: "X",
    name: "thing",
};
const ONE: &str = "-----BEGIN X-----\nMAA=\n-----END X-----\n";

#[test]
fn lines_of_64_characters() {
    for len in [0, 1, 47, 48, 49, 96, 100] {
        let pem = encode("X", &vec![0; len]);
        let lines: Vec<_> = pem.lines().collect();
        assert_eq!(
            (lines[0], lines[lines.len() - 1]),
            ("-----BEGIN X-----", "-----END X-----")
        );
        let body = &lines[1..lines.len() - 1];
        assert_eq!(Base64::decode_vec(&body.concat()).unwrap(), vec![0; len]);
        let full = body.len().saturating_sub(1);
        assert!(body.iter().take(full).all(|line| line.len() == 64), "{pem}");
        assert!(
            body.iter().all(|line| (1..=64).contains(&line.len())),
            "{pem}"
        );
        assert_eq!(*blocks(pem.as_bytes()).unwrap()[0].der, vec![0; len]);
    }
}

/// However people's tools write it, no block is passed over.
#[test]
fn every_block_is_read() {
    let indented = ONE.replace('\n', "\n    ");
    for text in [
        format!("{ONE}{ONE}"),
        format!("\u{feff}{ONE}{ONE}"),
        format!("  {indented}{ONE}"),
        format!("{ONE}{ONE}").replace('\n', "\r\n"),
        format!("{}{ONE}", ONE.trim_end()),
        format!("{}{ONE}", ONE.trim_end().trim_end_matches('-')),
        format!("{}--{}", ONE.trim_end(), ONE.trim_start_matches('-')),
        format!("subject=x\n{ONE}issuer=y -----\n{ONE}end"),
        format!("{ONE}{ONE}").replace("MAA=", "MA\nA="),
    ] {
        let read = read(text.as_bytes(), WANTED).unwrap();
        assert_eq!(read, [[0x30, 0], [0x30, 0]], "{text}");
    }
    let latin_1 = [b"\xe9\n", ONE.as_bytes()].concat();
    assert_eq!(read(&latin_1, WANTED).unwrap(), [[0x30, 0]]);
    assert_eq!(read(&[0x30, 0], WANTED).unwrap(), [[0x30, 0]]);
}

#[test]
fn or_the_file_is_refused() {
    for (second, fault) in [
        ("-----BEGIN X-----\nMAA=\n", PemError::CutOff),
        ("-----BEGIN X", PemError::CutOff),
        (
            "-----BEGIN\nX-----\nMAA=\n-----END\nX-----",
            PemError::CutOff,
        ),
        ("-----BEGINX-----\nMAA=\n-----ENDX-----", PemError::CutOff),
        (
            "-----BEGIN X-----\nMAA=\n-----END Y-----\n",
            PemError::CutOff,
        ),
        (
            "-----BEGIN X-----\nM*A=\n-----END X-----",
            PemError::NotBase64,
        ),
        (
            "-----BEGIN X-----\nMAA\n-----END X-----",
            PemError::NotBase64,
        ),
        (
            "-----BEGIN X-----\nMAA=MAA=\n-----END X-----",
            PemError::NotBase64,
        ),
        (
            "-----BEGIN Y-----\nMAA=\n-----END Y-----",
            PemError::Label {
                label: "Y".into(),
                wanted: "X",
            },
        ),
        (
            "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----",
            PemError::PrivateKey,
        ),
        (
            "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----",
            PemError::Pkcs7("thing"),
        ),
    ] {
        let content = format!("{ONE}{second}");
        assert_eq!(read(content.as_bytes(), WANTED), Err(fault), "{second}");
    }
    assert_eq!(read(b"hello", WANTED), Err(PemError::Nothing("thing")));
}

#[test]
fn containers_are_recognised() {
    let little: Vec<u8> = ONE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = ["\u{feff}", ONE]
        .concat()
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for (content, fault) in [
        (&little[..], PemError::Utf16),
        (&big[..], PemError::Utf16),
        (b"\x30\x0b\x06\x09\x2a\x86\x48", PemError::Pkcs7("thing")),
        (b"\x30\x80\x06\x09\x2a\x86\x48", PemError::Pkcs7("thing")),
        (
            b"\x30\x82\x01\x00\x02\x01\x03\x30",
            PemError::Pkcs12("thing"),
        ),
        (b"\x30\x82\x01\x00\x02\x01\x00\x30", PemError::PrivateKey),
    ] {
        assert_eq!(read(content, WANTED), Err(fault));
    }
}

#[test]
fn the_certificates_and_lists_of_a_pkcs7_container_are_read() {
    let element =
        |tag: u8, value: &[u8]| [&[tag, u8::try_from(value.len()).unwrap()], value].concat();
    let kind = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    let signed_with = |sets: &[u8]| {
        let parts = [b"\x02\x01\x01\x31\x00\x30\x00", sets, b"\x31\x00"];
        let content = element(0xa0, &element(0x30, &parts.concat()));
        element(0x30, &[kind, &content[..]].concat())
    };
    let signed = |certificates: &[u8]| signed_with(&element(0xa0, certificates));
    let wanted = Wanted {
        label: "CERTIFICATE",
        name: "certificate",
    };
    let lists = Wanted {
        label: "X509 CRL",
        name: "revocation list",
    };
    let der = signed(b"\x30\x00\x30\x01\x00");
    assert_eq!(read(&der, lists), Err(PemError::Pkcs7("revocation list")));
    let with_list = signed_with(b"\xa0\x02\x30\x00\xa1\x03\x30\x01\x00");
    assert_eq!(read(&with_list, lists), Ok(vec![b"\x30\x01\x00".to_vec()]));
    let both = vec![b"\x30\x00".to_vec(), b"\x30\x01\x00".to_vec()];
    assert_eq!(read(&der, wanted), Ok(both.clone()));
    let pem = encode("PKCS7", &der) + "\n" + &encode("CERTIFICATE", b"\x30\x00");
    assert_eq!(read(pem.as_bytes(), wanted).map(|found| found.len()), Ok(3));
    // Where lists are wanted, one that holds no certificate, one with something else among them, one that is cut off.
    assert_eq!(read(&der, WANTED), Err(PemError::Pkcs7("thing")));
    for bad in [
        &signed(b"")[..],
        &signed(b"\x30\x00\x04\x00"),
        &der[..der.len() - 1],
    ] {
        assert_eq!(read(bad, wanted), Err(PemError::Pkcs7("certificate")));
    }
}
