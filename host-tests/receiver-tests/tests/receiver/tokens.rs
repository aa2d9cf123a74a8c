//! Tokens of others that come in, each rule broken alone.

use std::process::Command;

use privyseal::jose::jwk::KeySet;
use privyseal::pki::crl::Crl;
use privyseal::pki::revocation::RevocationOptions;
use privyseal::schemes::ishare::Expected;
use privyseal_receiver::{
    TokenKind, VerifiedToken, Wanted, verify_delegation, verify_introspection, verify_token,
};
use privyseal_test_base::privyseal as command;
use privyseal_test_pki::{CertificateSpec, TestKey, Usage, test_key};
use serde_json::{Value, json};

use crate::kinds::{jwk, keys};
use crate::stage::{CONSUMER, PROVIDER, World, now, sign};

const ISSUER: &str = "https://idp.example/auth/realms/M2M";

fn broken(verified: &VerifiedToken) -> Vec<String> {
    let findings = verified.report().findings().iter();
    let broken = findings.filter(|finding| finding.verdict.name() == "broken");
    let rules: Vec<_> = broken
        .map(|finding| finding.text.as_deref().unwrap_or_default())
        .map(|text| text.split(':').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(verified.claims().is_none(), !rules.is_empty());
    rules
}

/// During a rollover the set has the old key and the new one.
fn rolled_over() -> (TestKey, TestKey, KeySet) {
    let (old, new) = (test_key("seal", 2048), test_key("registry", 2048));
    let set = keys(&[jwk(&old, "old"), jwk(&new, "new")]);
    (old, new, set)
}

fn claims() -> Value {
    let now = now().as_secs();
    json!({
        "iss": ISSUER, "aud": ["service", "account"], "azp": "service", "sub": "s", "typ": "Bearer", "iat": now,
        "exp": now + 300, "realm_access": { "roles": ["reader"] }, "resource_access": { "service": { "roles": ["writer"] }, "other": { "roles": ["admin"] } },
    })
}

#[test]
fn an_access_token_is_verified_offline_rule_by_rule_also_during_a_rollover() {
    let (old, new, set) = rolled_over();
    let needed = ["reader".to_owned(), "writer".to_owned()];
    let judge = |token: &str| {
        let mut wanted = Wanted::new(ISSUER, now());
        wanted.claims.audience = Some("service");
        wanted.roles = &needed;
        broken(&verify_token(token, TokenKind::Access, &set, &wanted))
    };
    let header = |kid: &str| json!({ "alg": "RS256", "typ": "JWT", "kid": kid });
    assert_eq!(judge(&sign(&old, &header("old"), &claims())), [""; 0]);
    assert_eq!(judge(&sign(&new, &header("new"), &claims())), [""; 0]);
    let mut wanted = Wanted::new(ISSUER, now());
    wanted.claims.audience = Some("service");
    let of_another = ["admin".to_owned()];
    wanted.roles = &of_another;
    let token = sign(&new, &header("new"), &claims());
    let verified = verify_token(&token, TokenKind::Access, &set, &wanted);
    assert_eq!(broken(&verified), ["role admin"]);
    assert_eq!(
        judge(&sign(&new, &header("old"), &claims())),
        ["the signature"]
    );
    assert_eq!(
        judge(&sign(&new, &header("gone"), &claims())),
        ["signed by a key that is known"]
    );
    assert_eq!(judge("a.b"), ["a JWS by RS256"]);
    let changes: [(&str, &str, Value); 8] = [
        ("iss", "iss", json!("https://evil.example")),
        ("aud", "aud", json!("account")),
        ("exp", "exp", json!(now().as_secs() - 10)),
        ("nbf", "nbf", json!(now().as_secs() + 60)),
        ("iat", "iat", json!(now().as_secs() + 60)),
        ("typ", "typ", json!("ID")),
        ("typ", "typ", json!("Refresh")),
        (
            "realm_access",
            "role reader",
            json!({ "roles": ["writer"] }),
        ),
    ];
    for (member, rule, value) in changes {
        let mut claims = claims();
        claims[member] = value;
        assert_eq!(
            judge(&sign(&old, &header("old"), &claims)),
            [rule],
            "{claims}"
        );
    }
    let logout = json!({ "alg": "RS256", "typ": "logout+jwt", "kid": "old" });
    assert_eq!(judge(&sign(&old, &logout, &claims())), ["typ"]);
}

/// RFC 9068 section 4: "verify that the \"typ\" header value is \"at+jwt\" ... and reject tokens carrying any other value".
/// Keycloak says the same by `typ` of the payload; an id_token without one has the same issuer, audience and key.
#[test]
fn what_does_not_say_that_it_is_an_access_token_is_none() {
    let (old, _, set) = rolled_over();
    let judge = |typ: Option<&str>| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove("typ");
        let mut header = json!({ "alg": "RS256", "kid": "old" });
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        let token = sign(&old, &header, &claims);
        let wanted = Wanted::new(ISSUER, now());
        broken(&verify_token(&token, TokenKind::Access, &set, &wanted))
    };
    assert_eq!(judge(None), ["typ"]);
    assert_eq!(judge(Some("JWT")), ["typ"]);
    assert_eq!(judge(Some("at+jwt")), [""; 0]);
    assert_eq!(judge(Some("application/at+jwt")), [""; 0]);
}

/// OpenID Connect Back-Channel Logout section 2.4: "exp" is there, and nothing but `events` says what it is.
#[test]
fn a_logout_token_is_neither_an_id_token_nor_userinfo() {
    let (old, _, set) = rolled_over();
    let judge = |kind, header_typ: &str, member: &str, value: Value| {
        let seconds = now().as_secs();
        let mut claims = json!({
            "iss": ISSUER, "aud": "service", "sub": "s", "iat": seconds, "exp": seconds + 120, "jti": "j",
        });
        claims[member] = value;
        let header = json!({ "alg": "RS256", "kid": "old", "typ": header_typ });
        let mut wanted = Wanted::new(ISSUER, now());
        wanted.claims.audience = Some("service");
        broken(&verify_token(
            &sign(&old, &header, &claims),
            kind,
            &set,
            &wanted,
        ))
    };
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    for kind in [TokenKind::Id, TokenKind::UserInfo] {
        assert_eq!(judge(kind, "JWT", "name", json!("n")), [""; 0]);
        assert_eq!(judge(kind, "JWT", "events", event.clone()), ["kind"]);
        assert_eq!(judge(kind, "logout+jwt", "name", json!("n")), ["kind"]);
        assert_eq!(judge(kind, "at+jwt", "name", json!("n")), ["kind"]);
        assert_eq!(judge(kind, "JWT", "typ", json!("Logout")), ["kind"]);
    }
    assert_eq!(
        judge(TokenKind::UserInfo, "JWT", "typ", json!("ID")),
        ["kind"]
    );
    assert_eq!(
        judge(TokenKind::UserInfo, "JWT", "nonce", json!("n")),
        ["kind"]
    );
    let header = json!({ "alg": "RS256", "kid": "old", "typ": ["logout+jwt"] });
    let token = sign(&old, &header, &claims());
    let listed = verify_token(&token, TokenKind::Id, &set, &Wanted::new(ISSUER, now()));
    assert_eq!(broken(&listed), ["a JWS by RS256"]);
    // The audience was left open.
    let token = sign(&old, &json!({ "alg": "RS256", "kid": "old" }), &claims());
    let open = verify_token(&token, TokenKind::Id, &set, &Wanted::new(ISSUER, now()));
    assert!(broken(&open).contains(&"aud".to_owned()), "{open:?}");
}

/// RFC 7662 section 2.2, as Keycloak writes it: "active" is the server's word, and the rest is for the resource to judge.
#[test]
fn what_the_server_says_about_a_token_is_judged_rule_by_rule() {
    let needed = ["reader".to_owned()];
    let judge = |change: &dyn Fn(&mut Value)| {
        let mut said = claims();
        said["active"] = json!(true);
        change(&mut said);
        let mut wanted = Wanted::new(ISSUER, now());
        wanted.claims.audience = Some("service");
        wanted.roles = &needed;
        broken(&verify_introspection(said.to_string().as_bytes(), &wanted))
    };
    assert_eq!(judge(&|_| {}), [""; 0]);
    for (kind, expected) in [("Bearer", vec![]), ("refresh_token", vec!["typ"])] {
        assert_eq!(judge(&|it| it["token_type"] = json!(kind)), expected);
    }
    // What is no JWS is not called one, and what was not asked for is said.
    let said = json!({ "active": true, "iss": ISSUER, "exp": 1, "typ": "Refresh" }).to_string();
    let report = verify_introspection(said.as_bytes(), &Wanted::new(ISSUER, now()));
    let report = report.report().to_string();
    assert!(
        !report.contains("JWS") && report.contains("broken  exp: says that it expired"),
        "{report}"
    );
    assert!(report.contains("not checked aud: nobody said"), "{report}");
    // RFC 7662 section 2.2: active is "REQUIRED", a "Boolean indicator".
    for active in [json!("true"), json!(1), Value::Null] {
        assert_eq!(judge(&|it| it["active"] = active.clone()), ["response"]);
    }
    // Of what section 2.2 calls OPTIONAL that must be there which was asked for.
    let without = |name| move |it: &mut Value| _ = it.as_object_mut().unwrap().remove(name);
    for name in ["exp", "iat", "typ"] {
        assert_eq!(judge(&without(name)), [""; 0], "{name}");
    }
    for name in ["iss", "aud"] {
        assert_eq!(judge(&without(name)), [name]);
    }
    assert_eq!(judge(&|it| *it = json!({ "active": false })), ["active"]);
    assert_eq!(
        judge(&|it| it["iss"] = json!("https://evil.example")),
        ["iss"]
    );
    assert_eq!(judge(&|it| it["exp"] = json!(1)), ["exp"]);
    assert_eq!(judge(&|it| it["typ"] = json!("Refresh")), ["typ"]);
    assert_eq!(judge(&|it| it["realm_access"] = json!({})), ["role reader"]);
}

/// The command has the verdict of each rule, and believes nobody who asks for a rule that the kind does not have.
#[test]
fn the_command_judges_a_kind_by_its_own_options() {
    let (old, _, _) = rolled_over();
    let folder = tempfile::tempdir().unwrap();
    let set = json!({ "keys": [jwk(&old, "old")] }).to_string();
    std::fs::write(folder.path().join("keys.json"), set).unwrap();
    let token = sign(&old, &json!({ "alg": "RS256", "kid": "old" }), &claims());
    let verify = |options: &[&str]| {
        let run = Command::new(command::path())
            .current_dir(folder.path())
            .args(["verify", &token, "--issuer", ISSUER])
            .args(options)
            .output()
            .unwrap();
        let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (run.status.code(), said.concat())
    };
    let jwks = ["--jwks", "keys.json"];
    let (code, said) = verify(&[&["--kind", "access", "--role", "reader"], &jwks[..]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("role reader"), "{said}");
    assert!(said.contains("not checked aud: nobody said"), "{said}");
    let (_, said) =
        verify(&[&["--kind", "access", "--role", "none", "--json"], &jwks[..]].concat());
    let (report, _) = said.rsplit_once("}\n").unwrap();
    let report: Value = serde_json::from_str(&format!("{report}}}")).unwrap();
    let rules: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
    assert!(rules.iter().all(|it| it["rule"].is_string()), "{said}");
    let role = rules.iter().find(|it| it["rule"] == "role").unwrap();
    assert_eq!(role["verdict"], "broken", "{said}");
    let (code, said) = verify(&[&["--kind", "id", "--audience", "service"], &jwks[..]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("another kind of token"), "{said}");
    let said = verify(&["--kind", "introspection", "--role", "reader"]);
    assert_eq!(said.0, Some(1), "{said:?}");
    assert!(
        said.1
            .contains("broken  response: the answer is not a JSON object"),
        "{said:?}"
    );
    let foreign: [(&[&str], &str); 10] = [
        (
            &["--kind", "introspection", "--jwks", "keys.json"],
            "--jwks",
        ),
        (&["--kind", "id", "--role", "reader"], "--role"),
        (&["--kind", "access", "--nonce", "n"], "--nonce"),
        (&["--kind", "userinfo", "--nonce", "n"], "--nonce"),
        (&["--kind", "access", "--trust", "keys.json"], "--trust"),
        (&["--kind", "access", "--crl", "keys.json"], "--crl"),
        (&["--kind", "id", "--revocation", "online"], "--revocation"),
        (
            &["--kind", "id", "--allow-unknown-revocation"],
            "--allow-unknown-revocation",
        ),
        (&["--kind", "delegation", "--jwks", "keys.json"], "--jwks"),
        (&["--kind", "userinfo", "--jwks", "keys.json"], "--audience"),
    ];
    for (options, named) in foreign {
        let (code, said) = verify(options);
        assert_eq!(code, Some(2), "{options:?}: {said}");
        assert!(said.contains(named), "{options:?}: {said}");
    }
}

/// Bound to a key (RFC 9449, RFC 8705), which its sender has or has not: that is said, and no rule is without a name.
#[test]
fn what_a_token_is_bound_to_is_not_checked() {
    let (old, _, set) = rolled_over();
    let mut wanted = Wanted::new(ISSUER, now());
    wanted.claims.audience = Some("service");
    for cnf in [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" })] {
        let mut claims = claims();
        claims["cnf"] = cnf;
        let token = sign(&old, &json!({ "alg": "RS256", "kid": "old" }), &claims);
        claims["active"] = json!(true);
        for verified in [
            verify_token(&token, TokenKind::Access, &set, &wanted),
            verify_introspection(claims.to_string().as_bytes(), &wanted),
        ] {
            assert_eq!(broken(&verified), [""; 0]);
            let mut findings = verified.report().findings().iter();
            let open = findings
                .find(|it| it.verdict.name() == "not checked")
                .unwrap();
            assert_eq!(open.rule, Some("cnf"));
        }
    }
}

#[test]
fn an_id_token_is_for_one_client_and_one_request() {
    let (old, _, set) = rolled_over();
    let judge = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims();
        claims["typ"] = json!("ID");
        claims["nonce"] = json!("n");
        change(&mut claims);
        let mut wanted = Wanted::new(ISSUER, now());
        (wanted.claims.audience, wanted.nonce) = (Some("service"), Some("n"));
        let header = json!({ "alg": "RS256", "kid": "old" });
        broken(&verify_token(
            &sign(&old, &header, &claims),
            TokenKind::Id,
            &set,
            &wanted,
        ))
    };
    assert_eq!(judge(&|_| {}), [""; 0]);
    assert_eq!(judge(&|it| it["nonce"] = json!("other")), ["nonce"]);
    assert_eq!(judge(&|it| it["azp"] = json!("other")), ["azp"]);
    assert_eq!(judge(&|it| it["azp"] = Value::Null), ["azp"]);
    assert_eq!(
        judge(&|it| _ = it.as_object_mut().unwrap().remove("azp")),
        ["azp"],
        "there are two audiences"
    );
    assert_eq!(judge(&|it| it["typ"] = json!("Bearer")), ["kind"]);
    assert_eq!(
        judge(&|it| _ = it.as_object_mut().unwrap().remove("sub")),
        ["sub"]
    );
    // OpenID Connect Core section 2: "It MUST NOT exceed 255 ASCII characters in length."
    assert_eq!(judge(&|it| it["sub"] = json!("x".repeat(256))), ["sub"]);
    assert_eq!(judge(&|it| it["sub"] = json!("x".repeat(255))), [""; 0]);
}

#[test]
fn signed_userinfo_need_not_expire() {
    let (old, _, set) = rolled_over();
    let mut wanted = Wanted::new(ISSUER, now());
    wanted.claims.audience = Some("service");
    let judge = |claims: &Value| {
        let token = sign(&old, &json!({ "alg": "RS256", "kid": "old" }), claims);
        broken(&verify_token(&token, TokenKind::UserInfo, &set, &wanted))
    };
    assert_eq!(
        judge(&json!({ "iss": ISSUER, "aud": "service", "sub": "s" })),
        [""; 0]
    );
    assert_eq!(
        judge(&json!({ "iss": ISSUER, "aud": "service", "sub": "s", "exp": 1 })),
        ["exp"]
    );
    assert_eq!(judge(&json!({ "iss": ISSUER, "aud": "service" })), ["sub"]);
    for sub in ["", "caf\u{e9}", &"x".repeat(256)] {
        let claims = json!({ "iss": ISSUER, "aud": "service", "sub": sub });
        assert_eq!(judge(&claims), ["sub"], "{sub}");
    }
    assert_eq!(judge(&json!({ "sub": "s" })), ["iss", "aud"]);
}

const REGISTRY: &str = "did:ishare:EU.NL.NTRNL-30000003";

/// As iSHARE's page on delegation prints it.
fn delegation() -> Value {
    let seconds = now().as_secs();
    json!({
        "iss": REGISTRY, "sub": REGISTRY, "aud": PROVIDER, "iat": seconds, "exp": seconds + 30, "jti": "j",
        "delegationEvidence": {
            "notBefore": seconds - 60, "notOnOrAfter": seconds + 60, "policyIssuer": CONSUMER,
            "target": { "accessSubject": "did:ishare:EU.NL.NTRNL-20000002" },
            "policySets": [{ "maxDelegationDepth": 0, "target": { "environment": { "licenses": ["ISHARE.0001"] } },
                "policies": [{ "target": { "resource": { "type": "CONTAINER", "identifiers": ["180621"], "attributes": ["*"] },
                    "actions": ["read"] }, "rules": [{ "effect": "Permit" }] }] }],
        },
    })
}

/// Signed by an authorization registry.
#[test]
fn delegation_evidence_is_believed_from_its_registry_and_while_it_holds() {
    let world = World::new();
    let registry = world.of_another("NTRNL-30000003");
    let root = world.root();
    let judge = |change: &dyn Fn(&mut Value)| {
        let mut claims = delegation();
        change(&mut claims);
        let token = registry.sign(&registry.header(), &claims);
        verify_delegation(&token, &Expected::new(REGISTRY, PROVIDER, &root), now())
    };
    let good = judge(&|_| {});
    assert_eq!(broken(&good), [""; 0]);
    assert!(
        good.report().to_string().contains("\"effect\":\"Permit\""),
        "{}",
        good.report()
    );
    let said = good.report().to_string();
    assert!(said.contains(", maxDelegationDepth 0"), "{said}");
    assert!(
        said.contains("not checked revocation: nobody said"),
        "{said}"
    );
    let turned = judge(&|it| {
        it["delegationEvidence"]["policySets"][0]["policies"][0]["target"] = json!("\u{202e}");
        it["delegationEvidence"]["policyIssuer"] = json!("\u{202e}");
    });
    let turned = turned.report().to_string();
    assert!(
        turned.contains("\\u{202e}") && !turned.contains('\u{202e}'),
        "{turned}"
    );
    let seconds = now().as_secs();
    let cases: [(&str, &dyn Fn(&mut Value)); 17] = [
        ("aud", &|it| it["aud"] = json!(CONSUMER)),
        ("iss", &|it| it["iss"] = json!(CONSUMER)),
        ("sub", &|it| it["sub"] = json!(CONSUMER)),
        ("jti", &|it| it["jti"] = json!("")),
        ("iat", &|it| it["iat"] = json!("now")),
        ("exp", &|it| it["exp"] = Value::Null),
        ("lifetime", &|it| it["exp"] = json!(seconds + 60)),
        ("not for later", &|it| {
            (it["iat"], it["exp"]) = (json!(seconds + 600), json!(seconds + 630));
        }),
        ("not expired", &|it| {
            (it["iat"], it["exp"]) = (json!(seconds - 600), json!(seconds - 570));
        }),
        ("delegation evidence", &|it| {
            it["delegationEvidence"] = json!("x")
        }),
        ("notBefore", &|it| {
            it["delegationEvidence"]["notBefore"] = json!(seconds + 600)
        }),
        ("notOnOrAfter", &|it| {
            it["delegationEvidence"]["notOnOrAfter"] = json!(now().as_secs())
        }),
        ("target.accessSubject", &|it| {
            it["delegationEvidence"]["target"] = json!({})
        }),
        ("rules of a policy", &|it| {
            it["delegationEvidence"]["policySets"][0]["policies"][0]["rules"] =
                json!([{ "effect": "Maybe" }]);
        }),
        ("rules of a policy", &|it| {
            it["delegationEvidence"]["policySets"][0]["policies"][0]["rules"] = json!([]);
        }),
        ("notOnOrAfter", &|it| {
            it["delegationEvidence"]["notOnOrAfter"] = json!(1_795_996_068_000_u64);
        }),
        ("policySets", &|it| {
            it["delegationEvidence"]["policySets"] = json!([])
        }),
    ];
    for (rule, change) in cases {
        assert_eq!(broken(&judge(change)), [rule]);
    }
    // Each rule has a verdict of its own, also where several are broken.
    let several = judge(&|it| {
        it["aud"] = json!(CONSUMER);
        it["delegationEvidence"]["notOnOrAfter"] = json!(seconds - 1);
    });
    assert_eq!(broken(&several), ["aud", "notOnOrAfter"]);
    assert_eq!(
        good.report().findings().len(),
        several.report().findings().len()
    );
}

/// The rules of every iSHARE JWT that stand in its header and its certificates.
#[test]
fn delegation_evidence_has_a_verdict_for_each_rule_of_its_seal() {
    let world = World::new();
    let root = world.root();
    let judge = |registry: &World, change: &dyn Fn(&mut Value), lists: &[Crl]| {
        let mut header = registry.header();
        change(&mut header);
        let token = registry.sign(&header, &delegation());
        let expected = Expected::new(REGISTRY, PROVIDER, &root);
        let expected = expected.revocation(RevocationOptions::files(lists));
        broken(&verify_delegation(&token, &expected, now()))
    };
    let registry = world.of_another("NTRNL-30000003");
    let good = world.lists(&[]);
    assert_eq!(judge(&registry, &|_| {}, &good), [""; 0]);
    let revoked = world.lists(&[&registry.chain[0]]);
    assert_eq!(judge(&registry, &|_| {}, &revoked), ["revocation"]);
    let cases: [(&str, &dyn Fn(&mut Value)); 5] = [
        ("a JWS by an algorithm of iSHARE", &|it| {
            it["alg"] = json!("PS256")
        }),
        ("typ", &|it| it["typ"] = json!("at+jwt")),
        ("x5c", &|it| it["x5c"] = Value::Null),
        ("leaf first", &|it| {
            it["x5c"].as_array_mut().unwrap().reverse()
        }),
        ("trust", &|it| it["x5c"].as_array_mut().unwrap().truncate(1)),
    ];
    for (rule, change) in cases {
        assert_eq!(judge(&registry, change, &good), [rule]);
    }
    let thief = World {
        key: test_key("seal", 2048),
        ..world.of_another("NTRNL-30000003")
    };
    assert_eq!(judge(&thief, &|_| {}, &good), ["the signature"]);
    let other = world.of_another("NTRNL-20000002");
    assert_eq!(judge(&other, &|_| {}, &good), ["whose seal"]);
    let signs = CertificateSpec::seal().usage(&[Usage::DigitalSignature]);
    let signs = world.sealed_as("NTRNL-30000003", signs);
    assert_eq!(judge(&signs, &|_| {}, &good), ["key usage"]);
}
