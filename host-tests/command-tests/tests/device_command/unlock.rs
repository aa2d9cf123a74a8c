//! A key under an unlock secret, from a file: at each start, and no other secret.

use privyseal_test_simulators::device_sim::Options;

use crate::stage::{Stage, run, set_mode};

#[test]
fn a_device_is_unlocked_at_each_start() {
    let mut stage = Stage::new(Options::default());
    let write = |name: &str, digits: &str| {
        let path = stage.write(name, digits.as_bytes());
        set_mode(&stage.path(name), 0o600);
        path
    };
    let secret = write("unlock.hex", &format!("{}\n", "5e".repeat(32)));
    let wrong = write("wrong.hex", &"5f".repeat(32));
    let short = write("short.hex", "5e5e");

    stage
        .provision_with(&[("--unlock-secret", &short)])
        .is_refused(2, &["short.hex", "64 hexadecimal digits"]);
    let uri = stage
        .provision_with(&[("--unlock-secret", &secret)])
        .printed();
    let uri = uri.trim_end().to_owned();
    stage.sign("fiam", &[]).token();
    let unlock = |file: &str| {
        run(
            &[
                "device",
                "unlock",
                "--device",
                &uri,
                "--unlock-secret",
                file,
            ],
            b"",
        )
    };
    assert_eq!(unlock(&secret).printed(), "it is not locked\n");

    stage.sim.restart();
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(info["state"], "locked until it is given its unlock secret");
    assert_eq!(info["at_rest"]["unlock_secret"], true);
    stage
        .sign("fiam", &[])
        .is_refused(3, &["is locked", "privyseal device unlock"]);
    let refused = unlock(&wrong);
    refused.is_refused(3, &["not the unlock secret"]);
    assert_eq!(unlock(&secret).printed(), "unlocked\n");
    stage.sign("fiam", &[]).token();
    let log = stage.device("log", &[]).printed();
    assert_eq!(log.matches("unlock tried").count(), 2, "{log}");
    assert!(log.contains("refused") && log.contains("unlocked"), "{log}");
}
