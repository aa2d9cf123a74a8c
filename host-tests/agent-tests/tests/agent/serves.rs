//! What is served, and what is written down of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::thread;

use privyseal_test_base::privyseal;
use privyseal_test_suite::flow::Outcome;

use crate::http::{connect, exchange, request};
use crate::stage::{CLIENT_ID, Stage, own_uid};

#[test]
fn an_assertion_and_a_token_come_over_the_socket_and_are_in_the_log() {
    let stage = Stage::new();
    let agent = stage.agent();
    assert_eq!(agent.ask("GET", "/live", "").status, 200);
    assert_eq!(agent.ask("GET", "/ready", "").status, 200);

    let answer = agent.assertion();
    assert_eq!(answer.status, 200, "{answer:?}\n{}", agent.log());
    assert!(
        answer.head.contains("cache-control: no-store"),
        "{}",
        answer.head
    );
    let answer = answer.json();
    assert_eq!(answer["client_id"], CLIENT_ID);
    assert_eq!(
        answer["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(answer["expires_in"], 30);
    let jti = stage.judge(answer["client_assertion"].as_str().unwrap());

    // The second token is the first one, from memory.
    let [first, second] = [(); 2].map(|()| agent.ask("GET", "/v1/kpn/token", ""));
    assert_eq!(first.status, 200, "{first:?}");
    let (first, second) = (first.json(), second.json());
    assert_eq!(first["access_token"], second["access_token"]);
    assert_eq!(first["token_type"], "Bearer");
    let expires_in = first["expires_in"].as_u64().unwrap();
    assert!((300..=360).contains(&expires_in), "{expires_in}");

    let lines = stage.audited();
    let events: Vec<_> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["opened", "signed", "signed"]);
    assert_eq!(lines[1]["jti"], jti);
    assert_eq!(lines[1]["profile"], "kpn");
    assert_eq!(lines[1]["scheme"], "fiam");
    assert_eq!(lines[1]["audience"], "EU.EORI.NLKPNFIAMPROD");
    assert_eq!(lines[1]["requester"], format!("uid {}", own_uid()));
    let mode = fs::metadata(stage.audit()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let metrics = agent.ask("GET", "/metrics", "").body;
    for line in [
        "privyseal_assertions_total{profile=\"kpn\",outcome=\"ok\"} 2",
        "privyseal_tokens_total{profile=\"kpn\",outcome=\"ok\"} 2",
        "privyseal_ready{profile=\"kpn\"} 1",
        "privyseal_key_state{profile=\"kpn\",state=\"open\"} 1",
        "privyseal_key_state{profile=\"kpn\",state=\"pin\"} 0",
        "privyseal_in_use{profile=\"kpn\"} 0",
        "privyseal_assertion_seconds_count{profile=\"kpn\"} 2",
        "privyseal_sessions{profile=\"kpn\"} 2",
        "privyseal_certificate_end_seconds{profile=\"kpn\"} ",
        "privyseal_certificate_days{profile=\"kpn\"} ",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "no {line} in:\n{metrics}");
    }
    agent.stop();
}

/// As subprocesses of their own with the key the same hundred fail by a race in SoftHSM.
#[test]
fn a_hundred_processes_ask_at_once_and_none_fails() {
    let stage = Stage::new();
    let agent = stage.agent();
    let socket = stage.socket();
    let words = [
        "sign",
        "--profile",
        "kpn",
        "--agent",
        socket.to_str().unwrap(),
    ];
    let start = || {
        let mut command = stage.command(&[privyseal::path().to_str().unwrap()]);
        command.args(words).stdout(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..100).map(|_| start()).collect();
    let mut jtis = BTreeSet::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", agent.log());
        jtis.insert(stage.judge(&String::from_utf8(output.stdout).unwrap()));
    }
    let lines = stage.audited();
    let signed = lines.iter().filter_map(|line| line["jti"].as_str());
    assert_eq!(signed.map(str::to_owned).collect::<BTreeSet<_>>(), jtis);
    assert_eq!(jtis.len(), 100);
    agent.stop();
}

#[test]
fn a_connection_serves_many_requests_and_a_thousand_idle_ones_do_no_harm() {
    let stage = Stage::new();
    let agent = stage.agent();
    let idle: Vec<_> = (0..1000).map(|_| connect(&stage.socket())).collect();
    let half = "POST /v1/kpn/assertion HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{";
    let mut half_open: Vec<_> = (0..50).map(|_| connect(&stage.socket())).collect();
    for stream in &mut half_open {
        std::io::Write::write_all(stream, half.as_bytes()).unwrap();
    }
    thread::scope(|scope| {
        for _ in 0..8 {
            let (stage, agent) = (&stage, &agent);
            scope.spawn(move || {
                let more = request("POST", "/v1/kpn/assertion", "", "");
                let keep = more.replace("Connection: close\r\n", "");
                let answers = exchange(connect(&stage.socket()), &(keep.repeat(4) + &more));
                let texts = format!("{}{}", answers.head, answers.body);
                let count = texts.matches("HTTP/1.1 200 OK").count();
                let log = agent.log();
                let ends = log.lines().filter(|line| line.contains("connection ended"));
                assert_eq!(count, 5, "{texts}\n{}", ends.collect::<String>());
            });
        }
    });
    drop((idle, half_open));
    assert_eq!(stage.audited().len(), 41);
    agent.stop();
}

#[test]
fn the_command_asks_the_agent() {
    let stage = Stage::new();
    let agent = stage.agent();
    let program = privyseal::path();
    let (program, socket) = (program.to_str().unwrap(), stage.socket());
    let socket = socket.to_str().unwrap();
    let run = |words: &[&str]| stage.run(&[&[program], words, &["--agent", socket]].concat());
    stage.judge(&run(&[
        "sign",
        "--profile",
        "kpn",
        "-v",
        "--log-format",
        "json",
    ]));
    let json: serde_json::Value =
        serde_json::from_str(&run(&["token", "--profile", "kpn"])).unwrap();
    let token = json["access_token"].as_str().unwrap();
    let header = run(&["token", "--profile", "kpn", "--output", "header"]);
    assert_eq!(header, format!("Authorization: Bearer {token}\n"));
    let file = stage.path("token");
    let to = [
        "token",
        "--profile",
        "kpn",
        "--output",
        "env",
        "--to",
        file.to_str().unwrap(),
    ];
    assert_eq!(run(&to), "");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("ACCESS_TOKEN={token}\n")
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let failed = |words: &[&str], code, said: &str| {
        let words = [&[program], words].concat();
        let outcome = Outcome::of(&mut stage.command(&words));
        outcome.failed(code, said);
    };
    failed(
        &["sign", "--profile", "kpm", "--agent", socket],
        1,
        "no profile of that name",
    );
    failed(
        &["sign", "--profile", "kpn", "--agent", "/nowhere"],
        4,
        "does not answer",
    );
    failed(&["sign", "--agent", socket], 2, "--profile is needed");
    let audience = [
        "sign",
        "--profile",
        "kpn",
        "--agent",
        socket,
        "--audience",
        "EU.EORI.NL1",
    ];
    failed(
        &audience,
        1,
        "refused (403): the profile or its scheme says",
    );
    agent.stop();
    // What says that it is an agent sends something else.
    let listener = UnixListener::bind(socket).unwrap();
    let other = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        let body = "{\"client_assertion\":\"a.b.c\\u001b[31m\"}";
        let len = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{body}"
        )
        .unwrap();
    });
    failed(
        &["sign", "--profile", "kpn", "--agent", socket],
        4,
        "is not an assertion",
    );
    other.join().unwrap();
}

#[test]
fn a_log_that_was_changed_and_one_that_is_not_there_are_told_apart() {
    let stage = Stage::new();
    let agent = stage.agent();
    assert_eq!(agent.assertion().status, 200);
    agent.stop();
    let check = |name: &str| {
        let program = privyseal::path();
        let words = [program.to_str().unwrap(), "agent", "check-log"];
        Outcome::of(stage.command(&words).arg(stage.path(name)))
    };
    let whole = check("audit.jsonl");
    assert!(whole.stdout.starts_with("2 entries\n"), "{whole:?}");
    let text = fs::read_to_string(stage.audit()).unwrap();
    let changed = text.replace("\"scheme\":\"fiam\"", "\"scheme\":\"itsme\"");
    fs::write(stage.path("changed"), changed).unwrap();
    check("changed").failed(1, "was changed: line 2 is not linked");
    check("missing").failed(2, "missing cannot be read");
}

/// Nothing of what is told at the highest level is secret.
#[test]
fn nothing_secret_is_logged_at_trace() {
    let stage = Stage::new();
    let agent = stage.agent();
    let assertion = agent.assertion().json();
    let token = agent.ask("GET", "/v1/kpn/token", "").json();
    let pin = privyseal_test_suite::softhsm::PIN;
    let log = agent.log();
    assert!(
        log.contains("\"level\":\"TRACE\"") || log.contains("\"level\":\"DEBUG\""),
        "{log}"
    );
    let assertion = assertion["client_assertion"].as_str().unwrap();
    let signature = assertion.rsplit('.').next().unwrap();
    for secret in [
        assertion,
        signature,
        token["access_token"].as_str().unwrap(),
    ] {
        assert!(!log.contains(secret), "{log}");
        assert!(!fs::read_to_string(stage.audit()).unwrap().contains(secret));
    }
    // As a word: its digits occur in numbers.
    for text in [format!("\"{pin}\""), format!("={pin}"), format!(" {pin}\"")] {
        assert!(!log.contains(&text), "{log}");
    }
    agent.stop();
}
