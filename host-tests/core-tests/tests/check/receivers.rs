//! The receiver view: which real receivers would refuse, and for which of their demands.

use privyseal_check::receivers::{ALL, Demand};
use privyseal_core::cert::KeyUsage;
use privyseal_core::scheme;
use privyseal_test_pki::{Usage, test_key};
use serde_json::json;

use crate::draft::{Draft, EORI};
use crate::pki::{chain, pki, seal};

const AR: &str = "iSHARE AuthorizationRegistry";
const POORT8: &str = "Poort8.Ishare.Core";
const BDI: &str = "bdi-stack";
const PYSHARE: &str = "pyshare";
const KEYCLOAK: &str = "Keycloak";
const NODE: &str = "node-oidc-provider";

/// Who refuses.
fn refusing(draft: &Draft) -> Vec<&'static str> {
    let report = draft.report();
    report
        .opinions()
        .iter()
        .filter(|opinion| opinion.refuses())
        .map(|opinion| opinion.receiver.name)
        .collect()
}

fn eori(usage: &[Usage]) -> Draft {
    let mut draft = Draft::of(&scheme::ISHARE_1);
    draft.certificates(&chain(&seal().usage(usage)));
    assert_eq!(draft.claims["iss"], EORI);
    draft
}

#[test]
fn names_are_those_of_the_table() {
    let names: Vec<_> = ALL.iter().map(|receiver| receiver.name).collect();
    assert_eq!(names, [AR, POORT8, BDI, PYSHARE, KEYCLOAK, NODE]);
}

/// | leaf key usage | digitalSignature | either | nonRepudiation | not checked |
#[test]
fn receivers_differ_in_key_usage() {
    assert_eq!(refusing(&eori(&[Usage::NonRepudiation])), [AR]);
    assert_eq!(refusing(&eori(&[Usage::DigitalSignature])), [BDI]);
    assert_eq!(
        refusing(&eori(&[Usage::NonRepudiation, Usage::DigitalSignature])),
        [""; 0]
    );
    assert_eq!(refusing(&eori(&[Usage::KeyAgreement])), [AR, POORT8, BDI]);
}

fn good() -> Draft {
    eori(&[Usage::NonRepudiation, Usage::DigitalSignature])
}

/// | ids | any | any | `EU.EORI.` only | optional strict EORI |
#[test]
fn one_receiver_knows_eori_numbers_only() {
    let mut draft = Draft::of(&scheme::ISHARE);
    draft.certificates(&chain(
        &seal().usage(&[Usage::NonRepudiation, Usage::DigitalSignature]),
    ));
    assert_eq!(refusing(&draft), [BDI]);
}

/// What a receiver demands, in words.
#[test]
fn demands_are_said() {
    let bdi = ALL.iter().find(|receiver| receiver.name == BDI).unwrap();
    let said: Vec<_> = bdi.demands.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "the signature is good",
            "exp - iat is exactly 30 s",
            "iat is at most 5 s ahead",
            "nbf, if there, equals iat",
            "no header member but alg typ x5c",
            "the leaf's key usage has nonRepudiation",
            "iss starts with EU.EORI.",
            "the last certificate is on the trusted list",
        ]
    );
    let either = Demand::LeafUsage(&[KeyUsage::DigitalSignature, KeyUsage::NonRepudiation]);
    let said = either.to_string();
    assert_eq!(
        said,
        "the leaf's key usage has digitalSignature or nonRepudiation"
    );
}

/// | ids | .. | optional strict EORI |
#[test]
fn an_eori_number_is_good_for_all() {
    let verdict = |draft: &Draft| {
        let report = draft.report();
        let mut outcomes = report.opinions().iter().flat_map(|it| &it.outcomes);
        let found = outcomes.find(|(demand, _)| *demand == Demand::EoriOption);
        found.unwrap().1.as_str()
    };
    assert_eq!(verdict(&good()), "passed");
    assert_eq!(verdict(&Draft::of(&scheme::ISHARE)), "not checked");
}

/// | chain | RSA >= 2048 | .. |
#[test]
fn one_receiver_wants_large_keys_in_the_chain() {
    let mut draft = good();
    draft.key = test_key("small", 1024);
    let usage = [Usage::NonRepudiation, Usage::DigitalSignature];
    draft.certificates(&pki().chain(&draft.key.spki_der(), &seal().usage(&usage)));
    assert_eq!(refusing(&draft), [AR]);
}

/// | exp - iat | exactly 30 | exactly 30 | exactly 30 | exactly 30 |
#[test]
fn all_want_thirty_seconds() {
    let mut draft = good();
    draft.claims["exp"] = json!(draft.now + 31);
    assert_eq!(refusing(&draft), [AR, POORT8, BDI, PYSHARE]);
}

/// | iat ahead of the server | refused, 0 s | (nbf: 10 s) | 5 s | library default, 0 s |
#[test]
fn clocks_ahead() {
    let ahead = |seconds| {
        let mut draft = good();
        draft.now -= seconds;
        refusing(&draft)
    };
    assert_eq!(ahead(0), [""; 0]);
    assert_eq!(ahead(1), [AR, PYSHARE]);
    assert_eq!(ahead(5), [AR, PYSHARE]);
    assert_eq!(ahead(6), [AR, BDI, PYSHARE]);
    assert_eq!(ahead(11), [AR, POORT8, BDI, PYSHARE]);
}

/// | nbf | optional | optional | if present, == iat | optional |
#[test]
fn one_receiver_wants_nbf_to_be_iat() {
    let mut draft = good();
    draft.claims["nbf"] = json!(draft.now - 1);
    assert_eq!(refusing(&draft), [BDI]);
    draft.without("nbf");
    assert_eq!(refusing(&draft), [""; 0]);
}

/// | other header members | ignored | ignored | refused | ignored |
#[test]
fn one_receiver_refuses_other_header_members() {
    let mut draft = good();
    draft.header["kid"] = json!("k");
    assert_eq!(refusing(&draft), [BDI]);
}

/// | chain | RSA >= 2048, sha256RSA | every CA on the trusted list | last certificate on it | not checked |
#[test]
fn trusted_lists() {
    let mut draft = good();
    draft.anchors = Some(vec![pki().root.certificate.clone()]);
    assert_eq!(refusing(&draft), [POORT8], "the list has the root only");
    draft.anchors = None;
    assert_eq!(refusing(&draft), [""; 0], "no list, no opinion");
}

/// Keycloak: at most 60 s old, or without iat 60 s to go; 15 s of lead, no tolerance on exp, one audience.
/// node-oidc-provider: numbers, 15 s.
#[test]
fn receivers_of_kids() {
    let after = |change: fn(&mut Draft)| {
        let mut draft = Draft::of(&scheme::EHEALTH);
        change(&mut draft);
        refusing(&draft)
    };
    assert_eq!(after(|_| ()), [""; 0]);
    let far = |draft: &mut Draft| draft.claims["exp"] = json!(draft.now + 61);
    assert_eq!(after(far), [""; 0], "the real one takes it");
    let far_without_iat = |draft: &mut Draft| {
        draft.claims["exp"] = json!(draft.now + 61);
        draft.without("iat");
    };
    assert_eq!(after(far_without_iat), [KEYCLOAK]);
    let old = |draft: &mut Draft| {
        draft.claims["exp"] = json!(draft.now + 300);
        draft.now += 61;
    };
    assert_eq!(after(old), [KEYCLOAK]);
    assert_eq!(
        after(|draft| draft.now += 60),
        [KEYCLOAK],
        "expired this second"
    );
    assert_eq!(after(|draft| draft.now += 75), [KEYCLOAK, NODE]);
    assert_eq!(after(|draft| draft.now -= 15), [""; 0]);
    assert_eq!(after(|draft| draft.now -= 16), [KEYCLOAK, NODE]);
    assert_eq!(after(|draft| draft.without("jti")), [KEYCLOAK, NODE]);
    assert_eq!(after(|draft| draft.without("iss")), [NODE]);
    assert_eq!(
        after(|draft| draft.claims["aud"] = json!([draft.claims["aud"], "b"])),
        [KEYCLOAK]
    );
    assert_eq!(
        after(|draft| draft.claims["aud"] = json!([draft.claims["aud"]])),
        [""; 0]
    );
    assert_eq!(
        after(|draft| draft.claims["exp"] = json!("1780272060")),
        [NODE]
    );
    assert_eq!(
        after(|draft| draft.claims["iat"] = json!("1780272000")),
        [KEYCLOAK, NODE]
    );
    assert_eq!(
        after(|draft| draft.header["kid"] = json!("unknown")),
        [KEYCLOAK]
    );
}
