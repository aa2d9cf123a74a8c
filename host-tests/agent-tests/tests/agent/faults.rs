//! What holds when the disk is full, a module hangs, or the token goes away.

use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use privyseal_test_base::privyseal;
use privyseal_test_base::tool::{command, run};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::flow;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

use crate::http::{connect, exchange, request};
use crate::stage::{Stage, behind, free_port, own_uid, poll};

/// A stage whose key is behind a module that breaks as told.
pub(crate) fn with_shim() -> (Stage, FaultShim, String) {
    let mut stage = Stage::new();
    let shim = FaultShim::new(stage.client.token.dir());
    // A library of its own: it shares no state with the one that the agent may load for another profile.
    let module = stage.client.token.dir().join("libsofthsm-copy.so");
    fs::copy(SoftHsmToken::module(), &module).unwrap();
    let environment = shim.environment(&module);
    stage.environment.extend(environment);
    shim.rules(&[]);
    let uri = behind(&stage.client.token.uri(flow::KEY), &FaultShim::module());
    (stage, shim, uri)
}

pub(crate) fn mine() -> String {
    format!("[{}]", own_uid())
}

/// The disk is full in the middle of a line: that assertion and all after it stay here, and the log is whole.
#[test]
fn what_cannot_be_written_down_is_not_released() {
    let stage = Stage::new();
    let config = stage.configure("", &stage.profile());
    // No file may grow beyond some kilobytes; the signal that says so ends nothing.
    let limited = ["sh", "-c", "ulimit -S -f 4; exec \"$@\"", "sh"];
    let agent = stage.start_as(&config, &limited);
    let mut released = 0;
    let refused = loop {
        let answer = agent.assertion();
        if answer.status != 200 {
            break answer;
        }
        released += 1;
        assert!(released < 100, "the disk is never full");
    };
    refused.is_problem(503, "audit");
    assert!(!refused.body.contains("eyJ"), "{refused:?}");
    agent.assertion().is_problem(503, "audit");
    agent
        .ask("GET", "/v1/kpn/token", "")
        .is_problem(503, "audit");
    assert_eq!(agent.ask("GET", "/live", "").status, 200);
    agent.ask("GET", "/ready", "").is_problem(503, "audit");
    let metrics = agent.ask("GET", "/metrics", "").body;
    let counted = "privyseal_assertions_total{profile=\"kpn\",outcome=\"audit\"} 3";
    assert!(metrics.contains(counted), "{metrics}");
    let lines = stage.audited();
    assert_eq!(lines.len(), released + 1);

    // There is room again, and that is found without an assertion.
    let id = agent.id().to_string();
    run(&mut command("prlimit", ["--pid", &id, "--fsize=unlimited"]));
    assert_eq!(agent.ask("GET", "/ready", "").status, 200);
    let lines = stage.audited();
    assert_eq!(lines.last().unwrap()["event"], "tested");
    assert_eq!(agent.ask("GET", "/ready", "").status, 200);
    assert_eq!(stage.audited().len(), lines.len());

    // The log is moved away.
    fs::rename(stage.audit(), stage.path("audit.1")).unwrap();
    agent.signal("HUP");
    agent.hears("READY=1");
    assert_eq!(agent.assertion().status, 200);
    let (old, new) = (lines.last().unwrap(), &stage.audited()[0]);
    assert_eq!(old["link"], new["before"]);
    agent.stop();
}

/// Whoever takes the log away stops the agent.
#[test]
fn a_log_that_is_cut_short_or_removed_stops_the_agent() {
    let stage = Stage::new();
    let agent = stage.agent();
    assert_eq!(agent.assertion().status, 200);
    let whole = fs::read(stage.audit()).unwrap();
    let refused = |why: &str| {
        agent.assertion().is_problem(503, "audit");
        agent.ask("GET", "/ready", "").is_problem(503, "audit");
        assert!(agent.log().contains(why), "{}", agent.log());
    };
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    fs::write(stage.audit(), &whole[..=first]).unwrap();
    let found = format!("has {} bytes", first + 1);
    refused(&found);
    agent.signal("HUP");
    agent.hears("READY=1");
    assert!(agent.log().contains("does not end with the last line"));
    refused(&found);
    fs::write(stage.audit(), &whole).unwrap();
    assert_eq!(agent.assertion().status, 200);
    fs::remove_file(stage.audit()).unwrap();
    refused("was removed while it was open");
    // What comes after it shows that something is missing.
    agent.signal("HUP");
    agent.hears("READY=1");
    assert_eq!(agent.assertion().status, 200);
    assert_eq!(stage.audited()[0]["sequence"], 3);
    agent.stop();
}

#[test]
fn a_module_that_hangs_takes_nothing_else_with_it() {
    let (stage, shim, uri) = with_shim();
    let hangs = stage.profile_of("hangs", &uri, &mine());
    let config = stage.configure("", &format!("{}{hangs}", stage.profile()));
    let agent = stage.start(&config);
    // Below both modules is the same SoftHSM, where logins at once may fail: both are open before it begins.
    agent.comes_to(200, "POST", "/v1/hangs/assertion");
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    let begun = shim.calls("C_SignInit");
    shim.rules(&["C_Sign * hang 20000"]);
    thread::scope(|scope| {
        let asked: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| agent.ask("POST", "/v1/hangs/assertion", "")))
            .collect();
        poll("a signature", || shim.calls("C_SignInit") > begun);
        assert_eq!(agent.ask("GET", "/live", "").status, 200);
        let other = agent.assertion();
        assert_eq!(other.status, 200, "{other:?}");
        // That was not after the hang: of the others only those may have heard something that found no turn.
        let heard = asked.iter().filter(|it| it.is_finished()).count();
        assert!(heard <= 8, "{heard} were answered");
        // What was found before counts for some seconds; then the test of the key hangs, too, and is not waited for.
        agent.comes_to(503, "GET", "/ready");
        shim.rules(&[]);
        for answer in asked {
            let answer = answer.join().unwrap();
            assert!([200, 503, 504].contains(&answer.status), "{answer:?}");
        }
    });
    agent.comes_to(200, "POST", "/v1/hangs/assertion");
    agent.comes_to(200, "GET", "/ready");
    stage.audited();
    agent.stop();
}

/// One reference to the key hangs: the other signs, for who waits already as for who comes later.
#[test]
fn a_reference_that_hangs_is_passed_over() {
    let (stage, shim, uri) = with_shim();
    let both = format!("['{uri}', '{}']", stage.client.token.uri(flow::KEY));
    let profile = stage.profile_of("kpn", &uri, &mine());
    let profile = profile.replace(&format!("'{uri}'"), &both);
    let config = stage.configure("", &profile);
    let agent = stage.start(&config);
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    // Longer than anybody waits: also the end of the agent.
    let hang = Duration::from_secs(600);
    shim.rules(&[&format!("C_Sign * hang {}", hang.as_millis())]);
    let signs = || {
        for _ in 0..4 {
            let answer = agent.assertion();
            assert_eq!(answer.status, 200, "{answer:?}\n{}", agent.log());
        }
    };
    let before = shim.calls("C_SignInit");
    signs();
    let asked = shim.calls("C_SignInit");
    assert!(asked > before, "it is never asked");
    signs();
    assert_eq!(agent.ask("GET", "/ready", "").status, 200);
    assert_eq!(shim.calls("C_SignInit"), asked);
    agent.stop();
    // The command, where one does not even open.
    shim.rules(&[&format!("C_OpenSession * hang {}", hang.as_millis())]);
    let program = privyseal::path();
    let mut sign = stage.command(&[program.to_str().unwrap(), "sign", "--profile", "kpn"]);
    let signed = flow::Outcome::of(sign.arg("--config").arg(config));
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    stage.judge(&signed.stdout);
}

/// Who waits for it hears so.
#[test]
fn a_signature_that_hangs_holds_up_no_end() {
    let (stage, shim, uri) = with_shim();
    let agent = stage.start(&stage.configure("", &stage.profile_of("kpn", &uri, &mine())));
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    let begun = shim.calls("C_SignInit");
    shim.rules(&["C_Sign * hang 600000"]);
    let asking = connect(&stage.socket());
    let asked = thread::spawn(|| exchange(asking, &request("POST", "/v1/kpn/assertion", "", "")));
    poll("a signature", || shim.calls("C_SignInit") > begun);
    agent.stop();
    asked.join().unwrap().is_problem(503, "busy");
}

/// Neither at a SIGHUP nor when the agent ends.
#[test]
fn a_key_that_hangs_when_it_is_opened_holds_up_no_end() {
    let (stage, shim, uri) = with_shim();
    let profile = stage.profile_of("kpn", &uri, &mine());
    let agent = stage.start(&stage.configure("", &profile));
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    let begun = shim.calls("C_OpenSession");
    shim.rules(&["C_FindObjectsInit * hang 600000"]);
    let second = stage.profile_of("second", &uri, &mine());
    stage.configure("", &format!("{profile}{second}"));
    agent.signal("HUP");
    poll("a key that hangs", || shim.calls("C_OpenSession") > begun);
    agent.stop();
}

/// Nor the start of those who do not need it.
#[test]
fn a_key_that_hangs_at_the_start_is_waited_for_by_nobody_else() {
    let (stage, shim, uri) = with_shim();
    let hangs = stage.profile_of("hangs", &uri, &mine());
    let config = stage.configure("", &format!("{}{hangs}", stage.profile()));
    shim.rules(&["C_FindObjectsInit * hang 20000"]);
    let agent = stage.starting(&config);
    poll("a socket", || stage.socket().exists());
    assert_eq!(agent.ask("GET", "/live", "").status, 200);
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    shim.rules(&[]);
    agent.hears("READY=1");
    agent.stop();
}

/// A server that takes connections and says nothing holds up who wants a token, and nobody else.
#[test]
fn a_server_that_hangs_takes_no_assertion_with_it() {
    let stage = Stage::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/x", silent.local_addr().unwrap());
    let profile = stage.profile().replace(&stage.server.base_url(), &url) + "timeout = 50\n";
    let agent = stage.start(&stage.configure("", &profile));
    thread::scope(|scope| {
        let ask = || {
            exchange(
                connect(&stage.socket()),
                &request("GET", "/v1/kpn/token", "", ""),
            )
        };
        let asked: Vec<_> = (0..32).map(|_| scope.spawn(ask)).collect();
        let waits = "privyseal_in_use{profile=\"kpn\"} 32\n";
        poll("32 who wait", || {
            agent.ask("GET", "/metrics", "").body.contains(waits)
        });
        for _ in 0..4 {
            let answer = agent.assertion();
            assert_eq!(answer.status, 200, "{answer:?}\n{}", agent.log());
        }
        agent.stop();
        for answer in asked {
            answer.join().unwrap().is_problem(503, "busy");
        }
    });
}

/// The words of the operating system are in the answer, in the log and in what doctor says.
#[test]
fn a_server_that_is_not_there_is_told_from_one_that_breaks_off() {
    const WORDS: &str = "Connection refused";
    let stage = Stage::new();
    let url = format!("https://127.0.0.1:{}/x", free_port());
    let profile = stage.profile().replace(&stage.server.base_url(), &url);
    let config = stage.configure("", &profile);
    let agent = stage.start(&config);
    let answer = agent.ask("GET", "/v1/kpn/token", "");
    answer.is_problem(502, "server");
    assert!(answer.body.contains(WORDS), "{answer:?}");
    assert!(agent.log().contains(WORDS), "{}", agent.log());
    agent.stop();
    let program = privyseal::path();
    let mut doctor = stage.command(&[program.to_str().unwrap(), "doctor", "--profile", "kpn"]);
    doctor.arg("--config").arg(config).args(["--server", &url]);
    let said = flow::Outcome::of(&mut doctor).stdout;
    assert!(said.contains(WORDS), "{said}");
}

/// Nor is one that nobody waits for any more: a key that answers nobody is not waited for longer than 15 s.
#[test]
fn an_assertion_that_ended_while_it_was_signed_is_not_released() {
    let (stage, shim, uri) = with_shim();
    let scheme = "[scheme.short]\nkey = 'kid'\naudience = 'https://as.example'\nlifetime = 5\n";
    let profile = stage.profile_of("kpn", &uri, &mine());
    let profile = profile.replace("'fiam'", "'short'") + "kid = 'mine'\n";
    let agent = stage.start(&stage.configure("", &(profile + scheme)));
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    let shows = |line| agent.ask("GET", "/metrics", "").body.contains(line);
    for hang in [6_000, 600_000] {
        shim.rules(&[&format!("C_Sign 1 hang {hang}")]);
        let begun = Instant::now();
        let late = agent.assertion();
        late.is_problem(504, "timeout");
        assert!(!late.body.contains("eyJ"), "{late:?}");
        assert!(
            begun.elapsed() < Duration::from_secs(45),
            "{:?}",
            begun.elapsed()
        );
        // Nobody asked for a self-test.
        assert!(shows("privyseal_ready{profile=\"kpn\"} 0\n"));
        if hang < 10_000 {
            agent.comes_to(200, "POST", "/v1/kpn/assertion");
            assert!(shows("privyseal_ready{profile=\"kpn\"} 1\n"));
        }
    }
    agent.stop();
}

/// The token is away when the agent starts, comes, goes and comes again.
#[test]
fn a_token_that_goes_away_and_comes_again_is_found() {
    let (stage, shim, uri) = with_shim();
    let config = stage.configure("", &stage.profile_of("kpn", &uri, &mine()));
    shim.rules(&["C_Initialize * return 0x30"]);
    let agent = stage.start(&config);
    let away = agent.assertion();
    away.is_problem(503, "key");
    assert!(away.head.contains("retry-after: "), "{}", away.head);
    assert_eq!(agent.ask("GET", "/ready", "").status, 503);
    for rules in [&[][..], &["C_Sign * return 0x32"], &[]] {
        shim.rules(rules);
        let (wanted, word) = match rules {
            [] => (200, "open"),
            _ => (503, "away"),
        };
        agent.comes_to(wanted, "POST", "/v1/kpn/assertion");
        let metrics = agent.ask("GET", "/metrics", "").body;
        let shown = format!("privyseal_key_state{{profile=\"kpn\",state=\"{word}\"}} 1");
        assert!(metrics.contains(&shown), "{metrics}");
    }
    // What was written down while the key was asked is taken back.
    let lines = stage.audited();
    let jtis = |event| lines.iter().filter(move |line| line["event"] == event);
    let signed: Vec<_> = jtis("signed").map(|line| &line["jti"]).collect();
    assert!(jtis("failed").count() > 0, "{lines:?}");
    for failed in jtis("failed") {
        assert!(signed.contains(&&failed["jti"]), "{failed}");
        assert!(failed["reason"].is_string(), "{failed}");
    }
    agent.stop();
}

/// A wrong PIN costs one try, not one for each request, each profile, each way to name token or file, or each SIGHUP.
#[test]
fn a_wrong_pin_costs_one_try() {
    let (stage, shim, uri) = with_shim();
    let (file, copy) = (stage.client.token.pin_file(), stage.path("copy-of-pin"));
    let holds = |pin: &str| {
        for path in [&file, &copy] {
            fs::write(path, pin).unwrap();
        }
    };
    holds("0000");
    let of_copy = uri.replace(file.to_str().unwrap(), copy.to_str().unwrap());
    let any_token = uri.replace("token=T;", "");
    assert!(of_copy != uri && any_token != uri, "{uri}");
    let profiles = [
        ("kpn", &uri),
        ("b", &uri),
        ("c", &of_copy),
        ("d", &any_token),
    ];
    let texts = profiles.map(|(name, uri)| stage.profile_of(name, uri, &mine()));
    let config = stage.configure("", &texts.concat());
    let agent = stage.start(&config);
    let all_refused = |tries: usize| {
        for (name, _) in profiles {
            let refused = agent.ask("POST", &format!("/v1/{name}/assertion"), "");
            refused.is_problem(503, "key");
        }
        agent.ask("GET", "/ready", "").is_problem(503, "key");
        assert_eq!(shim.calls("C_Login"), tries, "{}", agent.log());
    };
    let hangup = || {
        agent.signal("HUP");
        agent.hears("READY=1");
    };
    for _ in 0..3 {
        all_refused(1);
    }
    for name in ["kpn", "d"] {
        let metrics = agent.ask("GET", "/metrics", "").body;
        let refused = format!("privyseal_key_state{{profile=\"{name}\",state=\"pin\"}} 1");
        assert!(metrics.contains(&refused), "{metrics}");
    }
    let program = privyseal::path();
    let mut sign = stage.command(&[program.to_str().unwrap(), "sign", "--profile", "kpn"]);
    let asked = flow::Outcome::of(sign.arg("--agent").arg(stage.socket()));
    asked.failed(3, "PIN");
    // Nothing was repaired; then it is another PIN, and the first one again.
    hangup();
    all_refused(1);
    holds("0001");
    all_refused(1);
    hangup();
    all_refused(2);
    holds("0000");
    hangup();
    all_refused(2);
    // The one who repairs it says so.
    holds(PIN);
    agent.assertion().is_problem(503, "key");
    hangup();
    for (name, _) in profiles {
        let answer = agent.ask("POST", &format!("/v1/{name}/assertion"), "");
        assert_eq!(answer.status, 200, "{answer:?}\n{}", agent.log());
    }
    // A right PIN costs no try, and of keys that are opened at once each may say it.
    let calls = shim.calls("C_Login");
    assert!((3..=2 + profiles.len()).contains(&calls), "{calls}");
    agent.stop();
}

/// Of several references the others sign where the PIN of one is not there, or wrong; that costs one try.
#[test]
fn a_reference_whose_pin_is_wrong_is_passed_over() {
    let (stage, shim, uri) = with_shim();
    let token = &stage.client.token;
    let (key, pin) = (token.dir().join("key.pem"), stage.path("pin-of-u"));
    fs::write(&key, stage.client.key.pkcs8_pem()).unwrap();
    let so_pin = ["--pin", "13572468", "--so-pin", "12345678"];
    let tool = |words: &[&str]| {
        run(token.tool("softhsm2-util", words).args(so_pin));
    };
    tool(&["--init-token", "--free", "--label", "U"]);
    let words = [
        "--token",
        "U",
        "--id",
        "01",
        "--label",
        flow::KEY,
        "--import",
    ];
    tool(&[&words[..], &[key.to_str().unwrap()]].concat());
    let file = token.pin_file();
    let of_u = uri.replace("token=T;", "token=U;");
    let of_u = of_u.replace(file.to_str().unwrap(), pin.to_str().unwrap());
    let profile = stage.profile_of("kpn", &uri, &mine());
    let both = format!("['{of_u}', '{uri}']");
    let config = stage.configure("", &profile.replace(&format!("'{uri}'"), &both));
    // The one that is right is tried again with the others.
    for (held, tries) in [(None, 1), (Some("00000000"), 3)] {
        if let Some(held) = held {
            fs::write(&pin, held).unwrap();
        }
        let before = shim.calls("C_Login");
        let agent = stage.start(&config);
        for _ in 0..3 {
            assert_eq!(agent.assertion().status, 200, "{}", agent.log());
        }
        assert!(agent.log().contains("a reference to the key does not open"));
        assert!(shim.calls("C_Login") - before <= tries, "{}", agent.log());
        agent.stop();
    }
}

/// Of several for one token none is offered after one that was refused, until somebody acts.
#[test]
fn one_refused_pin_stops_every_other() {
    let (stage, shim, uri) = with_shim();
    let file = stage.client.token.pin_file();
    let profiles = ["kpn", "b", "c"];
    let holds = |pins: [&str; 3]| {
        for (name, pin) in profiles.iter().zip(pins) {
            fs::write(stage.path(name), pin).unwrap();
        }
    };
    holds(["0000", "0001", "0002"]);
    let texts = profiles.map(|name| {
        let pin = stage.path(name);
        let uri = uri.replace(file.to_str().unwrap(), pin.to_str().unwrap());
        stage.profile_of(name, &uri, &mine())
    });
    let agent = stage.start(&stage.configure("", &texts.concat()));
    let ask = |name: &str| agent.ask("POST", &format!("/v1/{name}/assertion"), "");
    // One for the start and one for each time that somebody acts, as long as there is one that is new.
    for tries in [1, 2, 3, 3] {
        for name in [profiles, profiles].concat() {
            ask(name).is_problem(503, "key");
        }
        assert_eq!(shim.calls("C_Login"), tries, "{}", agent.log());
        agent.signal("HUP");
        agent.hears("READY=1");
    }
    holds([PIN; 3]);
    agent.signal("HUP");
    agent.hears("READY=1");
    for name in profiles {
        let answer = ask(name);
        assert_eq!(answer.status, 200, "{answer:?}\n{}", agent.log());
    }
    agent.stop();
}

/// As when it was changed on the token: the one who writes the new one down says so.
#[test]
fn a_pin_that_was_changed_is_taken_at_a_hangup() {
    let (stage, shim, uri) = with_shim();
    let agent = stage.start(&stage.configure("", &stage.profile_of("kpn", &uri, &mine())));
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    // The login is lost, and the one that was kept is wrong.
    shim.rules(&["C_SignInit 1 first login", "C_Login * return 0xa0"]);
    agent.comes_to(503, "POST", "/v1/kpn/assertion");
    agent.comes_to(503, "GET", "/ready");
    shim.rules(&[]);
    agent.assertion().is_problem(503, "key");
    agent.signal("HUP");
    agent.hears("READY=1");
    let answer = agent.assertion();
    assert_eq!(answer.status, 200, "{answer:?}\n{}", agent.log());
    agent.stop();
}
