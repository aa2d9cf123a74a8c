//! The rest of the command with a `yubihsm:` key: public keys, access tokens, the examination, a chain from a
//! file; and the same bytes as from SoftHSM.

use privyseal_test_base::clock::now;
use std::process::Command;
use std::time::Duration;

use privyseal_test_base::privyseal;
use privyseal_test_pki::pem_chain;
use privyseal_test_servers::fiam_server::FiamServer;
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_test_suite::flow::{Client, Outcome};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::Value;

const CLIENT_ID: &str = "EU.EORI.NL123456789";

fn run(sim: &YubihsmSim, words: &[&str]) -> Outcome {
    let mut command = Command::new(privyseal::path());
    command.env("PRIVYSEAL_PIN", FACTORY_PASSWORD);
    command.args(words).args(["--key", &sim.uri("key-id=100")]);
    Outcome::of(&mut command)
}

/// A device with the client's key and nothing else; the chain is in a file.
fn of(client: &Client) -> (YubihsmSim, String) {
    let sim = YubihsmSim::with_idle(Duration::from_secs(30));
    sim.import_key(100, "eSeal", &client.key);
    let file = client.file("chain.pem", pem_chain(&client.chain));
    (sim, file.to_string_lossy().into_owned())
}

#[test]
fn jwks_gives_the_same_key_as_for_softhsm() {
    let client = Client::new();
    let (sim, _) = of(&client);
    let ours = run(&sim, &["jwks"]).json();
    assert_eq!(ours["keys"][0]["kty"], "RSA");
    assert_eq!(ours, client.run(&["jwks"], &[]).json());
}

#[test]
fn the_device_softhsm_and_the_software_signer_give_the_same_token() {
    let client = Client::new();
    let (sim, chain) = of(&client);
    let case = suite::cases(now())[0];
    let moment = now().to_string();
    let mut words = vec!["sign", "--scheme", "fiam", "--client-id", case.client_id];
    words.extend(["--chain", &chain, "--now", &moment, "--jti", case.jti]);
    let device = run(&sim, &words);
    assert_eq!(device.code, Some(0), "{}", device.stderr);
    let softhsm = client.run(&words, &[]);
    assert_eq!(device.stdout, softhsm.stdout);
    let case = suite::Case {
        now: moment.parse().unwrap(),
        ..case
    };
    let mut signer = SoftwareSigner::new(&client.key);
    let software = suite::mint(&mut signer, &case, &client.chain).unwrap();
    assert_eq!(device.stdout, format!("{software}\n"));
}

#[test]
fn token_gets_an_access_token_with_a_chain_from_a_file() {
    let client = Client::new();
    let (sim, chain) = of(&client);
    let server = FiamServer::trusting(&client.pki.root.certificate);
    let ca = client.file("tls-ca.pem", server.tls_ca_pem());
    let (base_url, ca) = (server.base_url(), ca.to_string_lossy());
    let mut words = vec!["token", "--scheme", "fiam", "--client-id", CLIENT_ID];
    words.extend(["--base-url", &base_url, "--cacert", &ca]);
    run(&sim, &words).failed(3, "");
    words.extend(["--chain", &chain]);
    assert_eq!(run(&sim, &words).json()["token_type"], "Bearer");
    words.extend(["--call", "/service-consumers/contracts", "--all-pages"]);
    assert_eq!(run(&sim, &words).json()["total_count"], 2);
}

#[test]
fn doctor_examines_the_device() {
    let (sim, _, _) = YubihsmSim::with_seal(Duration::from_secs(30));
    let outcome = run(&sim, &["doctor", "--scheme", "fiam", "--json"]);
    assert_eq!(outcome.json()["ok"], true);
    let empty = YubihsmSim::with_idle(Duration::from_secs(30));
    let outcome = run(&empty, &["doctor", "--json"]);
    outcome.failed(3, "one thing is broken");
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["ok"], false);
}
