//! What a key must be, from outside: the options of every command that takes one, and what `keys` says of a
//! key whose certificate is not good for it.

use privyseal_test_pki::{CertificateSpec, TestPki, Usage, Validity, test_key};
use privyseal_test_suite::softhsm::SoftHsmToken;
use serde_json::Value;

use crate::{output, printed};

fn listed(token: &SoftHsmToken, label: &str, more: &[&str]) -> Value {
    let uri = token.uri(label);
    let arguments = [&["keys", "--json", "--key", &uri], more].concat();
    let report: Value = serde_json::from_str(&printed(token, &arguments)).unwrap();
    let keys = report["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1, "{report}");
    keys[0].clone()
}

fn notes(key: &Value) -> String {
    key["notes"].to_string()
}

#[test]
fn an_extractable_or_a_small_key_is_refused_on_demand() {
    let token = SoftHsmToken::new("T");
    let generate = [
        "--keypairgen",
        "--key-type",
        "rsa:2048",
        "--id",
        "01",
        "--label",
        "K",
    ];
    let kind = ["--usage-sign", "--sensitive", "--extractable"];
    token.pkcs11_tool(&[&generate[..], &kind].concat());
    let chain = TestPki::new().chain(&token.public_key("01"), &CertificateSpec::seal());
    token.store_chain(&chain, "01");
    let uri = token.uri("K");
    let sign = ["sign", "--scheme", "ishare", "--audience", "EU.EORI.NL1"];
    let sign = [&sign[..], &["--key", &uri]].concat();
    printed(&token, &sign);
    assert_eq!(listed(&token, "K", &[])["fit"], true);
    for (demand, reason) in [
        (&["--refuse-extractable"][..], "CKA_EXTRACTABLE"),
        (&["--min-key-bits", "3072"], "3072"),
    ] {
        let refused = output(&token, &[&sign[..], demand].concat());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(3), "{said}");
        assert!(refused.stdout.is_empty() && said.contains(reason), "{said}");
        let key = listed(&token, "K", demand);
        assert_eq!(key["fit"], false, "{key}");
        assert!(notes(&key).contains(reason), "{key}");
    }
}

#[test]
fn a_key_must_have_a_certificate_on_demand() {
    let token = SoftHsmToken::new("T");
    token.generate_key(2048, "01", "K");
    assert_eq!(listed(&token, "K", &[])["fit"], true);
    let key = listed(&token, "K", &["--require-certificate"]);
    assert_eq!(key["fit"], false, "{key}");
    assert!(notes(&key).contains("certificate"), "{key}");
}

#[test]
fn a_key_is_as_good_as_its_best_certificate() {
    let key = test_key("seal", 2048);
    let token = SoftHsmToken::new("T");
    token.import_key(&key, "01", "K");
    let pki = TestPki::new();
    let mut old = CertificateSpec::seal();
    old.validity = Validity {
        not_before: 1_600_000_000,
        not_after: 1_700_000_000,
    };
    let leaf = |spec: &CertificateSpec| pki.chain(&key.spki_der(), spec).remove(0);
    token.store_certificate(&leaf(&old), "01", "K");
    let judged = listed(&token, "K", &[]);
    assert_eq!(judged["fit"], false, "{judged}");
    assert!(
        notes(&judged).contains("its certificate expired at 2023-11-14"),
        "{judged}"
    );

    let mut server = CertificateSpec::seal();
    server.key_usage = Some(vec![Usage::KeyEncipherment]);
    token.store_certificate(&leaf(&server), "01", "K");
    assert_eq!(listed(&token, "K", &[])["fit"], true, "no scheme, no usage");
    let judged = listed(&token, "K", &["--scheme", "fiam"]);
    assert_eq!(judged["fit"], false, "{judged}");
    assert!(
        notes(&judged).contains("its certificate does not fit KPN FIAM"),
        "{judged}"
    );

    token.store_certificate(&leaf(&CertificateSpec::seal()), "01", "K");
    assert_eq!(listed(&token, "K", &["--scheme", "fiam"])["fit"], true);
}

#[test]
fn a_key_of_another_kind_has_no_such_attributes() {
    let token = crate::token();
    let uri = "device:unix:/nonexistent";
    for command in ["keys", "doctor", "jwks"] {
        let refused = output(&token, &[command, "--key", uri, "--refuse-extractable"]);
        let said = [refused.stdout, refused.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("is for keys on tokens"), "{command}: {said}");
        assert!(!refused.status.success(), "{command}: {said}");
    }
}
