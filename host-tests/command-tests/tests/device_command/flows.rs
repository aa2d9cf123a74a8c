//! What asks for tokens takes a gateway for a client like any other: the iSHARE registry's commands, and a
//! source of tokens in the library.

use privyseal::jose::jwk::{JwkSetBuilder, KidChoice};
use privyseal::keys::key::SignerOptions;
use privyseal::oauth::{AuthenticationOptions, SignedRequest};
use privyseal::{
    AssertionOptions, AssertionSource, Certificates, Http, HttpOptions, KeyUri, Prompt, Roots,
    TokenSource,
};
use privyseal_core::payload::AuthorizationRequest;
use privyseal_core::scheme::{FIAM, ITSME};
use privyseal_core::{KeyEncryption, SignerError as _, SignerErrorKind, Unwrapper as _};
use privyseal_gateway::{DeviceClient, DeviceKey, Expected};
use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::{pem_chain, test_key};
use privyseal_test_servers::fiam_server::{self, FiamServer};
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};
use privyseal_test_servers::oidc_provider::{OidcProvider, Registration};
use privyseal_test_simulators::device_sim::Options;
use privyseal_test_suite::unwrapping;

use serde_json::{Value, json};

use crate::stage::{ITSME_TOKEN, PARTY, SCHEME_OWNER, Stage, policy, run};

#[test]
fn the_registry_is_asked_with_a_gateway_s_assertion() {
    let stage = Stage::new(Options::default());
    // The registry's id in the place of the usual audience.
    let policy = policy("").replace(SCHEME_OWNER, REGISTRY);
    stage.write("policy.toml", policy.as_bytes());
    stage.provision().is_done();
    let party = party_info(PARTY, "Active", &stage.chain);
    let server = IshareServer::start(Config::honest(&stage.pki, vec![party]));
    let (uri, base_url) = (stage.uri(), server.base_url());
    let cacert = stage.write("tls-ca.pem", server.tls_ca_pem().as_bytes());
    let trust = stage.write("root.pem", pem_chain(&stage.chain[3..]).as_bytes());
    // Without lists the command warns that it did not look, and success here is silent.
    let pki = &stage.pki;
    let crls = [
        ("root.crl", &pki.root),
        ("sub.crl", &pki.sub),
        ("issuing.crl", &pki.issuing),
    ]
    .map(|(name, ca)| stage.write(name, &ca.revocation_list(&[])));
    let ask = |words: &[&str], audience: &str| {
        let usual = ["--scheme", "ishare", "--key", &uri, "--audience", audience];
        let server = [
            "--base-url",
            &base_url,
            "--cacert",
            &cacert,
            "--trust",
            &trust,
        ];
        let lists: Vec<&str> = crls.iter().flat_map(|crl| ["--crl", crl]).collect();
        run(&[&["ishare"], words, &usual, &server, &lists].concat(), b"")
    };
    let party = ask(&["party", PARTY, "--json"], REGISTRY).json();
    assert_eq!(party["active"], true);
    let list = ask(&["trusted-list", "--json"], REGISTRY).json();
    assert_eq!(list.as_array().unwrap().len(), 3);
    ask(&["trusted-list"], "EU.EORI.NL000000009")
        .is_refused(1, &["the audience is not in the device's policy"]);
    let log = stage.device("log", &["--json"]).json();
    let entries = log["entries"].as_array().unwrap().iter();
    assert_eq!(entries.filter(|it| it["event"] == "signed").count(), 2);
}

/// Unplugged and there again: the connection is another one, the key the same.
#[test]
fn a_gateway_that_was_away_signs_again() {
    let mut stage = Stage::provisioned();
    let key = DeviceKey::open(&stage.uri().parse().unwrap()).unwrap();
    let client = DeviceClient::new(key, &FIAM, &Expected::default()).unwrap();
    let sign = || AssertionSource::assertion(&client, &AssertionOptions::default());
    for _ in 0..2 {
        sign().unwrap();
        stage.sim.switch_off();
        sign().unwrap_err();
        stage.sim.restart();
    }
    sign().unwrap();
    // Another device in its place is not taken for it.
    stage.sim.replace(Options {
        device: *b"simulated 02",
        ..Options::default()
    });
    stage.provision().is_done();
    let said = sign().unwrap_err().to_string();
    assert!(said.contains("another device now"), "{said}");
}

#[test]
fn a_source_of_tokens_asks_a_gateway_when_it_must() {
    let stage = Stage::provisioned();
    let server = FiamServer::start(fiam_server::Config::trusting(&stage.pki.root.certificate));
    let server = server.unwrap();
    let roots = Certificates::from_bytes(server.tls_ca_pem().as_bytes()).unwrap();
    let http = Http::new(&HttpOptions::default().roots(Roots::Only(roots)));
    let key = DeviceKey::open(&stage.uri().parse().unwrap()).unwrap();
    let client = DeviceClient::new(key, &FIAM, &Expected::default()).unwrap();
    let base = server.base_url().parse().unwrap();
    let source = TokenSource::new(http, base, AssertionOptions::default());
    let first = source.token(&client).unwrap().expose().to_owned();
    assert_eq!(source.token(&client).unwrap().expose(), first, "kept");
    source.forget();
    assert_ne!(source.token(&client).unwrap().expose(), first);
}

/// As a login in a browser asks for it; who judges it knows nothing of the core.
#[test]
fn a_gateway_signs_the_request_of_a_login() {
    let stage = Stage::new(Options::default());
    let issuer = "https://idp.prd.itsme.services/v2";
    let name = "authentication-requests";
    let policy = policy("").replace(name, "authorization-requests");
    stage.write("policy.toml", policy.as_bytes());
    stage.provision().is_done();
    let key = DeviceKey::open(&stage.uri().parse().unwrap()).unwrap();
    let client = DeviceClient::new(key, &ITSME, &Expected::default()).unwrap();
    let asked = AuthorizationRequest {
        redirect_uri: "https://app.example/cb",
        scope: "openid service:CODE",
        state: "c3RhdGU",
        nonce: "bm9uY2U",
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        prompt: None,
        login_hint: None,
        max_age: Some(60),
    };
    let options = AssertionOptions::default().audience(issuer);
    let signed = client
        .signed_request(&options, SignedRequest::Authorization(&asked))
        .unwrap();
    let parts = Parts::of(signed.as_str());
    let key = ring::signature::RsaPublicKeyComponents {
        n: stage.key.public_key().modulus().to_vec(),
        e: vec![1, 0, 1],
    };
    key.verify(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        parts.signing_input.as_bytes(),
        &parts.signature,
    )
    .unwrap();
    let claims = parts.claims();
    assert_eq!(claims["aud"], issuer);
    assert_eq!(claims["iss"], "partner");
    assert_eq!(claims["redirect_uri"], asked.redirect_uri);
    assert_eq!(claims["max_age"], 60);
    // Its policy has authorization requests, and no authentication requests.
    let mut other = AuthenticationOptions::default();
    other.scope = "openid service:CODE".to_owned();
    other.user_identifier_token = "person".to_owned().into();
    let refused = client
        .signed_request(&options, SignedRequest::Authentication(&other))
        .unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("does not allow such a statement"), "{said}");
}

/// A device whose key unwraps so many content keys in so many seconds.
fn unwrapping(assertions: u16, seconds: u16) -> Stage {
    let mut stage = Stage::new(Options {
        device: *b"simulated 02",
        ..Options::default()
    });
    stage.key = test_key("unwrapping", 2048);
    stage.write("key.pem", stage.key.pkcs8_pem().as_bytes());
    let rate = format!("[rate]\nassertions = {assertions}\nseconds = {seconds}");
    let policy = format!("content-keys = true\nboard-entropy = true\n{rate}\n");
    stage.write("policy.toml", policy.as_bytes());
    stage.provision_with(&[("--chain", "")]).is_done();
    stage
}

/// What every unwrapper must do, by the device of the simulator.
#[test]
fn a_gateway_unwraps_as_tokens_do() {
    let stage = unwrapping(60, 60);
    let open = |stage: &Stage| {
        let uri: KeyUri = stage.uri().parse().unwrap();
        let mut no_pin = uri.pin_sources(Prompt::Never, |_| {});
        uri.open_unwrapper(&mut no_pin, &SignerOptions::default())
    };
    let mut key = open(&stage).unwrap();
    unwrapping::run(&mut key, KeyEncryption::RsaOaep256);
    let spki = stage.key.spki_der();
    let other = unwrapping::oaep(&spki, KeyEncryption::RsaOaep, &[7; 32]);
    let refused = key.unwrap_key(KeyEncryption::RsaOaep, &other, &mut [0; 64]);
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("RSA-OAEP-256, not with RSA-OAEP"), "{said}");
    let refused = key.unwrap_key(KeyEncryption::RsaOaep256, &other, &mut [0; 64]);
    assert_eq!(refused.unwrap_err().kind(), SignerErrorKind::Undecipherable);
    // Its line is for one at a time.
    drop(key);
    // Each key has one job.
    let signing = Stage::provisioned();
    let said = open(&signing).unwrap_err().to_string();
    assert!(said.contains("for a key that signs"), "{said}");

    let info = stage.device("info", &["--json"]).json();
    assert_eq!(info["policy"]["content_keys"], true);
    let shown = stage.device("info", &[]).printed();
    assert!(shown.contains("content keys  unwrapped"), "{shown}");
    let log = stage.device("log", &["--json"]).json();
    let entries = log["entries"].as_array().unwrap().iter();
    let event = "content key unwrapped";
    assert!(entries.filter(|it| it["event"] == event).count() >= 4);
    let (uri, other) = (stage.uri(), signing.uri());
    let set = run(&["jwks", "--key", &other, "--encryption-key", &uri], b"").json();
    assert_eq!(set["keys"][1]["use"], "enc");
    let usual = [
        "doctor",
        "--scheme",
        "itsme",
        "--key",
        &other,
        "--decryption-key",
    ];
    let looked = run(&[&usual[..], &[&uri]].concat(), b"").stdout();
    let passed = "what is encrypted to it with RSA-OAEP-256 is decrypted";
    assert!(looked.contains(passed), "{looked}");
}

/// Published to be verified with, it would be nobody's signature; and doctor has no advice for its clock.
#[test]
fn a_key_that_unwraps_is_taken_nowhere_for_one_that_signs() {
    let stage = unwrapping(60, 60);
    let uri = stage.uri();
    let words = ["it signs nothing", "--decryption-key", "--encryption-key"];
    for command in [
        &["jwks", "--key", &uri][..],
        &["jwks", "--key", &uri, "--x5c"],
        &["chain", "--key", &uri],
        &["sign", "--scheme", "fiam", "--key", &uri],
    ] {
        run(command, b"").is_refused(3, &words);
    }
    let doctor = run(&["doctor", "--key", &uri], b"").stdout();
    assert!(doctor.contains("it signs nothing"), "{doctor}");
    assert!(!doctor.contains("set-time"), "{doctor}");
    let keys = run(&["keys", "--key", &uri], b"").printed();
    assert!(
        keys.contains("unwraps content keys and signs nothing"),
        "{keys}"
    );
    assert!(!keys.contains("fit to sign"), "{keys}");
    let keys = run(&["keys", "--key", &uri, "--json"], b"").json();
    assert_eq!(keys["keys"][0]["fit"], false);
    let set = run(&["jwks", "--key", &Stage::provisioned().uri()], b"").json();
    assert_eq!(set["keys"][0]["use"], "sig");
}

/// A person has confirmed the login then.
#[test]
fn a_content_key_waits_for_the_rate() {
    let stage = unwrapping(1, 2);
    let uri: KeyUri = stage.uri().parse().unwrap();
    let mut no_pin = uri.pin_sources(Prompt::Never, |_| {});
    let mut key = uri
        .open_unwrapper(&mut no_pin, &SignerOptions::default())
        .unwrap();
    let encrypted = unwrapping::oaep(&stage.key.spki_der(), KeyEncryption::RsaOaep256, &[7; 32]);
    for _ in 0..2 {
        let mut room = [0; 64];
        let len = key.unwrap_key(KeyEncryption::RsaOaep256, &encrypted, &mut room);
        assert_eq!(room[..len.unwrap()], [7; 32]);
    }
}

/// The device makes the login hint, the signed request and every assertion, and another one unwraps what the provider has
/// encrypted; node-oidc-provider judges them.
#[test]
fn a_person_is_authenticated_with_a_gateway() {
    let stage = Stage::new(Options::default());
    let mut set = JwkSetBuilder::default();
    let kid = KidChoice::Given("k1".to_owned());
    set.add(&stage.key.public_key(), &kid, None).unwrap();
    let decrypts = unwrapping(60, 60);
    let kid = KidChoice::Given("e1".to_owned());
    set.add_encryption(&decrypts.key.public_key(), &kid, None)
        .unwrap();
    let provider = OidcProvider::start(&Registration {
        id: "partner",
        jwks: set.to_json(),
        callback: None,
        encryption: Some(("RSA-OAEP-256", "A256GCM")),
        redirect_uri: None,
    });
    let issuer = provider.issuer();
    let audiences = format!("{issuer}/token\", \"{issuer}/backchannel/authentication");
    let allowed = |more: &str| {
        let usual = "authentication-requests = [\"https://idp.prd.itsme.services/v2\"]";
        let text = policy("")
            .replace(ITSME_TOKEN, &audiences)
            .replace(usual, more);
        stage.write("policy.toml", text.as_bytes());
    };
    allowed(&format!("authentication-requests = [\"{issuer}\"]"));
    stage.provision().is_done();
    let cacert = provider.cacert().display().to_string();
    let qr = stage.path("qr.jpg").display().to_string();
    let ask = || {
        let (uri, client) = (stage.uri(), ["--client-id", "partner"]);
        let usual = [
            "ciba",
            "--key",
            &uri,
            "--service",
            "TEST_LOGIN",
            "--qr",
            &qr,
        ];
        let server = ["--base-url", issuer, "--cacert", &cacert];
        let decryption = ["--decryption-key", &decrypts.uri()];
        run(&[&usual[..], &client, &server, &decryption].concat(), b"")
    };
    provider.script(&json!({
        "scannedAfter": 1, "polls": ["authorization_pending"], "decision": "approve",
    }));
    let ended = ask();
    assert!(
        ended.stderr().contains("waiting for the person"),
        "{}",
        ended.stderr()
    );
    let report: Value = serde_json::from_str(&ended.stdout()).unwrap();
    assert_eq!(report["id_token"]["iss"], issuer);
    assert_eq!(report["userinfo"]["sub"], report["id_token"]["sub"]);
    assert!(provider.events_of("error").is_empty());
    let log = stage.device("log", &["--json"]).json();
    let made = |event: &str| {
        let entries = log["entries"].as_array().unwrap().iter();
        entries.filter(|it| it["event"] == event).count()
    };
    assert_eq!(made("login hint signed"), 1);
    assert_eq!(made("authentication signed"), 1);
    assert!(made("signed") >= 4, "{log}");
    let log = decrypts.device("log", &["--json"]).json();
    let entries = log["entries"].as_array().unwrap().iter();
    let unwrapped = entries.filter(|it| it["event"] == "content key unwrapped");
    // One to see whether it can, and those of id_token and UserInfo response.
    assert_eq!(unwrapped.count(), 3, "{log}");

    // A policy for assertions only does not let it.
    stage.device("wipe", &["--yes-destroy-the-key"]).is_done();
    allowed("");
    stage.provision().is_done();
    ask().is_refused(
        1,
        &[
            "refused to sign a login hint",
            "does not allow such a statement",
        ],
    );
}
