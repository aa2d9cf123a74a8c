//! What can be wrong with the certificates.

use privyseal_check::RuleId;
use privyseal_core::scheme;
use privyseal_test_judges::decode::to_base64;
use privyseal_test_pki::{Authority, CertificateSpec, Usage, test_key};
use serde_json::{Value, json};

use super::Mutation;
use crate::draft::Draft;
use crate::pki::{FROM, NOW, TO, chain, pki, seal, seal_chain};
use crate::reasons::why;

pub(super) const X5C: &[Mutation] = &[
    ("header-x5c", "missing", |draft| draft.header_without("x5c")),
    ("header-x5c", "a string", |draft| {
        draft.header["x5c"] = draft.header["x5c"][0].clone();
    }),
    ("header-x5c", "empty", |draft| {
        draft.header["x5c"] = json!([]);
    }),
    ("header-x5c", "a number in it", |draft| {
        draft.header["x5c"][1] = json!(1);
    }),
    ("x5c-encoding", "line breaks", |draft| {
        each(draft, |text| {
            text.as_bytes()
                .chunks(64)
                .map(|line| String::from_utf8_lossy(line) + "\n")
                .collect()
        });
    }),
    ("x5c-encoding", "base64url", |draft| {
        each(draft, |text| text.replace('+', "-").replace('/', "_"));
    }),
    ("x5c-encoding", "PEM", |draft| {
        each(draft, |text| {
            format!("-----BEGIN CERTIFICATE-----{text}-----END CERTIFICATE-----")
        });
    }),
    ("x5c-encoding", "not base64", |draft| {
        draft.header["x5c"][0] = json!("?");
    }),
    ("x5c-encoding", "too much padding", |draft| {
        each(draft, |text| text + "====");
    }),
    ("x5c-certificates", "no certificate", |draft| {
        draft.header["x5c"][0] = json!("AAAA");
    }),
    ("x5c-certificates", "cut off", |draft| {
        let der = &seal_chain()[0];
        draft.header["x5c"][0] = json!(to_base64(&der[..der.len() - 3]));
    }),
    ("x5c-certificates", "seven", |draft| {
        let one = draft.header["x5c"][0].clone();
        draft.header["x5c"] = json!([one, one, one, one, one, one, one]);
    }),
    ("x5c-order", "root first", |draft| {
        let reversed: Vec<_> = seal_chain().iter().rev().cloned().collect();
        draft.certificates(&reversed);
    }),
    ("x5c-order", "two exchanged", |draft| {
        let mut exchanged = seal_chain().to_vec();
        exchanged.swap(1, 2);
        draft.certificates(&exchanged);
    }),
    ("x5c-order", "one missing", |draft| {
        let mut gap = seal_chain().to_vec();
        gap.remove(1);
        draft.certificates(&gap);
    }),
    ("x5c-order", "one twice", |draft| {
        let mut twice = seal_chain().to_vec();
        twice.push(twice[3].clone());
        draft.certificates(&twice);
    }),
    ("x5c-chain", "an impostor's signature", |draft| {
        let spec = CertificateSpec::authority("Check Issuing CA", Some(0)).valid(FROM, TO);
        let impostor = Authority::root(test_key("stranger", 2048), spec);
        let mut forged = seal_chain().to_vec();
        forged[0] = impostor.issue(&crate::pki::key().spki_der(), &seal());
        draft.certificates(&forged);
    }),
    ("x5c-chain", "a leaf that is a CA", |draft| {
        draft.certificates(&chain(&CertificateSpec {
            ca: Some(true),
            ..seal()
        }));
    }),
    ("x5c-chain", "an issuer that is none", |draft| {
        let spec = CertificateSpec {
            ca: Some(false),
            ..CertificateSpec::authority("No CA", None)
        };
        draft.certificates(&below(spec));
    }),
    ("x5c-chain", "an issuer that may not", |draft| {
        let spec = CertificateSpec::authority("No CA", None).usage(&[Usage::CRLSign]);
        draft.certificates(&below(spec));
    }),
    ("x5c-root", "missing", |draft| {
        draft.certificates(&seal_chain()[..3]);
    }),
    ("x5c-dates", "expired", |draft| {
        draft.certificates(&chain(&seal().valid(FROM, NOW - 1)));
    }),
    ("x5c-dates", "for later", |draft| {
        draft.certificates(&chain(&seal().valid(NOW + 1, TO)));
    }),
    ("leaf-key-usage", "keyEncipherment", |draft| {
        draft.certificates(&chain(&seal().usage(&[Usage::KeyEncipherment])));
    }),
    ("leaf-key-usage", "absent", |draft| {
        draft.certificates(&chain(&CertificateSpec {
            key_usage: None,
            ..seal()
        }));
    }),
    ("leaf-purpose", "OCSPSigning", |draft| {
        draft.certificates(&chain(&seal().purposes(&["1.3.6.1.5.5.7.3.9"])));
    }),
    ("leaf-purpose", "timeStamping", |draft| {
        draft.certificates(&chain(&seal().purposes(&["1.3.6.1.5.5.7.3.8"])));
    }),
    ("leaf-purpose", "a TLS server", |draft| {
        draft.certificates(&chain(&seal().purposes(&["1.3.6.1.5.5.7.3.1"])));
    }),
    ("x5c-encoding", "stray bits", |draft| {
        each(draft, stray_bits);
    }),
    ("key-size", "RSA-1024", |draft| {
        draft.key = test_key("small", 1024);
        let chain = pki().chain(&draft.key.spki_der(), &seal());
        draft.certificates(&chain);
    }),
    ("chain-trusted", "another root", |draft| {
        let spec = CertificateSpec::authority("Another Root CA", None).valid(FROM, TO);
        draft.anchors = Some(vec![
            Authority::root(test_key("stranger", 2048), spec).certificate,
        ]);
    }),
    ("chain-trusted", "a root of the same name", |draft| {
        let spec = CertificateSpec::authority("Check Root CA", None).valid(FROM, TO);
        draft.anchors = Some(vec![
            Authority::root(test_key("stranger", 2048), spec).certificate,
        ]);
    }),
];

/// Whose key usage iSHARE 2.1 wants "equal to Non-Repudiation".
pub(super) const DIGITAL_SIGNATURE_ALONE: Mutation =
    ("leaf-key-usage", "digitalSignature alone", |draft| {
        draft.certificates(&chain(&seal().usage(&[Usage::DigitalSignature])));
    });

#[test]
fn x5c_encoding_says_what_is_wrong() {
    type Rewrite = fn(String) -> String;
    let rewrites: [(Rewrite, &str); 6] = [
        (|text| text + "\n", "has base64 with line breaks or spaces"),
        (
            |text| text.replace('+', "-").replace('/', "_"),
            "has base64url, where standard base64 belongs (RFC 7515 section 4.1.6)",
        ),
        (
            |text| text.trim_end_matches('=').to_owned(),
            "has base64 without the padding of RFC 4648 section 4",
        ),
        (
            |text| text + "====",
            "has base64 without the padding of RFC 4648 section 4",
        ),
        (
            stray_bits,
            "has base64 whose last digit has bits of no byte (RFC 4648 section 3.5)",
        ),
        (|_| "?".into(), "has a string that is not base64"),
    ];
    for (rewrite, said) in rewrites {
        let mut draft = Draft::of(&scheme::ISHARE);
        each(&mut draft, rewrite);
        assert_eq!(why(&draft.report(), RuleId::X5cEncoding), said);
    }
}

/// The last digit before the padding with bits that stand for nothing (RFC 4648 section 3.5).
fn stray_bits(text: String) -> String {
    let body = text.trim_end_matches('=');
    let Some(last) = body.chars().last().filter(|_| body.len() < text.len()) else {
        return text;
    };
    let other = char::from_u32(u32::from(last) + 1).expect("a character");
    format!("{}{other}{}", &body[..body.len() - 1], &text[body.len()..])
}

/// Rewrites every string of x5c.
fn each(draft: &mut Draft, rewrite: impl Fn(String) -> String) {
    let Value::Array(strings) = &mut draft.header["x5c"] else {
        panic!("x5c")
    };
    for string in strings {
        *string = json!(rewrite(string.as_str().expect("a string").to_owned()));
    }
}

/// A chain whose issuing CA has this spec.
fn below(issuing: CertificateSpec) -> Vec<Vec<u8>> {
    let issuing = pki()
        .sub
        .subordinate(test_key("issuing", 2048), issuing.valid(FROM, TO));
    let leaf = issuing.issue(&crate::pki::key().spki_der(), &seal());
    vec![
        leaf,
        issuing.certificate,
        pki().sub.certificate.clone(),
        pki().root.certificate.clone(),
    ]
}
