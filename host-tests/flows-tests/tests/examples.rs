//! The examples of the library, run as they stand in its documentation.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::process::Command;

use privyseal_test_base::privyseal;
use privyseal_test_pki::pem_chain;
use privyseal_test_servers::fiam_server::{Config, FiamServer};
use privyseal_test_servers::ishare_server::{self, IshareServer, REGISTRY, party_info};
use privyseal_test_suite::flow::{Client, KEY, Outcome};

fn run(client: &Client, name: &str, arguments: &[&str]) -> Outcome {
    let mut command = Command::new(privyseal::example(name));
    command.env("SOFTHSM2_CONF", client.token.configuration());
    command.arg(client.token.uri(KEY)).args(arguments);
    Outcome::of(&mut command)
}

#[test]
fn fiam_prints_every_contract() {
    let client = Client::new();
    let server = FiamServer::start(Config {
        contracts: 5,
        page_size: 2,
        ..Config::trusting(&client.pki.root.certificate)
    })
    .unwrap();
    let ca = client.file("tls-ca.pem", server.tls_ca_pem());
    let (base_url, ca) = (server.base_url(), ca.to_string_lossy());
    let party = ["EU.EORI.NL123456789", &base_url, &ca];
    let outcome = run(&client, "fiam", &party);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stdout.lines().count(), 5, "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "5 contracts\n");
    run(&client, "fiam", &["EU.EORI.NL000000403", &base_url, &ca]).failed(1, "HTTP 403");
}

#[test]
fn ishare_believes_an_honest_registry_and_no_other() {
    let client = Client::new();
    let id = "did:ishare:EU.NL.NTRNL-12345678";
    let honest = || {
        let party = party_info(id, "Active", &client.chain);
        ishare_server::Config::honest(&client.pki, vec![party])
    };
    let look_up = |config| {
        let server = IshareServer::start(config);
        let ca = client.file("tls-ca.pem", server.tls_ca_pem());
        let root = client.file("root.pem", pem_chain(&client.chain[3..]));
        let (base_url, ca, root) = (
            server.base_url(),
            ca.to_string_lossy().into_owned(),
            root.to_string_lossy().into_owned(),
        );
        run(&client, "ishare", &[REGISTRY, &base_url, &root, id, &ca])
    };
    let outcome = look_up(honest());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("status        Active"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("trusted  valid, granted"),
        "{}",
        outcome.stdout
    );
    look_up(honest().lying(|it| it.changed_later = true)).failed(1, "was changed");
}
