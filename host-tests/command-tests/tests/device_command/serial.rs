//! The command and a gateway on a serial port, and a person at a terminal: both are pseudo-terminals.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use privyseal::pki::certificates::Certificates;
use privyseal_gateway::{Device, GatewayPolicy, Limits, Package, PrivateKey, Progress};
use privyseal_test_base::clock::run_start;
use privyseal_test_base::privyseal as program;
use privyseal_test_base::terminal::Terminal;
use privyseal_test_base::tool::command;
use privyseal_test_simulators::device_sim::Options;

use crate::stage::{EORI, Stage, run, sign_at};

/// A terminal that is the serial line of the stage's device; its URI.
fn line_of(stage: &Stage) -> (Terminal, String) {
    let line = Terminal::new();
    let device = UnixStream::connect(stage.sim.socket()).unwrap();
    let copies = || {
        (
            line.ours().try_clone().unwrap(),
            device.try_clone().unwrap(),
        )
    };
    let (mut from, mut to) = copies();
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut to, mut from) = copies();
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let uri = format!("device:{}", line.path().display());
    (line, uri)
}

/// Keys, chains and tokens are full of bytes that a terminal takes for itself: 0x03, 0x0d, 0x11, 0x7f.
#[test]
fn a_serial_port_carries_every_byte() {
    let stage = Stage::new(Options::default());
    let (_line, uri) = line_of(&stage);
    let file = |name| stage.path(name).display().to_string();
    let (policy, key, chain) = (file("policy.toml"), file("key.pem"), file("chain.pem"));
    let words = ["device", "import-key", "--device", &uri];
    let files = ["--policy", &policy, "--key", &key, "--chain", &chain];
    let provisioned = run(&[&words[..], &files[..]].concat(), b"").printed();
    let uri = provisioned.trim_end();
    for _ in 0..3 {
        sign_at(uri, "fiam", &["--client-id", EORI]).token();
    }
    let info = run(&["device", "info", "--device", uri, "--json"], b"").json();
    assert_eq!(
        (&info["state"], &info["counter"]),
        (&"ready".into(), &3.into())
    );
}

/// Two programs on one line would take each other's answers.
#[test]
fn a_serial_port_is_for_one_at_a_time() {
    let stage = Stage::provisioned();
    let (_line, uri) = line_of(&stage);
    let open = || Device::open(&uri.parse().unwrap(), Limits::default());
    let device = open().unwrap();
    run(&["device", "info", "--device", &uri], b"").is_refused(
        8,
        &["is in use by another program", "close the other program"],
    );
    let frees = thread::spawn(move || {
        thread::sleep(Duration::from_secs(1));
        drop(device);
    });
    let waits = ["device", "info", "--device", &uri, "--wait", "300"];
    run(&waits, b"").is_done();
    frees.join().unwrap();
    open().expect("it is free again");
}

/// A line that was left in the middle of an answer does not give it to the next.
#[test]
fn what_came_before_is_not_read() {
    let stage = Stage::provisioned();
    let (line, uri) = line_of(&stage);
    // Raw, as the program before left it: what comes is there to be read at once.
    drop(Device::open(&uri.parse().unwrap(), Limits::default()).unwrap());
    // It has no end, so the next answer would seem to be a part of it.
    for _ in 0..3 {
        line.ours().write_all(&[0x5a; 1000]).unwrap();
    }
    let info = run(&["device", "info", "--device", &uri, "--json"], b"").json();
    assert_eq!(info["state"], "ready");
    assert_eq!(info["bad_frames"], 0);
}

/// On a terminal the device's id must be typed.
#[test]
fn a_person_confirms_the_wipe() {
    let stage = Stage::provisioned();
    let id = stage.device("info", &["--json"]).json()["device"].clone();
    let id = id.as_str().unwrap();
    let (code, said) = wipe_typing(&stage, &id[1..]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("nothing was done"), "{said}");
    assert_eq!(stage.device("info", &["--json"]).json()["state"], "ready");
    let (code, said) = wipe_typing(&stage, id);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(stage.device("info", &["--json"]).json()["state"], "empty");
}

/// How the command ends, and what it says to the person.
fn wipe_typing(stage: &Stage, text: &str) -> (Option<i32>, String) {
    let wipe = ["device", "wipe", "--device", &stage.uri()].map(str::to_owned);
    let wipe = command(&program::path().display().to_string(), wipe);
    let ended = Terminal::new().run(&wipe, "to go on:", &format!("{text}\n"));
    (ended.code, ended.shown)
}

/// Each step is told, in order, with how much there is.
#[test]
fn an_upload_tells_how_far_it_is() {
    let stage = Stage::new(Options::default());
    let text = std::fs::read_to_string(stage.path("policy.toml")).unwrap();
    let policy = GatewayPolicy::from_toml(&text, |name| panic!("{name}")).unwrap();
    let certificates = Certificates::from_file(&stage.path("chain.pem")).unwrap();
    let key = PrivateKey::from_bytes(&std::fs::read(stage.path("key.pem")).unwrap()).unwrap();
    let at = privyseal_core::UnixTime::from_secs(run_start()).unwrap();
    let chain = certificates.chain().unwrap();
    let package = Package::import(&policy, key, Some(&chain), at).unwrap();
    let mut device = Device::open(&stage.uri().parse().unwrap(), Limits::default()).unwrap();
    let mut steps = Vec::new();
    device
        .provision(&package, &mut |step| steps.push(step))
        .unwrap();
    let (uploading, rest) = steps.split_at(steps.len() - 2);
    assert_eq!(rest, [Progress::Committing, Progress::Comparing]);
    let mut before = 0;
    let mut parts = Vec::new();
    for step in uploading {
        let Progress::Uploading { part, sent, total } = *step else {
            panic!("{step:?} in the middle of an upload");
        };
        assert!(before < sent && sent <= total, "{before} {sent} {total}");
        before = sent;
        if step == uploading.last().unwrap() {
            assert_eq!(sent, total);
        }
        if parts.last() != Some(&part) {
            parts.push(part);
        }
    }
    assert_eq!(parts.len(), 4, "{parts:?}");
    let chain: usize = stage.chain.iter().map(Vec::len).sum();
    assert!(usize::try_from(before).unwrap() > chain + 600, "{before}");
}
