//! Servers: one that answers, and none at all.

use privyseal_test_pki::pem_chain;
use privyseal_test_servers::fiam_server::FiamServer;
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};

use crate::{EORI, KEY, PARTY, at, client, file};

/// Where nobody listens.
const NOBODY: &str = "https://127.0.0.1:1/v1";

#[test]
fn nobody_answers() {
    let client = client();
    let mut transcript = at(&client);
    let (uri, root) = (client.token.uri(KEY), file(&client, "root.pem"));
    let token = [
        "token",
        "--scheme",
        "fiam",
        "--key",
        &uri,
        "--base-url",
        NOBODY,
    ];
    let token = [&token[..], &["--client-id", EORI]].concat();
    let ehealth = [
        "token",
        "--scheme",
        "ehealth",
        "--key",
        &uri,
        "--base-url",
        NOBODY,
    ];
    let ehealth = [&ehealth[..], &["--client-id", "c", "--realm", "M2M"]].concat();
    let ishare = ["--scheme", "ishare", "--key", &uri, "--base-url", NOBODY];
    let registry = ["--audience", REGISTRY, "--trust", &root];
    let ishare = [&ishare[..], &registry].concat();
    let ciba = [
        "ciba",
        "--key",
        &uri,
        "--client-id",
        "c",
        "--base-url",
        NOBODY,
    ];
    for words in [
        token.clone(),
        [&token[..], &["--call", "contracts"]].concat(),
        [&token[..], &["--cacert", "/nowhere/ca.pem"]].concat(),
        [&token[..], &["--cacert", "/dev/null"]].concat(),
        [&token[..], &["--userinfo"]].concat(),
        [&ehealth[..], &["--scope", "openid", "--userinfo"]].concat(),
        [&["ishare", "trusted-list"], &ishare[..]].concat(),
        [&["ishare", "party", "nobody"], &ishare[..]].concat(),
        ciba.to_vec(),
        [&ciba[..], &["--service", "TEST_LOGIN"]].concat(),
        [
            &ciba[..],
            &["--service", "TEST_LOGIN", "--qr", "/nowhere/qr.jpg"],
        ]
        .concat(),
        [
            &ciba[..],
            &["--service", "TEST_LOGIN", "--qr", "never-written.jpg"],
        ]
        .concat(),
        ["doctor", "--key", &uri, "--server", NOBODY].to_vec(),
    ] {
        transcript.run(&words);
    }
    transcript.is("servers_away");
}

#[test]
fn fiam() {
    let client = client();
    let mut transcript = at(&client);
    let server = FiamServer::trusting(&client.pki.root.certificate);
    client.file("ca.pem", server.tls_ca_pem());
    let (uri, base, ca) = (
        client.token.uri(KEY),
        server.base_url(),
        file(&client, "ca.pem"),
    );
    let token = [
        "token",
        "--scheme",
        "fiam",
        "--key",
        &uri,
        "--base-url",
        &base,
    ];
    let contracts = ["--call", "/service-consumers/contracts"];
    let id = ["--client-id", EORI];
    for more in [
        &["--cacert", &ca, "--call", contracts[1]][..],
        &["--cacert", &ca, "--call", contracts[1], "--all-pages"],
        &["--cacert", &ca, "--call", "/nowhere"],
        &["--cacert", &ca, "--audience", "EU.EORI.NL000000001"],
        &["--cacert", &ca, "--now", "1780272000"],
        &[],
    ] {
        transcript.run(&[&token[..], &id, more].concat());
    }
    for party in [
        "EU.EORI.NL000000403",
        "EU.EORI.NL000000404",
        "EU.EORI.NL000000500",
    ] {
        transcript.run(&[&token[..], &["--client-id", party, "--cacert", &ca]].concat());
    }
    transcript.is("fiam");
}

#[test]
fn ishare() {
    let client = client();
    let mut transcript = at(&client);
    let active = party_info(PARTY, "Active", &client.chain);
    let away = party_info("did:ishare:EU.NL.NTRNL-20000002", "Revoked", &client.chain);
    let server = IshareServer::start(Config::honest(&client.pki, vec![active, away]));
    client.file("ca.pem", server.tls_ca_pem());
    client.file("leaf.pem", pem_chain(&client.chain[..1]));
    let (uri, base, ca) = (
        client.token.uri(KEY),
        server.base_url(),
        file(&client, "ca.pem"),
    );
    let (root, chain) = (file(&client, "root.pem"), file(&client, "chain.pem"));
    let leaf = file(&client, "leaf.pem");
    let common = ["--scheme", "ishare", "--key", &uri, "--base-url", &base];
    let common = [&common[..], &["--audience", REGISTRY, "--cacert", &ca]].concat();
    let sign = [
        "sign",
        "--scheme",
        "ishare",
        "--key",
        &uri,
        "--audience",
        PARTY,
    ];
    let token = transcript.run(&sign);
    for words in [
        &["trusted-list", "--trust", &root][..],
        &["trusted-list", "--trust", &root, "--json"],
        &["trusted-list", "--trust", &leaf],
        &["party", PARTY, "--trust", &root],
        &["party", PARTY, "--trust", &root, "--json"],
        &["party", PARTY, "--trust", &root, "--certificate", &chain],
        &["party", "did:ishare:EU.NL.NTRNL-20000002", "--trust", &root],
        &["party", "did:ishare:EU.NL.NTRNL-30000003", "--trust", &root],
        &["check", token.trim_end(), "--trust", &root],
        &["check", "a.b.c", "--trust", &root],
    ] {
        transcript.run(&[&["ishare"], words, &common].concat());
    }
    transcript.is("ishare");
}
