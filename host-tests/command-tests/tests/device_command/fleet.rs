//! Several gateways: found, told apart, and made in a line.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::thread;

use privyseal_test_base::tool::{command, output};
use privyseal_test_pki::{CertificateSpec, pem_chain};
use privyseal_test_simulators::device_sim::{DeviceSim, Options};
use serde_json::Value;

use crate::stage::{Stage, run, sign_at};

#[test]
fn those_that_answer_are_listed_and_told_apart() {
    let stage = Stage::provisioned();
    let empty = DeviceSim::start(Options {
        device: *b"simulated 02",
        ..Options::default()
    });
    let folder = stage.path("ports");
    std::fs::create_dir(&folder).unwrap();
    symlink(stage.sim.socket(), folder.join("a")).unwrap();
    symlink(empty.socket(), folder.join("b")).unwrap();
    std::fs::write(folder.join("c"), "no port").unwrap();
    symlink("/dev/null", folder.join("d")).unwrap();
    let place = folder.display().to_string();

    let places = ["device", "list", &place, "/dev/null"];
    let list = run(&[&places[..], &["--json"]].concat(), b"").json();
    assert_eq!(
        list.as_array().unwrap().len(),
        3,
        "no other file was opened"
    );
    let text = run(&places, b"").printed();
    let text: Vec<_> = text.lines().collect();
    let ids = ["a", "b"].map(|name| format!("device:unix:{place}/{name}?device="));
    for (at, state) in [(0, "ready"), (1, "empty")] {
        let uri = list[at]["uri"].as_str().unwrap();
        assert!(uri.starts_with(&ids[at]), "{uri}");
        assert_eq!(list[at]["info"]["state"], state);
        assert_eq!(text[at], format!("{uri}  {state}"));
    }
    assert!(
        list[2]["error"]
            .as_str()
            .unwrap()
            .contains("no serial port")
    );
    assert!(text[2].contains("no serial port"), "{text:?}");

    let (ready, other) = (&list[0], &list[1]);
    sign_at(ready["uri"].as_str().unwrap(), "fiam", &[]).token();
    let id = other["info"]["device"].as_str().unwrap();
    let wrong = format!("{}?device={id}", stage.uri());
    sign_at(&wrong, "fiam", &[]).is_refused(3, &["not the one that device of the URI names"]);
    run(&["device", "list", "/nowhere"], b"").is_refused(2, &["/nowhere", "cannot be read"]);
}

#[test]
fn what_is_expected_is_asked_for_first() {
    let stage = Stage::new(Options::default());
    let info = stage.device("info", &["--json"]).json();
    let text = |name: &str| info[name].as_str().unwrap().to_owned();
    let (image, id, other) = (text("image"), text("device"), "5a".repeat(32));
    let as_it_is = ["--expect-image", &image, "--expect-device", &id];
    stage.device("info", &as_it_is).is_done();
    for (wrong, code, words) in [
        (["--expect-image", other.as_str()], 3, "runs another image"),
        (["--expect-image", "5a"], 2, "--expect-image is not 64"),
        (
            ["--expect-device", &other[..24]],
            2,
            "--expect-device is 5a5a",
        ),
        (
            ["--require-read-out", "protected"],
            3,
            "not kept from a probe",
        ),
    ] {
        for action in ["info", "generate"] {
            stage.device(action, &wrong).is_refused(code, &[words]);
        }
    }
    assert_eq!(stage.device("info", &["--json"]).json()["log_next"], 0);
    stage.provision().is_done();
    let info = stage.device("info", &["--json"]).json();
    assert!(info["not_after"].as_u64().unwrap() > info["time_floor"].as_u64().unwrap());
}

/// Each command of the document is one, and takes the options that it has there.
#[test]
fn what_the_document_types_exists() {
    let text = include_str!("../../../../docs/gateway.md");
    let mut seen = BTreeMap::new();
    for typed in text.split("privyseal device ").skip(1) {
        let typed = typed.split(['\n', '`']).next().unwrap();
        let action = typed.split([' ', ')']).next().unwrap();
        let help = seen
            .entry(action)
            .or_insert_with(|| run(&["device", action, "--help"], b"").printed());
        let options = typed.split(' ').filter(|word| word.starts_with("--"));
        for option in options {
            assert!(help.contains(option), "{action} has no {option}");
        }
    }
    assert!(seen.len() > 10, "{:?}", seen.keys());
}

/// Each device ends certified, or clearly refused; the manifest is what each of them says then.
#[test]
fn a_line_of_devices() {
    const DEVICES: u8 = 50;
    let stage = &Stage::new(Options::default());
    let wrong_image = "5a".repeat(32);
    let made: Vec<Option<Value>> = thread::scope(|scope| {
        let lanes = (0..4).map(|lane| {
            let wrong = &wrong_image;
            scope.spawn(move || {
                let mine = (0..DEVICES).filter(move |number| number % 4 == lane);
                let made = mine.map(|number| make(stage, number, wrong));
                made.collect::<Vec<_>>()
            })
        });
        let lanes: Vec<_> = lanes.collect();
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().unwrap())
            .collect()
    });
    let made: Vec<_> = made.iter().flatten().collect();
    assert_eq!(made.len(), usize::from(DEVICES - DEVICES / 10));
    for member in ["device", "key_sha256", "log_head", "request"] {
        let mut values: Vec<_> = made.iter().map(|it| it[member].to_string()).collect();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), made.len(), "{member}");
    }
}

/// One device of the line: what the manifest has of it, if it is not refused.
fn make(stage: &Stage, number: u8, wrong_image: &str) -> Option<Value> {
    let mut device = *b"line no. 000";
    device[11] = number;
    let mut sim = DeviceSim::start(Options {
        device,
        ..Options::default()
    });
    let uri = format!("device:unix:{}", sim.socket().display());
    let ask = |action: &str, more: &[&str]| {
        run(&[&["device", action, "--device", &uri], more].concat(), b"")
    };
    if number % 10 == 3 {
        let wrong = ["--expect-image", wrong_image, "--json"];
        ask("generate", &wrong).is_refused(3, &["another image"]);
        assert_eq!(ask("info", &["--json"]).json()["state"], "empty");
        return None;
    }
    let generated = ask("generate", &["--bits", "2048", "--json"]).json();
    if number % 10 == 5 {
        // Its reader is pulled out, and the power with it.
        sim.restart();
    }
    let subject = [
        "--subject",
        "CN=Gateway,organizationIdentifier=NTRNL-12345678,O=T,C=NL",
    ];
    let csr = ask("csr", &[&subject[..], &["--json"]].concat()).json();
    assert_eq!(csr["key_sha256"], generated["key_sha256"]);
    let request = csr["request"].as_str().unwrap().as_bytes();
    let said = output(
        &mut command("openssl", "req -verify -noout -pubkey".split(' ')),
        request,
    );
    let spki = output(
        &mut command("openssl", "pkey -pubin -outform DER".split(' ')),
        &said.stdout,
    );
    let chain = stage.pki.chain(&spki.stdout, &CertificateSpec::seal());
    let chain = stage.write(&format!("{number}.pem"), pem_chain(&chain).as_bytes());
    let policy = stage.path("policy.toml").display().to_string();
    let label = stage.path(&format!("{number}.svg")).display().to_string();
    let install = [
        "--policy", &policy, "--chain", &chain, "--json", "--label", &label,
    ];
    if number % 10 == 7 {
        // The chain of another one.
        let other = stage.path("chain.pem").display().to_string();
        ask("install-chain", &["--policy", &policy, "--chain", &other]).is_refused(1, &["key"]);
    }
    let mut installed = ask("install-chain", &install).json();
    installed["request"] = csr["request"].clone();
    let info = ask("info", &["--json"]).json();
    for member in ["device", "key_sha256", "image", "state", "log_next"] {
        assert_eq!(installed[member], info[member], "{member}");
    }
    let log = ask("log", &["--json"]).json();
    assert_eq!(installed["log_head"], log["head"]);
    let label = std::fs::read_to_string(label).unwrap();
    let key = installed["key_sha256"].as_str().unwrap();
    assert!(label.contains(&format!("key-sha256={key}<")), "{label}");
    Some(installed)
}
