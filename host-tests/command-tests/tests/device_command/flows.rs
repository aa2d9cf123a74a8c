//! What asks for tokens takes a gateway for a client like any other: the iSHARE registry's commands, and a
//! source of tokens in the library.

use privyseal::{
    AssertionOptions, AssertionSource, Certificates, Http, HttpOptions, Roots, TokenSource,
};
use privyseal_core::scheme::FIAM;
use privyseal_gateway::{DeviceClient, DeviceKey, Expected};
use privyseal_test_pki::pem_chain;
use privyseal_test_servers::fiam_server::{self, FiamServer};
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};
use privyseal_test_simulators::device_sim::Options;

use crate::stage::{PARTY, SCHEME_OWNER, Stage, policy, run};

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
