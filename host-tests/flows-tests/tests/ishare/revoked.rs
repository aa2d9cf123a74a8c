//! What a registry says is not believed if its seal, or a CA above it, was revoked: of lists that are given
//! with `--crl`, as everywhere here. Nothing is fetched.

use std::path::Path;

use privyseal_test_pki::TestPki;
use privyseal_test_servers::ishare_server::{Config, party_info};
use privyseal_test_suite::flow::{Client, Outcome};

use crate::command;
use crate::stage::CLIENT;

/// A registry whose seal has that chain.
fn run(client: &Client, chain: &[Vec<u8>], words: &[&str], crls: &[&Path]) -> Outcome {
    let party = party_info(CLIENT, "Active", &client.chain);
    let config = Config {
        chain: chain.to_vec(),
        ..Config::honest(&client.pki, vec![party])
    };
    let crls: Vec<(&str, &Path)> = crls.iter().map(|crl| ("--crl", *crl)).collect();
    command::run(client, config, words, &crls)
}

#[test]
fn a_registry_whose_seal_or_ca_was_revoked_is_not_believed() {
    let client = Client::new();
    let TestPki { root, sub, issuing } = &client.pki;
    let registry = Config::honest(&client.pki, Vec::new()).chain;
    let list = |name: &str, der: Vec<u8>| client.file(name, der);
    let good = list("good.crl", issuing.revocation_list(&[]));
    let good_sub = list("sub.crl", sub.revocation_list(&[]));
    let good_root = list("root.crl", root.revocation_list(&[]));
    let seal = list("seal.crl", issuing.revocation_list(&[&registry[0]]));
    let ca = list("ca.crl", root.revocation_list(&[&registry[2]]));
    let sign = ["sign", "--scheme", "ishare", "--audience", CLIENT];
    let token = client.run(&sign, &[]).stdout;
    for words in [
        ["trusted-list"].as_slice(),
        &["party", CLIENT],
        &["check", token.trim()],
    ] {
        let outcome = run(&client, &registry, words, &[&good, &good_sub, &good_root]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        for (lists, reason) in [
            ([&*seal, &good_sub, &good_root], "is revoked since"),
            ([&good, &good_sub, &ca], "is revoked since"),
            (
                [&good, &good_sub, &good_sub],
                "may be revoked: no CRL that was given covers it",
            ),
        ] {
            let outcome = run(&client, &registry, words, &lists);
            outcome.failed(1, reason);
            assert_eq!(outcome.stdout, "", "{words:?}");
        }
    }
}

/// The client's own seal is on the list: it is the assertion that is refused, not the registry.
#[test]
fn an_assertion_by_a_revoked_seal_breaks_a_rule() {
    let client = Client::new();
    let sign = ["sign", "--scheme", "ishare", "--audience", CLIENT];
    let token = client.run(&sign, &[]).stdout;
    let TestPki { root, sub, issuing } = &client.pki;
    let list = client.file("client.crl", issuing.revocation_list(&[&client.chain[0]]));
    let sub = client.file("sub.crl", sub.revocation_list(&[]));
    let root = client.file("root.crl", root.revocation_list(&[]));
    let registry = Config::honest(&client.pki, Vec::new()).chain;
    let outcome = run(
        &client,
        &registry,
        &["check", token.trim()],
        &[&list, &sub, &root],
    );
    outcome.failed(1, "a rule is broken");
    assert!(outcome.stdout.contains("was revoked"), "{}", outcome.stdout);
}
