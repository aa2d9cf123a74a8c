//! From its start to its end: configuration read again, sockets handed over, requests that are under way.

use std::fs;
use std::process::Stdio;
use std::thread;

use privyseal_test_base::privyseal;
use privyseal_test_judges::decode::{Parts, to_base64};
use privyseal_test_pki::{CertificateSpec, TestKey, TestPki, Validity, pem_chain, test_key};
use privyseal_test_servers::fiam_server::FiamServer;
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::flow;
use privyseal_test_suite::softhsm::SoftHsmToken;

use crate::http::{connect, exchange, request};
use crate::stage::{Agent, NOBODY, Stage, behind, own_uid, poll};

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

/// A chain that is of another key takes no profile down; who may ask changes all the same.
#[test]
fn a_hangup_keeps_what_signs_until_the_new_one_does() {
    let stage = Stage::new();
    let client = &stage.client;
    let chain = |chain: &[Vec<u8>]| client.file("chain.pem", pem_chain(chain));
    let path = chain(&client.chain);
    let profile = stage.profile() + &format!("chain = '{}'\n", path.display());
    let agent = stage.start(&stage.configure("", &profile));
    assert_eq!(leaf(&agent), to_base64(&client.chain[0]));
    let other = client.pki.seal_chain(&test_key("decryption", 2048));
    let (ended, early) = (dated(&stage, -2), dated(&stage, 1));
    for (count, unfit) in [&other, &ended, &early].into_iter().enumerate() {
        chain(unfit);
        agent.signal("HUP");
        agent.hears("READY=1");
        assert_eq!(leaf(&agent), to_base64(&client.chain[0]));
        let log = agent.log();
        assert_eq!(log.matches("stays as it was").count(), count + 1, "{log}");
        let metrics = agent.ask("GET", "/metrics", "").body;
        for line in [
            "privyseal_ready{profile=\"kpn\"} 1\n",
            "privyseal_key_state{profile=\"kpn\",state=\"open\"} 1\n",
        ] {
            assert!(metrics.contains(line), "{metrics}");
        }
    }
    let renewed = renewed(&client.pki, &client.key);
    chain(&renewed);
    agent.signal("HUP");
    agent.hears("READY=1");
    assert_eq!(leaf(&agent), to_base64(&renewed[0]));
    chain(&other);
    let mine = format!("[{}]", own_uid());
    stage.configure("", &profile.replace(&mine, &format!("[{NOBODY}]")));
    agent.signal("HUP");
    agent.hears("READY=1");
    agent.assertion().is_problem(403, "profile");
    agent.stop();
}

/// The one of now is sent until then, and nobody says so again.
#[test]
fn a_chain_is_taken_when_its_time_comes() {
    let stage = Stage::new();
    let client = &stage.client;
    let path = client.file("chain.pem", pem_chain(&client.chain));
    let profile = stage.profile() + &format!("chain = '{}'\n", path.display());
    let agent = stage.start(&stage.configure("", &profile));
    let begin = now() + 15;
    let seal = CertificateSpec::seal().valid(begin, begin + 3600);
    let next = client.pki.chain(&client.key.spki_der(), &seal);
    client.file("chain.pem", pem_chain(&next));
    agent.signal("HUP");
    agent.hears("READY=1");
    let log = agent.log();
    assert!(
        log.contains("until then it stays as it was") || now() >= begin,
        "{log}"
    );
    let first = leaf(&agent);
    assert!(first == to_base64(&client.chain[0]) || now() >= begin);
    poll("the next chain", || leaf(&agent) == to_base64(&next[0]));
    assert!(now() >= begin, "the other one was valid until now");
    agent.stop();
}

/// Nobody asked for an assertion.
#[test]
fn a_chain_that_is_not_valid_now_is_seen_before_anybody_asks() {
    let stage = Stage::new();
    let path = stage.path("chain.pem");
    fs::write(&path, pem_chain(&dated(&stage, -2))).unwrap();
    let profile = stage.profile() + &format!("chain = '{}'\n", path.display());
    let agent = stage.start(&stage.configure("", &profile));
    let metrics = agent.ask("GET", "/metrics", "").body;
    for line in [
        "privyseal_ready{profile=\"kpn\"} 0\n",
        "privyseal_certificate_days{profile=\"kpn\"} -",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    agent.ask("GET", "/ready", "").is_problem(503, "rule");
    let log = agent.log();
    let warned = |line: &str| line.contains("\"level\":\"WARN\"") && line.contains("expired at");
    assert!(log.lines().any(warned), "{log}");
    agent.stop();
}

/// The usual chain with a leaf that is valid for a day only, which begins so many days from now.
fn dated(stage: &Stage, begins: i64) -> Vec<Vec<u8>> {
    const DAY: u64 = 24 * 3600;
    let begin = now().saturating_add_signed(begins * DAY.cast_signed());
    let seal = CertificateSpec::seal().valid(begin, begin + DAY);
    let client = &stage.client;
    client.pki.chain(&client.key.spki_der(), &seal)
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

#[test]
fn a_hangup_reads_the_certificates_on_the_token_again() {
    let stage = Stage::new();
    let client = &stage.client;
    let agent = stage.agent();
    assert_eq!(leaf(&agent), to_base64(&client.chain[0]));
    let renewed = renewed(&client.pki, &client.key);
    let old = ["--delete-object", "--type", "cert", "--id", "01"];
    client.token.pkcs11_tool(&old);
    client.token.store_certificate(&renewed[0], "01", "leaf");
    assert_eq!(leaf(&agent), to_base64(&client.chain[0]));
    agent.signal("HUP");
    agent.hears("READY=1");
    assert_eq!(leaf(&agent), to_base64(&renewed[0]));
    agent.stop();
}

/// The leaf of a new assertion.
fn leaf(agent: &Agent) -> String {
    let answer = agent.assertion();
    assert_eq!(answer.status, 200, "{answer:?}\n{}", agent.log());
    let json = answer.json();
    let parts = Parts::of(json["client_assertion"].as_str().unwrap());
    parts.header()["x5c"][0].as_str().unwrap().to_owned()
}

/// The chain of another seal for that key.
fn renewed(pki: &TestPki, key: &TestKey) -> Vec<Vec<u8>> {
    let mut seal = CertificateSpec::seal();
    seal.validity = Validity::years_from_now(3);
    pki.chain(&key.spki_der(), &seal)
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
        // One that would ask for more.
        let request = request("POST", "/v1/kpn/assertion", "", "");
        let request = request.replace("Connection: close\r\n", "");
        exchange(connect(&socket), &request)
    });
    poll("a signature", || shim.calls("C_SignInit") > begun);
    agent.stop();
    let answer = asked.join().unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("connection: close"), "{answer:?}");
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
