//! Hours of use, compressed: token, disk, network and clock fail again and again while eight clients ask.
//!
//! `SOAK_ASSERTIONS` says how many assertions a run has (`cargo xtask bench agent --assertions`).

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use privyseal_test_base::tool::{command, run};
use privyseal_test_judges::assertion_judge::{TrustedRoot, judge};
use privyseal_test_judges::decode::Parts;
use privyseal_test_servers::fiam_server::AUDIENCE;
use privyseal_test_suite::fault_shim::FaultShim;

use crate::faults::{mine, with_shim};
use crate::stage::{Agent, Stage, audited, free_port};

const CLIENTS: usize = 8;

/// How many assertions this run has, if nobody says.
const SHORT: usize = 2000;

/// How long each fault lasts.
const STEP: Duration = Duration::from_millis(400);

/// Where Debian has the library that gives a process another time.
const CLOCK: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

#[test]
fn a_long_run_with_faults_loses_nothing_and_grows_nowhere() {
    let given = env::var("SOAK_ASSERTIONS").ok();
    let count = given.map_or(SHORT, |count| count.parse().unwrap());
    let (mut stage, shim, uri) = with_shim();
    let clock = CLOCK.iter().find(|path| fs::exists(path).unwrap());
    let clock = clock.expect("libfaketime is part of the set-up");
    fs::write(stage.path("clock"), "+0").unwrap();
    for (name, value) in [
        ("LD_PRELOAD", (*clock).into()),
        ("FAKETIME_TIMESTAMP_FILE", stage.path("clock").into()),
        ("FAKETIME_CACHE_DURATION", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        // Where the disk is full the module would fail first.
        ("FAULT_SHIM_LOG", "/dev/null".into()),
    ] {
        stage.environment.push((name.into(), value));
    }
    let kpn = stage.profile_of("kpn", &uri, &mine());
    // Its server is nobody.
    let down = kpn.replace("[profile.kpn]", "[profile.down]");
    let nobody = format!("https://127.0.0.1:{}/x", free_port());
    let down = down.replace(&stage.server.base_url(), &nobody);
    let config = stage.configure("", &format!("{kpn}{down}timeout = 1\n"));
    let agent = stage.start(&config);
    agent.comes_to(200, "POST", "/v1/kpn/assertion");

    let begun = Instant::now();
    let (released, refused, early) = used(&stage, &agent, &shim, count);
    let took = begun.elapsed();
    agent.comes_to(200, "GET", "/ready");
    let late = Size::of(&agent);
    let metrics = agent.ask("GET", "/metrics", "").body;
    agent.stop();

    let mut lines = Vec::new();
    for file in logs(&stage) {
        lines.extend(audited(&file));
    }
    let signed = lines.iter().filter(|line| line["event"] == "signed");
    let signed: BTreeSet<_> = signed.map(|line| line["jti"].as_str().unwrap()).collect();
    let lost = released.iter().filter(|jti| !signed.contains(jti.as_str()));
    assert_eq!(lost.count(), 0);
    println!(
        "{} assertions verified in {took:?}, {} lines in {} logs; refused: {refused:?}; {early:?}, then {late:?}",
        released.len(),
        lines.len(),
        logs(&stage).len(),
    );
    assert!(refused.contains_key("key"), "{refused:?}");
    assert!(
        metrics.contains("privyseal_tokens_total{profile=\"down\",outcome=\"server\"}"),
        "{metrics}"
    );
    assert!(
        metrics.contains("privyseal_in_use{profile=\"kpn\"} 0\n"),
        "{metrics}"
    );
    assert!(
        late.descriptors <= early.descriptors + 16,
        "{early:?}, then {late:?}"
    );
    assert!(
        late.threads <= early.threads + 16,
        "{early:?}, then {late:?}"
    );
    // One keeps the login, and each client has one at most.
    assert!(late.sessions <= CLIENTS + 1, "{late:?}");
    assert!(
        late.kilobytes <= early.kilobytes + 16 * 1024,
        "{early:?}, then {late:?}"
    );
}

/// What a process has.
#[derive(Debug)]
struct Size {
    descriptors: usize,
    threads: usize,
    kilobytes: usize,
    sessions: usize,
}

impl Size {
    fn of(agent: &Agent) -> Self {
        let folder = format!("/proc/{}", agent.id());
        let entries = |name| fs::read_dir(format!("{folder}/{name}")).unwrap().count();
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.unwrap().trim().split(' ').next().unwrap();
        let metrics = agent.ask("GET", "/metrics", "").body;
        let name = "privyseal_sessions{profile=\"kpn\"} ";
        let sessions = metrics.lines().find_map(|line| line.strip_prefix(name));
        Self {
            descriptors: entries("fd"),
            threads: entries("task"),
            kilobytes: memory.parse().unwrap(),
            sessions: sessions.unwrap().parse().unwrap(),
        }
    }
}

/// Has `count` assertions made under faults: their `jti`s, the refusals by kind, and what the agent had after a quarter.
fn used(
    stage: &Stage,
    agent: &Agent,
    shim: &FaultShim,
    count: usize,
) -> (BTreeSet<String>, BTreeMap<String, usize>, Size) {
    let released = AtomicUsize::new(0);
    let is_done = || released.load(Ordering::Relaxed) >= count;
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| client(stage, agent, &released, count)))
            .collect();
        let mut early = None;
        // Once through at least.
        for step in 0.. {
            if step >= STEPS && (is_done() || clients.iter().all(ScopedJoinHandle::is_finished)) {
                break;
            }
            fault(stage, agent, shim, step);
            if early.is_none() && released.load(Ordering::Relaxed) >= count / 4 {
                early = Some(Size::of(agent));
            }
        }
        let (mut jtis, mut refused) = (BTreeSet::new(), BTreeMap::new());
        for client in clients {
            let (more, others) = client.join().unwrap();
            let before = jtis.len();
            let own = more.len();
            jtis.extend(more);
            assert_eq!(jtis.len(), before + own, "a jti came twice");
            for (kind, times) in others {
                *refused.entry(kind).or_default() += times;
            }
        }
        (jtis, refused, early.unwrap_or_else(|| Size::of(agent)))
    })
}

/// Asks until there are enough; each assertion is judged as a server would.
fn client(
    stage: &Stage,
    agent: &Agent,
    released: &AtomicUsize,
    count: usize,
) -> (BTreeSet<String>, BTreeMap<String, usize>) {
    let root = TrustedRoot::new(&stage.client.pki.root.certificate).unwrap();
    let (mut jtis, mut refused) = (BTreeSet::new(), BTreeMap::new());
    let mut last = Instant::now();
    while released.load(Ordering::Relaxed) < count {
        let answer = agent.assertion();
        let json = answer.json();
        if answer.status != 200 {
            assert!(
                answer.status >= 500 && !answer.body.contains("eyJ"),
                "{answer:?}"
            );
            let kind = json["kind"].as_str().unwrap().to_owned();
            *refused.entry(kind).or_default() += 1;
            let is_stuck = last.elapsed() > Duration::from_secs(180);
            assert!(!is_stuck, "nothing is signed any more: {answer:?}");
            thread::sleep(Duration::from_millis(20));
            continue;
        }
        let assertion = json["client_assertion"].as_str().unwrap();
        // The agent's clock jumps.
        let issued = Parts::of(assertion).claims()["iat"].as_u64().unwrap();
        let judged = judge(assertion, &root, AUDIENCE, issued).unwrap();
        assert!(jtis.insert(judged.jti), "a jti came twice");
        released.fetch_add(1, Ordering::Relaxed);
        last = Instant::now();
    }
    (jtis, refused)
}

const STEPS: usize = 9;

/// One fault for a while, and its end.
fn fault(stage: &Stage, agent: &Agent, shim: &FaultShim, step: usize) {
    let limit = |bytes: &str| {
        let limit = format!("--fsize={bytes}:unlimited");
        run(&mut command(
            "prlimit",
            ["--pid", &agent.id().to_string(), &limit],
        ));
    };
    let clock = |text: &str| fs::write(stage.path("clock"), text).unwrap();
    match step % STEPS {
        0 => shim.rules(&["C_Sign 100/1000@7 return 0x30"]),
        1 => shim.rules(&["C_Sign 100/1000@8 wrong"]),
        2 => shim.rules(&["C_SignInit 3 first session"]),
        3 => shim.rules(&["C_SignInit 3 first login"]),
        4 => shim.rules(&["C_Sign * return 0x30"]),
        5 => {
            // A key that was away is left alone for some seconds: nothing would be written meanwhile.
            agent.comes_to(200, "POST", "/v1/kpn/assertion");
            limit(&fs::metadata(stage.audit()).unwrap().len().to_string());
            agent.assertion().is_problem(503, "audit");
        }
        6 => clock("+300"),
        7 => clock("-300"),
        _ => {
            agent
                .ask("GET", "/v1/down/token", "")
                .is_problem(502, "server");
            // The log is rotated.
            let old = stage.path(&format!("audit.{step:06}"));
            fs::rename(stage.audit(), old).unwrap();
            agent.signal("HUP");
            agent.hears("RELOADING=1");
            agent.hears("READY=1");
        }
    }
    thread::sleep(STEP);
    shim.rules(&[]);
    limit("unlimited");
    clock("+0");
}

/// All logs, the oldest first.
fn logs(stage: &Stage) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(stage.folder.path()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> = paths
        .filter(|path| path.file_stem().is_some_and(|name| name == "audit"))
        .filter(|path| path.extension().is_none_or(|it| it != "jsonl"))
        .collect();
    logs.sort();
    logs.push(stage.audit());
    logs
}
