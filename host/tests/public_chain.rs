//! The chain report on the public iSHARE test chain: what issue and standard say about it, at any moment
//! inside its dates. `now` is passed in, so nothing here expires.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use privyseal::report::{ChainCheckOptions, ChainReport, Verdict};
use privyseal::{Certificates, UnixTime, pki::party_id};
use privyseal_core::cert::Chain;
use privyseal_core::scheme::{FIAM, ISHARE};

const CHAIN: [&[u8]; 4] = [
    include_bytes!("../../host-tests/fixtures/ishare-test-chain/0-leaf.der"),
    include_bytes!("../../host-tests/fixtures/ishare-test-chain/1-issuing-ca.der"),
    include_bytes!("../../host-tests/fixtures/ishare-test-chain/2-sub-ca.der"),
    include_bytes!("../../host-tests/fixtures/ishare-test-chain/3-root-ca.der"),
];
/// 2026-06-01T00:00:00Z.
const INSIDE: u64 = 1_780_272_000;

fn report(chain: &Chain<'_>, now: u64) -> ChainReport {
    let mut options = ChainCheckOptions::at(UnixTime::from_secs(now).unwrap());
    options.scheme = Some(&ISHARE);
    ChainReport::new(chain, options)
}

fn certificates(positions: &[usize]) -> Certificates {
    Certificates::from(
        positions
            .iter()
            .map(|&at| CHAIN[at].to_vec())
            .collect::<Vec<_>>(),
    )
}

fn broken(report: &ChainReport) -> Vec<&str> {
    let broken = report
        .report
        .findings()
        .iter()
        .filter(|finding| finding.verdict == Verdict::Broken);
    broken
        .map(|finding| finding.text.as_deref().unwrap())
        .collect()
}

#[test]
fn it_says_whether_trust_was_judged() {
    let certificates = certificates(&[0, 1, 2, 3]);
    let chain = certificates.chain().unwrap();
    let mut options = ChainCheckOptions::at(UnixTime::from_secs(INSIDE).unwrap());
    let note = "trust is not judged: no trusted certificate is given";
    let forms = |options| {
        let report = ChainReport::new(&chain, options);
        let html = report.to_html().to_fragment();
        [report.to_string(), report.to_json().to_string(), html]
    };
    assert!(forms(options).iter().all(|form| form.contains(note)));
    assert!(forms(options)[2].starts_with("<article class=\"report open\">"));
    options.trust = Some(&certificates);
    let [text, json, html] = forms(options);
    assert!(text.starts_with("result    valid ("), "{text}");
    assert!(json.contains("\"valid\":true"), "{json}");
    assert!(
        html.starts_with("<article class=\"report passed\">"),
        "{html}"
    );
    assert!(
        !forms(options)
            .iter()
            .any(|form| form.contains("not judged"))
    );
}

#[test]
fn it_is_valid_and_says_who_it_is() {
    let certificates = certificates(&[2, 0, 3, 1]);
    let chain = certificates.chain().unwrap();
    let report = report(&chain, INSIDE);
    assert_eq!(broken(&report), [""; 0]);
    assert_eq!(
        report.party_id.as_ref().unwrap().as_str(),
        "did:ishare:EU.NL.NTRNL-10000001"
    );
    assert_eq!(
        party_id::derived(&ISHARE, &chain).unwrap().as_str(),
        "did:ishare:EU.NL.NTRNL-10000001"
    );
    let leaf = &report.certificates[0];
    assert_eq!(leaf.key_usages, Some(vec!["nonRepudiation"]));
    assert_eq!(
        leaf.x5t_s256_hex,
        "4670551451113b19425f8d63c3d6ce444b58de60831101748e9fb97b3e8766f8"
    );
    assert_eq!(leaf.x5t_s256, "RnBVFFEROxlCX41jw9bOREtY3mCDEQF0jp-5ez6HZvg");
    let keys: Vec<_> = report
        .certificates
        .iter()
        .map(|it| it.key.as_str())
        .collect();
    assert_eq!(keys, ["RSA-2048", "RSA-4096", "RSA-4096", "RSA-4096"]);

    let json = report.to_json();
    assert_eq!(json["valid"], serde_json::Value::Null);
    assert_eq!(json["party_id"], "did:ishare:EU.NL.NTRNL-10000001");
    assert_eq!(json["certificates"][0]["x5t#s256_hex"], leaf.x5t_s256_hex);
    assert!(
        report.to_string().starts_with(
            "result    no rule is broken; trust: not judged (iSHARE 2.1, at 2026-06-01T00:00:00Z)\n"
        ),
        "{report}"
    );
}

#[test]
fn every_date_that_is_broken_is_reported() {
    let certificates = certificates(&[0, 1, 2, 3]);
    let chain = certificates.chain().unwrap();
    // 2027-11-07 is the day after the leaf's last; 2060 is after everything.
    assert_eq!(broken(&report(&chain, 1_825_545_600)).len(), 1);
    assert_eq!(broken(&report(&chain, 2_840_140_800)).len(), 4);
    assert_eq!(broken(&report(&chain, 0)).len(), 4);
}

#[test]
fn without_its_root_it_is_not_complete() {
    let certificates = certificates(&[0, 1, 2]);
    let report = report(&certificates.chain().unwrap(), INSIDE);
    assert!(!report.is_complete);
    let broken = broken(&report);
    assert!(
        matches!(broken.as_slice(), [text] if text.contains("root")),
        "{broken:?}"
    );
}

#[test]
fn a_client_id_that_the_scheme_does_not_derive_is_asked_for() {
    let certificates = certificates(&[0, 1, 2, 3]);
    let error = party_id::derived(&FIAM, &certificates.chain().unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("KPN FIAM hands the client id out"),
        "{error}"
    );
}
