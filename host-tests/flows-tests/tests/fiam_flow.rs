//! FIAM from the assertion to the last page of contracts, by the command and by the library.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

#[path = "fiam_flow/way.rs"]
mod way;

use std::path::Path;
use std::process::Command;

use privyseal::schemes::fiam::{self, Pages};
use privyseal::{
    AssertionOptions, AssertionSource as _, BaseUrl, Certificates, Http, HttpOptions, Roots,
    SigningClient,
};
use privyseal_core::ClientId;
use privyseal_core::scheme::FIAM;
use privyseal_test_pki::{TestPki, pem_chain, test_key};
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_servers::fiam_server::{Config, FiamServer};
use privyseal_test_suite::flow;
use privyseal_test_suite::software_signer::SoftwareSigner;

const CLIENT_ID: &str = "EU.EORI.NL123456789";
const CONTRACTS: &str = "/service-consumers/contracts";

fn server(pki: &TestPki, contracts: usize, page_size: usize) -> FiamServer {
    FiamServer::start(Config {
        contracts,
        page_size,
        ..Config::trusting(&pki.root.certificate)
    })
    .unwrap()
}

/// The command: token, one page, all pages.
#[test]
fn the_command_gets_a_token_a_page_and_all_pages() {
    let client = flow::Client::new();
    let server = server(&client.pki, 7, 3);
    let tls_ca = client.file("tls-ca.pem", server.tls_ca_pem());
    let base_url = server.base_url();
    let run = |more: &[&str]| {
        let mut words = vec!["token", "--scheme", "fiam", "--client-id", CLIENT_ID];
        words.extend(["--base-url", &base_url]);
        words.extend(more);
        client.run(&words, &[("--cacert", &tls_ca)])
    };
    let token = run(&[]).json();
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["expires_in"], 360);

    let page = run(&["--call", CONTRACTS]).json();
    assert_eq!(page["page_count"], 3);
    assert_eq!(page["records"].as_array().unwrap().len(), 3);

    let all = run(&["--call", CONTRACTS, "--all-pages"]).json();
    assert_eq!(all["total_count"], 7);
    let ids: Vec<_> = all["records"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 7);
    assert_eq!(ids[6]["id"], "contract-7");
    assert_eq!(ids[6]["service_consumer"], CLIENT_ID);

    let not_paged = run(&["--all-pages"]);
    not_paged.failed(2, "--call");
}

/// A call that changes something: method, body and bearer arrive; an answer may be empty.
#[test]
fn a_call_has_a_method_and_a_body() {
    let client = flow::Client::new();
    let token = Reply::json(
        "200 OK",
        r#"{"access_token":"a-bearer","token_type":"Bearer"}"#,
    );
    let body = client.file("body.json", "{\"consent\": true}\n");
    let body = body.to_str().unwrap();
    let called = |reply: Reply, more: &[&str]| {
        let server = BadServer::start(vec![token.clone(), reply]);
        let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
        let base_url = server.base_url();
        let words = ["token", "--scheme", "fiam", "--client-id", CLIENT_ID];
        let to = ["--base-url", &base_url, "--call", "/contracts/7"];
        let run = client.run(&[&words[..], &to, more].concat(), &[("--cacert", &ca)]);
        (run, server.requests().get(1).cloned().unwrap_or_default())
    };
    let created = Reply::json("201 Created", r#"{"id":7}"#);
    for (more, line, sent) in [
        (&["--body", body][..], "POST /contracts/7 HTTP/1.1", true),
        (
            &["--method", "PUT", "--body", body],
            "PUT /contracts/7 HTTP/1.1",
            true,
        ),
        (
            &["--method", "PATCH", "--body", body],
            "PATCH /contracts/7 HTTP/1.1",
            true,
        ),
        (
            &["--method", "DELETE"],
            "DELETE /contracts/7 HTTP/1.1",
            false,
        ),
    ] {
        let (run, request) = called(created.clone(), more);
        assert_eq!(run.json()["id"], 7);
        assert!(request.starts_with(line), "{request}");
        let head = request.to_lowercase();
        assert!(head.contains("authorization: bearer a-bearer"), "{request}");
        assert_eq!(
            head.contains("content-type: application/json"),
            sent,
            "{request}"
        );
        assert_eq!(request.ends_with("{\"consent\": true}"), sent, "{request}");
    }
    let (run, _) = called(Reply::json("204 No Content", ""), &["--method", "DELETE"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), ""),
        "{}",
        run.stderr
    );
    // Before an assertion is spent.
    let no_json = client.file("no.json", "{");
    for (more, words) in [
        (&["--method", "POST"][..], "--body"),
        (&["--method", "GET", "--body", body], "sends none"),
        (&["--body", no_json.to_str().unwrap()], "no JSON"),
        (&["--all-pages", "--body", body], "--all-pages"),
        (&["--method", "HEAD"], "--method"),
    ] {
        let (run, request) = called(created.clone(), more);
        run.failed(2, words);
        assert!(request.is_empty());
    }
}

/// A list of small numbers, in less memory than its values would take: 19 MB of text, more than 600 MB of them.
#[test]
fn all_pages_of_a_long_list_fit_into_little_memory() {
    let client = flow::Client::new();
    let pages = 20;
    let numbers = vec!["0"; 475_000].join(",");
    let page = |number| {
        let body = format!(
            r#"{{"page":{number},"page_count":{pages},"total_count":{pages},"records":[{{"a":[{numbers}]}}]}}"#
        );
        Reply::json("200 OK", &body)
    };
    let token = Reply::json("200 OK", r#"{"access_token":"a","token_type":"Bearer"}"#);
    let replies = std::iter::once(token).chain((1..=pages).map(page));
    let server = BadServer::start(replies.collect());
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let base_url = server.base_url();
    let words = ["token", "--scheme", "fiam", "--client-id", CLIENT_ID];
    let list = ["--call", CONTRACTS, "--all-pages", "--base-url", &base_url];
    let mut limited = client.command(&[&words[..], &list].concat());
    limited.arg("--cacert").arg(&ca);
    // In KiB of address space, stacks and libraries included.
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v 400000; exec \"$0\" \"$@\""]);
    shell.arg(limited.get_program()).args(limited.get_args());
    shell.env("SOFTHSM2_CONF", client.token.configuration());
    let outcome = flow::Outcome::of(&mut shell);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.ends_with(
        r#"]}],"total_count":20}
"#
    ));
}

/// The library: an iterator that asks when it is asked, and gives each record once.
#[test]
fn the_library_gives_page_after_page() {
    let pki = TestPki::new();
    let key = test_key("seal", 2048);
    for (contracts, page_size, pages) in [(0, 3, 1), (1, 3, 1), (3, 3, 1), (4, 3, 2), (25, 10, 3)] {
        let server = server(&pki, contracts, page_size);
        let (http, base) = (http(&server), server.base_url().parse::<BaseUrl>().unwrap());
        let certificates = Certificates::from(pki.seal_chain(&key));
        let client = SigningClient::new(
            &FIAM,
            ClientId::new(CLIENT_ID).unwrap(),
            certificates.chain().unwrap(),
            SoftwareSigner::new(&key),
        )
        .unwrap();
        let token = client
            .access_token(&http, &base, &AssertionOptions::default())
            .unwrap();
        let mut seen = Vec::new();
        let mut count = 0;
        for page in fiam::contracts(&http, &base, &token).unwrap() {
            count += 1;
            seen.extend(page.unwrap().records);
        }
        assert_eq!((count, seen.len()), (pages, contracts));
        let all = fiam::contracts(&http, &base, &token).unwrap().records();
        let all: serde_json::Value = serde_json::from_str(&all.unwrap().into_json()).unwrap();
        assert_eq!(all["records"], serde_json::Value::Array(seen));
        let nowhere = Pages::new(&http, &base, "/nowhere", &token).unwrap();
        assert!(nowhere.records().is_err());
        assert!(Pages::new(&http, &base, "no path", &token).is_err());
    }
}

fn http(server: &FiamServer) -> Http {
    let roots = Certificates::from_bytes(server.tls_ca_pem().as_bytes()).unwrap();
    Http::new(&HttpOptions::default().roots(Roots::Only(roots)))
}

/// Every status of FIAM's table, and what the command makes of it.
#[test]
fn refusals_keep_their_exit_codes() {
    let client = flow::Client::new();
    let server = server(&client.pki, 2, 100);
    let tls_ca = client.file("tls-ca.pem", server.tls_ca_pem());
    let base_url = server.base_url();
    for (client_id, call, code) in [
        ("EU.EORI.NL000000403", false, 1),
        ("EU.EORI.NL000000404", false, 1),
        ("EU.EORI.NL100000403", true, 1),
    ] {
        let mut words = vec!["token", "--scheme", "fiam", "--base-url", &base_url];
        words.extend(["--client-id", client_id]);
        if call {
            words.extend(["--call", CONTRACTS, "--all-pages"]);
        }
        let trusted: &[(&str, &Path)] = &[("--cacert", &tls_ca)];
        let outcome = client.run(&words, trusted);
        outcome.failed(code, "HTTP 40");
        assert_eq!(outcome.stdout, "");
    }
}
