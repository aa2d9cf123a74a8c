//! From its start to its end: configuration read again, sockets handed over, requests that are under way.

use std::fs;
use std::process::Stdio;
use std::thread;

use privyseal_test_base::privyseal;
use privyseal_test_servers::fiam_server::FiamServer;
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::flow;
use privyseal_test_suite::softhsm::SoftHsmToken;

use crate::http::{connect, exchange, request};
use crate::stage::{Stage, behind, own_uid, poll};

#[test]
fn a_hangup_reads_the_configuration_again() {
    let stage = Stage::new();
    let agent = stage.agent();
    agent
        .ask("POST", "/v1/second/assertion", "")
        .is_problem(403, "profile");
    let uri = stage.client.token.uri(flow::KEY);
    let second = stage.profile_of("second", &uri, &format!("[{}]", own_uid()));
    stage.configure("", &format!("{}{second}", stage.profile()));
    agent.signal("HUP");
    agent.hears("RELOADING=1");
    agent.hears("READY=1");
    for profile in ["kpn", "second"] {
        let answer = agent.ask("POST", &format!("/v1/{profile}/assertion"), "");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    // What cannot change while it runs is said, and who is not served.
    let unserved = second.replace("second", "third");
    let unserved = unserved.replace("allow-uids", "# allow-uids");
    let profiles = format!("{}{second}{unserved}", stage.profile());
    stage.configure("audit-sync = false", &profiles);
    agent.signal("HUP");
    agent.hears("READY=1");
    let log = agent.log();
    assert!(log.contains("\"member\":\"audit-sync\""), "{log}");
    assert!(
        log.contains("is not served\",\"profile\":\"third\""),
        "{log}"
    );
    // One that breaks a rule changes nothing.
    stage.configure("nonsense = 1", "");
    agent.signal("HUP");
    agent.hears("READY=1");
    assert_eq!(agent.assertion().status, 200);
    assert!(agent.log().contains("unknown field `nonsense`"));
    // Whoever is taken away is not served any more.
    stage.configure("", &second);
    agent.signal("HUP");
    agent.hears("READY=1");
    agent.assertion().is_problem(403, "profile");
    let metrics = agent.ask("GET", "/metrics", "").body;
    let shows = |name| metrics.contains(&format!("privyseal_ready{{profile=\"{name}\"}}"));
    assert!(shows("second") && !shows("kpn"), "{metrics}");
    agent.stop();
}

/// The server shows a certificate of another CA than the file had at the start.
#[test]
fn a_hangup_reads_files_of_certificates_again() {
    let stage = Stage::new();
    let right = fs::read(stage.client.token.dir().join("tls-ca.pem")).unwrap();
    let other = FiamServer::trusting(&stage.client.pki.root.certificate);
    stage.client.file("tls-ca.pem", other.tls_ca_pem());
    let agent = stage.agent();
    let socket = stage.socket();
    let token = |code| {
        let program = privyseal::path();
        let words = [
            program.to_str().unwrap(),
            "token",
            "--profile",
            "kpn",
            "--agent",
        ];
        let outcome = flow::Outcome::of(stage.command(&words).arg(&socket));
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        outcome
    };
    assert!(token(4).stderr.contains("certificate"));
    stage.client.file("tls-ca.pem", right);
    token(4);
    agent.signal("HUP");
    agent.hears("READY=1");
    token(0);
    agent.stop();
}

#[test]
fn what_is_under_way_ends_before_the_agent() {
    let mut stage = Stage::new();
    let shim = FaultShim::new(stage.client.token.dir());
    stage
        .environment
        .extend(shim.environment(&SoftHsmToken::module()));
    shim.rules(&[]);
    let uri = behind(&stage.client.token.uri(flow::KEY), &FaultShim::module());
    let config = stage.configure(
        "",
        &stage.profile_of("kpn", &uri, &format!("[{}]", own_uid())),
    );
    let agent = stage.start(&config);
    let begun = shim.calls("C_SignInit");
    shim.rules(&["C_Sign * hang 1500"]);
    let socket = stage.socket();
    let asked = thread::spawn(move || {
        exchange(
            connect(&socket),
            &request("POST", "/v1/kpn/assertion", "", ""),
        )
    });
    poll("a signature", || shim.calls("C_SignInit") > begun);
    agent.stop();
    assert_eq!(asked.join().unwrap().status, 200);
}

/// A socket that one left behind that was killed is no hindrance; one that is in use is.
#[test]
fn one_agent_has_the_socket() {
    let stage = Stage::new();
    let agent = stage.agent();
    let program = privyseal::path();
    let words = [program.to_str().unwrap(), "agent", "--config"];
    let config = stage.path("config.toml");
    let outcome = flow::Outcome::of(stage.command(&words).arg(&config));
    outcome.failed(2, "is written by another process");
    drop(agent);
    assert!(stage.socket().exists());
    let agent = stage.start(&config);
    assert_eq!(agent.assertion().status, 200);
    agent.stop();
}

/// systemd listens, and starts the agent with the first connection.
#[test]
fn a_socket_can_be_handed_over() {
    let stage = Stage::new();
    let config = stage.configure("", &stage.profile());
    let socket = stage.path("activated.sock");
    let mut command = stage.command(&["systemd-socket-activate", "--listen"]);
    command
        .arg(&socket)
        .arg("--setenv=SOFTHSM2_CONF")
        .arg(privyseal::path());
    command.arg("agent").arg("--config").arg(&config);
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    poll("a socket", || socket.exists());
    let answer = exchange(
        connect(&socket),
        &request("POST", "/v1/kpn/assertion", "", ""),
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!stage.socket().exists());
    assert!(fs::metadata(&socket).is_ok());
}
