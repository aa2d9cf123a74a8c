//! `privyseal receiver serve` from outside: started, used, ended.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use privyseal_test_pki::pem_chain;
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};
use privyseal_test_suite::flow::Client;

use crate::http::post;
use crate::server::form;
use crate::stage::CONSUMER;

#[test]
fn the_command_serves_until_it_is_told_to_end() {
    let client = Client::new();
    let party = party_info(CONSUMER, "Active", &client.chain);
    let registry = IshareServer::start(Config::honest(&client.pki, vec![party]));
    let tls_ca = client.file("tls-ca.pem", registry.tls_ca_pem());
    let root = client.file("root.pem", pem_chain(&client.chain[3..]));
    let words = [
        "receiver",
        "serve",
        "--scheme",
        "ishare",
        "--audience",
        REGISTRY,
        "--base-url",
        &registry.base_url(),
        "--listen",
        "127.0.0.1:0",
        "--internal",
        "127.0.0.1:0",
        "--leeway",
        "0",
    ];
    let mut command = client.command(&words);
    command
        .arg("--cacert")
        .arg(&tls_ca)
        .arg("--trust")
        .arg(&root);
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let address = |text: &str| -> SocketAddr {
        let rest = line.split_once(text).unwrap_or_else(|| panic!("{line}")).1;
        rest.split([',', '\n']).next().unwrap().parse().unwrap()
    };
    let public = address("listening on http://");
    let internal = address("for services on http://");
    // What was made before it started may have been accepted by another.
    let sign = ["sign", "--scheme", "ishare", "--audience", CONSUMER];
    let old = client.run(&sign, &[]).stdout;
    let refused = post(internal, "/v1/accept", &form(old.trim(), &[]));
    assert!(
        refused.status == 200 || refused.json()["rule"] == "unavailable",
        "{refused:?}"
    );
    thread::sleep(Duration::from_secs(3));
    let token = client.run(&sign, &[]).stdout;
    let given = post(public, "/connect/token", &form(token.trim(), &[]));
    assert_eq!(given.status, 200, "{given:?}");
    assert_eq!(
        post(public, "/connect/token", &form(token.trim(), &[])).status,
        400
    );
    let kill = Command::new("kill").arg(process.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    assert!(log.contains(&format!("accepted {CONSUMER} jti ")), "{log}");
    assert!(
        log.contains("refused replay: the assertion was accepted before"),
        "{log}"
    );
    assert!(!log.contains(token.trim()), "an assertion in the log");
}
