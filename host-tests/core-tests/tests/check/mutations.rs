//! One rule broken at a time: `check` names that rule and no other.

mod own;
mod request;
mod x5c;

use std::collections::BTreeSet;

use privyseal_check::{Kind, RuleId, Subject, Verdict};
use privyseal_core::rsa::KeyError;
use privyseal_core::scheme;
use privyseal_core::{RsaPublicKey, Scheme, SchemeRules};
use privyseal_test_pki::test_key;
use serde_json::json;

use crate::draft::{Draft, broken, shown};

/// The rule, what is done, and the doing.
type Mutation = (&'static str, &'static str, fn(&mut Draft));

/// Rules that nothing here can break: they need the network, a revocation list or a memory.
const NEVER_JUDGED: [RuleId; 3] = [RuleId::Revocation, RuleId::PartyStatus, RuleId::Replay];

fn drafts() -> Vec<(Draft, Vec<Mutation>)> {
    let mut drafts: Vec<_> = scheme::ALL
        .iter()
        .map(|scheme| (Draft::of(scheme), of(scheme)))
        .collect();
    drafts.push((Draft::of_request(), request::mutations()));
    drafts.push((Draft::of_hint(), request::hint_mutations()));
    drafts.extend(own::drafts());
    drafts
}

fn of(scheme: &Scheme) -> Vec<Mutation> {
    let mut mutations = ANY.to_vec();
    match scheme.name() {
        "itsme" | "ehealth" => mutations.extend(KEY_NAME.iter().chain(KID)),
        _ => mutations.extend(x5c::X5C.iter().chain(STRICT)),
    }
    match scheme.name() {
        "ishare" => {
            mutations.push(("client-id-in-leaf", "another organisation", |draft| {
                both(draft, "did:ishare:EU.NL.NTRNL-87654321");
            }));
            mutations.push(x5c::DIGITAL_SIGNATURE_ALONE);
        }
        "ishare-1" | "fiam" => mutations.push(("client-id", "a did", |draft| {
            both(draft, "did:ishare:EU.NL.NTRNL-12345678");
        })),
        "itsme" => mutations.extend(ITSME),
        _ => {}
    }
    if !scheme.issued_at_required().value() {
        mutations.extend(WITHOUT_IAT);
    }
    if scheme.name() != "ishare" {
        mutations.push(("header-alg", "RS384", |draft| {
            draft.header["alg"] = json!("RS384");
        }));
    }
    mutations
}

fn both(draft: &mut Draft, id: &str) {
    draft.claims["iss"] = json!(id);
    draft.claims["sub"] = json!(id);
}

/// What breaks a token of any scheme.
const ANY: &[Mutation] = &[
    ("jws-form", "four parts", |draft| {
        draft.tamper = |token| token + ".x";
    }),
    ("jws-form", "two parts", |draft| {
        draft.tamper = |token| token.replacen('.', "", 1);
    }),
    ("jws-form", "padding", |draft| {
        draft.tamper = |token| token + "=";
    }),
    ("jws-form", "a newline", |draft| {
        draft.tamper = |token| token + "\n";
    }),
    ("jws-form", "nothing", |draft| {
        draft.tamper = |_| String::new();
    }),
    ("jws-form", "too long", |draft| {
        draft.tamper = |token| format!("{}{token}", "A".repeat(1 << 20));
    }),
    ("header-json", "an array", |draft| {
        draft.raw_header = Some("[]".into());
    }),
    ("header-json", "a member twice", |draft| {
        let header = draft.header.to_string();
        draft.raw_header = Some(header.replacen('{', r#"{"alg":"none","#, 1));
    }),
    ("payload-json", "a member twice", |draft| {
        let claims = draft.claims.to_string();
        draft.raw_claims = Some(claims.replacen('{', r#"{"x":0,"\u0078":1,"#, 1));
    }),
    ("payload-json", "a comma at the end", |draft| {
        draft.raw_claims = Some(draft.claims.to_string().replace('}', ",}"));
    }),
    ("header-alg", "none", |draft| {
        draft.header["alg"] = json!("none");
    }),
    ("header-alg", "HS256", |draft| {
        draft.header["alg"] = json!("HS256");
    }),
    ("header-alg", "missing", |draft| draft.header_without("alg")),
    ("header-typ", "another", |draft| {
        draft.header["typ"] = json!("JOSE");
    }),
    ("header-typ", "a number", |draft| {
        draft.header["typ"] = json!(1);
    }),
    ("header-members", "crit", |draft| {
        draft.header["crit"] = json!(["exp"]);
    }),
    ("signature", "another key's", |draft| {
        draft.key = test_key("stranger", 2048);
    }),
    ("signature", "a bit changed", |draft| {
        draft.tamper = |token| {
            let (input, signature) = token.rsplit_once('.').expect("a token");
            let first = if signature.starts_with('A') { "B" } else { "A" };
            format!("{input}.{first}{}", &signature[1..])
        }
    }),
    ("signature", "too short", |draft| {
        draft.tamper = |token| {
            let (input, _) = token.rsplit_once('.').expect("a token");
            format!("{input}.AAAA")
        }
    }),
    ("claim-iss", "missing", |draft| draft.without("iss")),
    ("claim-iss", "a number", |draft| {
        draft.claims["iss"] = json!(7);
    }),
    ("claim-sub", "missing", |draft| draft.without("sub")),
    ("claim-sub", "empty", |draft| {
        draft.claims["sub"] = json!("");
    }),
    ("iss-equals-sub", "two ids", |draft| {
        draft.claims["sub"] = json!("EU.EORI.NL987654321");
    }),
    ("client-id", "a line break in it", |draft| {
        both(draft, "EU.EORI.NL1\n2");
    }),
    ("client-id", "too long", |draft| {
        both(draft, &"x".repeat(256));
    }),
    ("claim-aud", "missing", |draft| draft.without("aud")),
    ("claim-aud", "an array of two", |draft| {
        draft.claims["aud"] = json!([draft.claims["aud"], draft.claims["aud"]]);
    }),
    ("claim-aud", "somebody else", |draft| {
        draft.claims["aud"] = json!("nobody");
    }),
    ("claim-aud", "not the given one", |draft| {
        draft.audience = Some("EU.EORI.NL555555555".into());
    }),
    ("claim-iat", "a string", |draft| {
        draft.claims["iat"] = json!(draft.claims["iat"].to_string());
    }),
    ("claim-iat", "a fraction", |draft| {
        draft.raw_claims = Some(
            draft
                .claims
                .to_string()
                .replace("\"iat\":1780272000", "\"iat\":1780272000.0"),
        );
    }),
    ("claim-exp", "missing", |draft| draft.without("exp")),
    ("claim-exp", "a string", |draft| {
        draft.claims["exp"] = json!(draft.claims["exp"].to_string());
    }),
    ("claim-exp", "milliseconds", |draft| {
        draft.claims["exp"] = json!(1_780_272_030_000_u64);
    }),
    ("lifetime", "a second more than the longest", |draft| {
        let scheme = draft.scheme.expect("a scheme");
        draft.claims["exp"] = json!(draft.now + scheme.lifetime().value().max() + 1);
    }),
    ("claim-nbf", "earlier than iat", |draft| {
        draft.claims["nbf"] = json!(draft.now - 1);
    }),
    ("claim-nbf", "later than iat", |draft| {
        draft.claims["nbf"] = json!(draft.now + 1);
    }),
    ("claim-nbf", "a date", |draft| {
        draft.claims["nbf"] = json!("2026-06-01T00:00:00Z");
    }),
    ("claim-nbf", "zero", |draft| draft.claims["nbf"] = json!(0)),
    ("claim-jti", "missing", |draft| draft.without("jti")),
    ("claim-jti", "empty", |draft| {
        draft.claims["jti"] = json!("");
    }),
    ("claim-jti", "a number", |draft| {
        draft.claims["jti"] = json!(1);
    }),
    ("claim-jti", "too long", |draft| {
        draft.claims["jti"] = json!("j".repeat(256));
    }),
    ("time-not-expired", "at exp", |draft| {
        draft.now = draft.claims["exp"].as_u64().expect("exp");
    }),
    ("time-not-future", "a second early", |draft| draft.now -= 1),
];

/// What breaks a token that does not say when it was made, where it need not.
const WITHOUT_IAT: &[Mutation] = &[
    (
        "lifetime",
        "no iat, and more left than the longest",
        |draft| {
            let scheme = draft.scheme.expect("a scheme");
            draft.without("iat");
            draft.claims["exp"] = json!(draft.now + scheme.lifetime().value().max() + 1);
        },
    ),
    (
        "time-not-future",
        "no iat, and nbf is still to come",
        |draft| {
            draft.without("iat");
            draft.claims["nbf"] = json!(draft.now + 1);
        },
    ),
];

/// What breaks a token with x5c, and no other.
const STRICT: &[Mutation] = &[
    ("header-typ", "missing", |draft| draft.header_without("typ")),
    ("header-typ", "in lower case", |draft| {
        draft.header["typ"] = json!("jwt");
    }),
    ("claim-aud", "an array of one", |draft| {
        draft.claims["aud"] = json!([draft.claims["aud"]]);
    }),
    ("header-members", "kid", |draft| {
        draft.header["kid"] = json!("k");
    }),
    ("header-members", "x5t#S256", |draft| {
        draft.header["x5t#S256"] = json!("A");
    }),
    ("client-id", "no country", |draft| {
        both(draft, "EU.EORI.KVK123456");
    }),
    ("client-id", "no party id", |draft| {
        both(draft, "s6BhdRkqt3");
    }),
    ("claim-aud", "a URL", |draft| {
        draft.claims["aud"] = json!("https://example.com/token");
    }),
    ("claim-iat", "missing", |draft| draft.without("iat")),
    ("lifetime", "29 s", |draft| {
        draft.claims["exp"] = json!(draft.now + 29);
    }),
];

/// What breaks a token that names its key.
const KEY_NAME: &[Mutation] = &[
    ("header-members", "x5c", |draft| {
        draft.header["x5c"] = json!(["AAAA"]);
    }),
    ("header-members", "jku", |draft| {
        draft.header["jku"] = json!("https://a");
    }),
    ("key-known", "of two keys", |draft| {
        add_keys(draft, &test_key("stranger", 2048).public_key());
    }),
    ("key-size", "RSA-1024", |draft| {
        for (_, key) in draft.keys.as_mut().expect("keys") {
            *key = Err(KeyError::Size { bits: 1024 });
        }
    }),
];

/// For each name that is known, a key more.
fn add_keys(draft: &mut Draft, key: &RsaPublicKey) {
    let keys = draft.keys.as_mut().expect("keys");
    let more = keys.clone().into_iter();
    keys.extend(more.map(|(name, _)| (name, Ok(key.clone()))));
}

#[test]
fn a_key_that_is_known_twice_is_one() {
    let mut draft = Draft::of(&scheme::EHEALTH);
    let key = draft.key.public_key();
    add_keys(&mut draft, &key);
    assert_eq!(draft.broken(), [""; 0]);
}

/// What breaks a token with kid.
const KID: &[Mutation] = &[
    ("header-kid", "missing", |draft| draft.header_without("kid")),
    ("header-kid", "a number", |draft| {
        draft.header["kid"] = json!(1);
    }),
    ("header-kid", "too long", |draft| {
        draft.header["kid"] = json!("k".repeat(129));
    }),
    ("key-known", "another", |draft| {
        draft.header["kid"] = json!("key-2025");
    }),
    ("claim-aud", "a party id", |draft| {
        draft.claims["aud"] = json!("EU.EORI.NL000000001");
    }),
    ("claim-aud", "http", |draft| {
        let aud = draft.claims["aud"]
            .as_str()
            .expect("aud")
            .replace("https", "http");
        draft.claims["aud"] = json!(aud);
    }),
];

const ITSME: &[Mutation] = &[("claim-aud", "the issuer", |draft| {
    draft.claims["aud"] = json!("https://idp.e2e.itsme.services/v2");
})];

#[test]
fn what_the_core_makes_breaks_nothing() {
    for (draft, _) in drafts() {
        let report = draft.report();
        let name = (report.scheme.map(SchemeRules::name), report.kind);
        assert_eq!(broken(&report), [""; 0], "{name:?}{}", shown(&report));
        assert_eq!(
            report.verdict(RuleId::Signature),
            Some(Verdict::Passed),
            "{name:?}"
        );
        for finding in report.findings() {
            let is_judged = !matches!(finding.verdict, Verdict::NotChecked(_));
            let is_eori = finding.rule == RuleId::ClientIdInLeaf;
            assert!(
                is_judged || is_eori || NEVER_JUDGED.contains(&finding.rule),
                "{name:?}{}",
                shown(&report)
            );
        }
    }
}

/// Of an assertion for anyone the scheme is iSHARE's where it has certificates, and else nobody's.
#[test]
fn without_a_scheme_it_is_guessed() {
    let mut draft = Draft::of(&scheme::ISHARE);
    draft.scheme = None;
    draft.claims["aud"] = json!("someone");
    let guessed = |draft: &Draft| draft.report().scheme.map(SchemeRules::name);
    assert_eq!(guessed(&draft), Some("ishare"));
    draft.header_without("x5c");
    assert_eq!(guessed(&draft), None);
    draft.header["kid"] = json!("k");
    assert_eq!(guessed(&draft), None);
}

/// As Go's libraries write them: one value is one value, and a media type has no case.
#[test]
fn forms_that_receivers_of_keys_by_kid_take() {
    for scheme in [&scheme::ITSME, &scheme::EHEALTH] {
        let good = Draft::of(scheme);
        let mut listed = good.clone();
        listed.claims["aud"] = json!([good.claims["aud"]]);
        assert_eq!(broken(&listed.report()), [""; 0], "{}", scheme.name());
        for typ in ["jwt", "application/JWT", "client-authentication+jwt"] {
            let mut draft = good.clone();
            draft.header["typ"] = json!(typ);
            assert_eq!(broken(&draft.report()), [""; 0], "{typ}");
        }
        let mut without = good.clone();
        without.header_without("typ");
        assert_eq!(broken(&without.report()), [""; 0], "no typ");
    }
    let mut request = Draft::of_request();
    request.header["typ"] = json!("oauth-authz-req+jwt");
    assert_eq!(broken(&request.report()), [""; 0]);
    request.header["typ"] = json!("client-authentication+jwt");
    assert_eq!(broken(&request.report()), ["header-typ"]);
}

/// Each subject has a verdict of its own, and what nobody judged is not good.
#[test]
fn what_was_judged_is_said_apart() {
    let outcome = |draft: &Draft, subject| draft.report().outcome(subject);
    let is_open = |verdict| matches!(verdict, Some(Verdict::NotChecked(_)));
    let is_broken = |verdict| matches!(verdict, Some(Verdict::Broken(_)));
    let mut draft = Draft::of(&scheme::ISHARE);
    assert_eq!(outcome(&draft, Subject::Rules), Some(Verdict::Passed));
    assert_eq!(outcome(&draft, Subject::Trust), Some(Verdict::Passed));
    for subject in [Subject::Party, Subject::Revocation, Subject::Replay] {
        assert!(is_open(outcome(&draft, subject)), "{subject}");
    }
    draft.anchors = None;
    assert_eq!(outcome(&draft, Subject::Rules), Some(Verdict::Passed));
    assert!(is_open(outcome(&draft, Subject::Trust)));
    draft.anchors = Some(Vec::new());
    assert!(is_broken(outcome(&draft, Subject::Trust)));
    assert_eq!(outcome(&draft, Subject::Rules), Some(Verdict::Passed));

    let mut by_kid = Draft::of(&scheme::EHEALTH);
    assert_eq!(outcome(&by_kid, Subject::Trust), Some(Verdict::Passed));
    assert_eq!(outcome(&by_kid, Subject::Party), None);
    assert_eq!(outcome(&by_kid, Subject::Revocation), None);
    by_kid.keys = None;
    assert!(is_open(outcome(&by_kid, Subject::Trust)));
    assert!(is_open(outcome(&by_kid, Subject::Rules)), "its signature");
    by_kid.claims["exp"] = json!(1);
    assert!(is_broken(outcome(&by_kid, Subject::Rules)));
}

#[test]
fn a_broken_rule_is_named_and_no_other() {
    let mut wrong = Vec::new();
    for (good, mutations) in drafts() {
        for (rule, what, mutate) in mutations {
            let mut draft = good.clone();
            mutate(&mut draft);
            let report = draft.report();
            if broken(&report) != [rule] {
                let scheme = draft.scheme.map_or("", |scheme| scheme.name());
                let kind: Kind = report.kind;
                wrong.push(format!(
                    "{scheme} {} {rule}, {what}:{}",
                    kind.name(),
                    shown(&report)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_can_be_broken() {
    let broken: BTreeSet<_> = drafts()
        .iter()
        .flat_map(|(_, mutations)| mutations.iter().map(|(rule, ..)| *rule))
        .collect();
    let all: BTreeSet<_> = RuleId::ALL
        .iter()
        .filter(|rule| !NEVER_JUDGED.contains(rule))
        .map(|rule| rule.name())
        .collect();
    assert_eq!(broken, all);
}
