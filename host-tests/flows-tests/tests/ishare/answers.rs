//! A signed answer is believed if every rule holds, and refused for the rule that does not.

use privyseal::schemes::ishare::TrustedCa;
use privyseal::{
    AssertionOptions, AssertionSource as _, Certificates, ErrorKind, Http, HttpOptions, Roots,
    UnixTime,
};
use privyseal_test_pki::{CertificateSpec, TestPki, Usage, test_key};
use privyseal_test_servers::ishare_server::{Config, Draft, IshareServer, REGISTRY};
use serde_json::json;

use crate::stage::{CLIENT, World, said};

#[test]
fn an_honest_registry_is_believed() {
    let world = World::new();
    let stage = world.play(world.registry());
    let list = stage.list().unwrap();
    assert_eq!(list.entries().len(), 3);
    assert!(list.entries().iter().all(TrustedCa::is_trusted));
    let party = stage.party(CLIENT).unwrap();
    assert!(party.is_active());
    assert_eq!(party.ids(), [CLIENT]);
    assert_eq!(party.info()["party_name"], "Test Party");
}

/// Any certificate of the registry's chain may be the trusted one, and no other.
#[test]
fn trust_begins_at_any_certificate_of_the_chain() {
    let world = World::new();
    let mut stage = world.play(world.registry());
    for ca in [&world.pki.issuing, &world.pki.sub, &world.pki.root] {
        stage.trust = Certificates::from(vec![ca.certificate.clone()]);
        stage.list().unwrap();
    }
    // The client's own leaf was issued by the same CA, and vouches for nobody.
    for stranger in [&world.chain[0], &other_root()] {
        stage.trust = Certificates::from(vec![stranger.clone()]);
        let error = stage.list().unwrap_err();
        assert!(
            said(&error).contains("lead to none that is trusted"),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::Refused);
    }
    stage.trust = Certificates::from(vec![]);
    assert!(stage.list().is_err());
}

/// A root of the same name and another key.
fn other_root() -> Vec<u8> {
    let spec = CertificateSpec::authority("Test Root CA", None);
    let key = test_key("other-root", 2048);
    privyseal_test_pki::Authority::root(key, spec).certificate
}

type Lie = Box<dyn Fn(&mut Draft) + Send + Sync>;

/// Each lie, and what is said about it.
#[test]
fn each_lie_is_refused_for_its_own_reason() {
    let world = World::new();
    let leaf = |spec: CertificateSpec| {
        world
            .pki
            .chain(&test_key("registry", 2048).spki_der(), &spec)
    };
    let seal = CertificateSpec::seal;
    let expired = leaf(seal().valid(1_000_000_000, 1_500_000_000));
    let later = leaf(seal().valid(4_000_000_000, 4_100_000_000));
    let encryption = leaf(seal().usage(&[Usage::KeyEncipherment]));
    let backwards: Vec<_> = leaf(seal()).into_iter().rev().collect();
    let client_chain = world.chain.clone();
    let false_ca = false_ca();
    let cases: Vec<(&str, Lie)> = vec![
        ("was changed", Box::new(|it| it.changed_later = true)),
        (
            "was changed",
            Box::new(|it| it.key = test_key("seal", 2048)),
        ),
        (
            "another party",
            Box::new(move |it| it.set_chain(&client_chain)),
        ),
        ("RS256", Box::new(|it| it.header["alg"] = json!("none"))),
        ("RS256", Box::new(|it| it.header["alg"] = json!("HS256"))),
        ("RS256", Box::new(|it| it.header["alg"] = json!("PS256"))),
        (
            "was changed",
            Box::new(|it| it.header["alg"] = json!("RS384")),
        ),
        ("typ", Box::new(|it| it.header["typ"] = json!("JOSE"))),
        (
            "extensions",
            Box::new(|it| it.header["crit"] = json!(["b64"])),
        ),
        ("x5c", Box::new(|it| it.header["x5c"] = json!([]))),
        ("x5c", Box::new(|it| it.header["x5c"] = json!("MAA="))),
        ("x5c", Box::new(|it| it.header["x5c"] = json!(["%"]))),
        ("x5c", Box::new(|it| it.header["x5c"] = json!(null))),
        ("no seal", Box::new(|it| it.header["x5c"] = json!(["MAA="]))),
        ("leaf first", Box::new(move |it| it.set_chain(&backwards))),
        ("expired at", Box::new(move |it| it.set_chain(&expired))),
        ("valid from", Box::new(move |it| it.set_chain(&later))),
        (
            "nonRepudiation",
            Box::new(move |it| it.set_chain(&encryption)),
        ),
        ("no CA", Box::new(move |it| it.set_chain(&false_ca))),
        (
            "iss",
            Box::new(|it| it.claims["iss"] = json!("EU.EORI.NL000000009")),
        ),
        (
            "sub",
            Box::new(|it| it.claims["sub"] = json!("EU.EORI.NL000000009")),
        ),
        (
            "aud",
            Box::new(|it| it.claims["aud"] = json!("EU.EORI.NL000000009")),
        ),
        ("aud", Box::new(|it| it.claims["aud"] = json!([CLIENT]))),
        ("aud", Box::new(|it| it.claims["aud"] = json!(null))),
        ("jti", Box::new(|it| it.claims["jti"] = json!(""))),
        ("iat", Box::new(|it| it.claims["iat"] = json!("now"))),
        ("exp", Box::new(|it| it.claims["exp"] = json!(1.5))),
        ("30 s", Box::new(|it| shift(it, 0, 3600))),
        ("30 s", Box::new(|it| shift(it, 0, -1))),
        ("expired at", Box::new(|it| shift(it, -31, -31))),
        ("for later", Box::new(|it| shift(it, 20, 20))),
        (
            "for later",
            Box::new(|it| it.claims["nbf"] = json!(4_000_000_000_u64)),
        ),
    ];
    for (words, lie) in cases {
        let stage = world.play(world.registry().lying(lie));
        let errors = [stage.list().unwrap_err(), stage.party(CLIENT).unwrap_err()];
        for error in errors {
            let text = said(&error);
            assert!(text.contains(words), "no {words:?} in: {text}");
            assert!(text.contains("the registry's"), "{text}");
            assert_eq!(error.kind(), ErrorKind::Refused, "{text}");
        }
    }
}

/// A chain whose issuing CA is an ordinary seal.
fn false_ca() -> Vec<Vec<u8>> {
    let mut issuing = CertificateSpec::seal();
    issuing.subject = "CN=Test Issuing CA,O=Privyseal Test Trust,C=NL".into();
    let pki = TestPki::with_specs(
        CertificateSpec::authority("Test Root CA", None),
        CertificateSpec::authority("Test Sub CA", Some(1)),
        issuing,
    );
    pki.seal_chain(&test_key("registry", 2048))
}

fn shift(draft: &mut Draft, iat: i64, exp: i64) {
    for (name, seconds) in [("iat", iat), ("exp", exp)] {
        let moment = draft.claims[name].as_i64().unwrap() + seconds;
        draft.claims[name] = json!(moment);
    }
}

/// This machine's clock decides, not the registry's.
#[test]
fn an_answer_that_is_kept_expires() {
    let world = World::new();
    let mut stage = world.play(world.registry());
    let now = privyseal::base::clock::now().unwrap().as_secs();
    for (shift, words) in [(-3600, "for later"), (3600, "expired at")] {
        let moment = now.checked_add_signed(shift).unwrap();
        stage.now = Some(UnixTime::from_secs(moment).unwrap());
        let text = said(&stage.list().unwrap_err());
        assert!(text.contains(words), "{text}");
    }
}

/// As registries write them: in another case, with a digest in another form, beside an entry that says nothing.
#[test]
fn one_bad_entry_does_not_void_a_list() {
    let world = World::new();
    let lie = |it: &mut Draft| {
        let entries = it.claims["trusted_list"].as_array_mut().unwrap();
        for entry in entries.iter_mut() {
            entry["validity"] = json!("Valid");
            entry["status"] = json!("Granted");
        }
        entries[0].as_object_mut().unwrap().remove("status");
        entries.push(json!({ "subject": "CN=A" }));
        entries.push(json!(7));
    };
    let list = world.play(world.registry().lying(lie)).list().unwrap();
    let trusted: Vec<_> = list.entries().iter().map(TrustedCa::is_trusted).collect();
    assert_eq!(trusted, [false, true, true]);
}

#[test]
fn a_list_or_a_party_of_another_form_is_refused() {
    let world = World::new();
    for list in [json!(null), json!({}), json!([{ "subject": "CN=A" }])] {
        let lie = move |it: &mut Draft| it.claims["trusted_list"] = list.clone();
        let error = world.play(world.registry().lying(lie)).list().unwrap_err();
        assert!(said(&error).contains("no trusted_list"), "{error}");
    }
    let lie = |it: &mut Draft| it.claims["party_info"] = json!("active");
    let error = world.play(world.registry().lying(lie)).party(CLIENT);
    assert!(said(&error.unwrap_err()).contains("no party_info"));
}

#[test]
fn only_its_parties_get_a_token_of_a_registry() {
    let world = World::new();
    let server = IshareServer::start(Config::honest(&world.pki, Vec::new()));
    let roots = Certificates::from_bytes(server.tls_ca_pem().as_bytes()).unwrap();
    let http = Http::new(&HttpOptions::default().roots(Roots::Only(roots)));
    let base = server.base_url().parse().unwrap();
    let options = AssertionOptions::default().audience(REGISTRY);
    let error = world.client().access_token(&http, &base, &options);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("the client is no party of this registry"),
        "{error}"
    );
}
