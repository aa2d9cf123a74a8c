//! `privyseal ishare` from outside.

use std::path::Path;

use privyseal_test_pki::{CertificateSpec, TestPki, Usage, pem_chain};
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};
use privyseal_test_suite::flow::{Client, Outcome};

use crate::stage::{CLIENT, PARTY};

/// `privyseal ishare` against a registry like that, which it trusts for the test's root unless told otherwise.
pub(crate) fn run(
    client: &Client,
    config: Config,
    words: &[&str],
    files: &[(&str, &Path)],
) -> Outcome {
    let server = IshareServer::start(config);
    let tls_ca = client.file("tls-ca.pem", server.tls_ca_pem());
    let root = client.file("root.pem", pem_chain(&client.chain[3..]));
    let base_url = server.base_url();
    let mut all = vec!["ishare"];
    all.extend(words);
    all.extend(["--scheme", "ishare", "--audience", REGISTRY]);
    all.extend(["--base-url", &base_url]);
    let mut options: Vec<(&str, &Path)> = vec![("--cacert", &tls_ca)];
    if files.iter().all(|(name, _)| *name != "--trust") {
        options.push(("--trust", &root));
    }
    options.extend(files);
    client.run(&all, &options)
}

fn registry(client: &Client, status: &str) -> Config {
    Config::honest(&client.pki, vec![party_info(CLIENT, status, &client.chain)])
}

#[test]
fn a_party_is_printed_and_must_be_active() {
    let client = Client::new();
    let honest = || registry(&client, "Active");
    let party = run(&client, honest(), &["party", CLIENT, "--json"], &[]).json();
    assert_eq!(party["active"], true);
    assert_eq!(party["party_info"]["party_id"], CLIENT);
    let text = run(&client, honest(), &["party", CLIENT], &[]);
    assert!(
        text.stdout.contains("status        Active"),
        "{}",
        text.stdout
    );
    assert!(
        text.stderr.contains("revoked is not checked"),
        "{}",
        text.stderr
    );

    let chain = client.file("chain.pem", pem_chain(&client.chain));
    let judged = run(
        &client,
        honest(),
        &["party", CLIENT],
        &[("--certificate", &chain)],
    );
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);

    let revoked = run(
        &client,
        registry(&client, "Revoked"),
        &["party", CLIENT],
        &[],
    );
    revoked.failed(1, "not Active but Revoked");
    run(&client, honest(), &["party", PARTY], &[]).failed(1, "HTTP 404");
    run(&client, honest(), &["party", "nobody"], &[]).failed(1, "client_id");
}

#[test]
fn a_certificate_must_be_registered_and_its_ca_listed() {
    let client = Client::new();
    let other = client
        .pki
        .seal_chain(&privyseal_test_pki::test_key("registry", 2048));
    let other = client.file("other.pem", pem_chain(&other));
    let chain = client.file("chain.pem", pem_chain(&client.chain));
    let words = ["party", CLIENT];
    let outcome = run(
        &client,
        registry(&client, "Active"),
        &words,
        &[("--certificate", &other)],
    );
    outcome.failed(1, "none of those that the party registered");
    let mut unlisted = registry(&client, "Active");
    unlisted.trusted_list.clear();
    let outcome = run(&client, unlisted, &words, &[("--certificate", &chain)]);
    outcome.failed(1, "none of the chain's CAs is on the trusted list");
}

/// Each with its reason, before the registry is asked for anything.
#[test]
fn a_certificate_that_is_no_valid_seal_of_the_party_is_refused() {
    let client = Client::new();
    let key = privyseal_test_pki::test_key("seal", 2048);
    let now = privyseal_test_base::clock::now();
    let other = "CN=x,2.5.4.97=NTRNL-20000002,O=Other,C=NL".to_owned();
    let other = CertificateSpec {
        subject: other,
        ..CertificateSpec::seal()
    };
    for (spec, reason) in [
        (
            CertificateSpec::seal().valid(now - 7200, now - 3600),
            "expired at",
        ),
        (
            CertificateSpec::seal().valid(now + 3600, now + 7200),
            "is valid from",
        ),
        (
            CertificateSpec::seal().usage(&[Usage::KeyEncipherment]),
            "key usage",
        ),
        (other, "another organization"),
    ] {
        let chain = client.pki.chain(&key.spki_der(), &spec);
        let file = client.file("other.pem", pem_chain(&chain));
        let outcome = run(
            &client,
            registry(&client, "Active"),
            &["party", CLIENT],
            &[("--certificate", &file)],
        );
        outcome.failed(1, reason);
        assert_eq!(outcome.stdout, "");
    }
    let TestPki { root, sub, issuing } = &client.pki;
    let chain = client.file("chain.pem", pem_chain(&client.chain));
    let lists = [
        client.file("issuing.crl", issuing.revocation_list(&[&client.chain[0]])),
        client.file("sub.crl", sub.revocation_list(&[])),
        client.file("root.crl", root.revocation_list(&[])),
    ];
    let lists = lists.iter().map(|list| ("--crl", list.as_path()));
    let options: Vec<_> = lists.chain([("--certificate", chain.as_path())]).collect();
    let outcome = run(
        &client,
        registry(&client, "Active"),
        &["party", CLIENT],
        &options,
    );
    outcome.failed(1, "is revoked since");
}

/// A seal of the same CA, of another party, signs for the registry.
#[test]
fn a_party_is_not_the_registry() {
    let client = Client::new();
    let mut impostor = registry(&client, "Active");
    impostor.chain = client
        .pki
        .chain(&impostor.key.spki_der(), &CertificateSpec::seal());
    let outcome = run(&client, impostor, &["trusted-list"], &[]);
    outcome.failed(1, "the seal of another party than the one that was asked");
    // Unless that very seal is trusted.
    let mut pinned = registry(&client, "Active");
    pinned.chain = client
        .pki
        .chain(&pinned.key.spki_der(), &CertificateSpec::seal());
    let leaf = client.file("pinned.pem", pem_chain(&pinned.chain[..1]));
    let outcome = run(&client, pinned, &["trusted-list"], &[("--trust", &leaf)]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn the_trusted_list_is_printed_if_it_is_proved() {
    let client = Client::new();
    let honest = || registry(&client, "Active");
    let list = run(&client, honest(), &["trusted-list", "--json"], &[]).json();
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!(list[0]["status"], "granted");
    let text = run(&client, honest(), &["trusted-list"], &[]);
    assert!(
        text.stdout.contains("trusted  valid, granted: "),
        "{}",
        text.stdout
    );

    let leaf = client.file("leaf.pem", pem_chain(&client.chain[..1]));
    let outcome = run(&client, honest(), &["trusted-list"], &[("--trust", &leaf)]);
    outcome.failed(1, "--trust FILE");
    assert_eq!(outcome.stdout, "");
    let lying = honest().lying(|it| it.changed_later = true);
    run(&client, lying, &["trusted-list"], &[]).failed(1, "was changed");
}

#[test]
fn an_assertion_that_came_in_is_judged_with_the_registry_s_help() {
    let client = Client::new();
    let sign = ["sign", "--scheme", "ishare", "--audience", CLIENT];
    let token = client.run(&sign, &[]);
    assert_eq!(token.code, Some(0), "{}", token.stderr);
    let words = ["check", token.stdout.trim(), "--json"];
    let report = run(&client, registry(&client, "Active"), &words, &[]).json();
    assert_eq!(report["obeys"], true);
    let status = |rule: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|it| it["rule"] == rule).unwrap()["verdict"].clone()
    };
    assert_eq!(status("party-status"), "passed");
    assert_eq!(status("chain-trusted"), "passed");
    let outcome = run(&client, registry(&client, "Pending"), &words[..2], &[]);
    outcome.failed(1, "a rule is broken");
    assert!(outcome.stdout.contains("not Active"), "{}", outcome.stdout);
}

#[test]
fn another_scheme_has_no_registry() {
    let client = Client::new();
    let words = [
        "ishare",
        "trusted-list",
        "--scheme",
        "fiam",
        "--audience",
        REGISTRY,
    ];
    let trust = client.file("root.pem", pem_chain(&client.chain[3..]));
    client
        .run(&words, &[("--trust", &trust)])
        .failed(2, "no participant registry");
}
