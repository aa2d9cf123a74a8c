//! The command and a gateway on a serial port, and a person at a terminal: both are pseudo-terminals.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use privyseal::pki::certificates::Certificates;
use privyseal_gateway::{Device, GatewayPolicy, Limits, Package, PrivateKey, Progress};
use privyseal_test_base::clock::run_start;
use privyseal_test_base::privyseal as program;
use privyseal_test_simulators::device_sim::Options;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::stage::{EORI, Stage, run, sign_at};

/// One end for the test, the other for the program that opens the path. As it comes it is a terminal: it echoes, waits for
/// lines, and takes some bytes for itself. Those settings stay as long as this lives.
struct Terminal {
    ours: File,
    path: PathBuf,
    theirs: File,
}

impl Terminal {
    fn new() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_bytes();
        let path = PathBuf::from(std::ffi::OsString::from_vec(name));
        let theirs = rustix::fs::open(
            &path,
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY,
            rustix::fs::Mode::empty(),
        );
        Self {
            ours: ours.into(),
            path,
            theirs: theirs.unwrap().into(),
        }
    }

    /// A terminal that is the serial line of the stage's device; its URI.
    fn line_of(stage: &Stage) -> (Self, String) {
        let line = Self::new();
        let device = UnixStream::connect(stage.sim.socket()).unwrap();
        let copies = |file: &File, device: &UnixStream| {
            (file.try_clone().unwrap(), device.try_clone().unwrap())
        };
        let (mut from, mut to) = copies(&line.ours, &device);
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut to, mut from) = copies(&line.ours, &device);
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let uri = format!("device:{}", line.path.display());
        (line, uri)
    }
}

/// Keys, chains and tokens are full of bytes that a terminal takes for itself: 0x03, 0x0d, 0x11, 0x7f.
#[test]
fn a_serial_port_carries_every_byte() {
    let stage = Stage::new(Options::default());
    let (_line, uri) = Terminal::line_of(&stage);
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
    let (_line, uri) = Terminal::line_of(&stage);
    let open = || Device::open(&uri.parse().unwrap(), Limits::default());
    let device = open().unwrap();
    run(&["device", "info", "--device", &uri], b"").is_refused(
        3,
        &["is in use by another program", "close the other program"],
    );
    drop(device);
    open().expect("it is free again");
}

/// A line that was left in the middle of an answer does not give it to the next.
#[test]
fn what_came_before_is_not_read() {
    let stage = Stage::provisioned();
    let (mut line, uri) = Terminal::line_of(&stage);
    // Raw, as the program before left it: what comes is there to be read at once.
    drop(Device::open(&uri.parse().unwrap(), Limits::default()).unwrap());
    // It has no end, so the next answer would seem to be a part of it.
    for _ in 0..3 {
        line.ours.write_all(&[0x5a; 1000]).unwrap();
    }
    let info = run(&["device", "info", "--device", &uri, "--json"], b"").json();
    assert_eq!(info["state"], "ready");
    assert_eq!(info["bad_frames"], 0);
    let _ = &line.theirs;
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
    let mut terminal = Terminal::new();
    let theirs = || Stdio::from(terminal.theirs.try_clone().unwrap());
    let mut child = Command::new(program::path())
        .args(["device", "wipe", "--device", &stage.uri()])
        .stdin(theirs())
        .stderr(theirs())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut byte = [0];
    while !said.ends_with(b"to go on:") {
        terminal.ours.read_exact(&mut byte).unwrap();
        said.extend(byte);
    }
    terminal
        .ours
        .write_all(format!("{text}\n").as_bytes())
        .unwrap();
    let code = child.wait().unwrap().code();
    // Its last words are there; nothing more comes.
    thread::sleep(Duration::from_millis(50));
    let mut rest = [0; 4096];
    let len = terminal.ours.read(&mut rest).unwrap();
    said.extend(&rest[..len]);
    (code, String::from_utf8_lossy(&said).into_owned())
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
