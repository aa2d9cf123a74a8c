//! A gateway, from its first key to the wipe, and what it refuses.

use std::fs;

use privyseal_test_pki::{pem_chain, test_key};
use privyseal_test_simulators::device_sim::{DeviceSim, Options};

use crate::{EORI, NOW, PARTY, Transcript, only_for_me, pki, seal, transcript};

const POLICY: &str = r#"
max-lifetime = 60
max-jump = 316224000
board-entropy = true
time-floor = 1780272000
authority = "authority.pem"

[rate]
assertions = 1000
seconds = 1000

[schemes.fiam]
client-id = "EU.EORI.NL123456789"
audiences = ["EU.EORI.NLKPNFIAMPROD"]

[schemes.itsme]
client-id = "partner"
kid = "k1"
audiences = ["https://idp.prd.itsme.services/v2/token"]
"#;

#[test]
fn a_device() {
    let folder = tempfile::tempdir().unwrap();
    let key = test_key("device", 2048);
    let (authority, stranger) = (test_key("authority", 2048), test_key("stranger", 2048));
    let chain = pki().chain(&key.spki_der(), &seal());
    let sim = DeviceSim::start(Options::default());
    let uri = format!("device:unix:{}", sim.socket().display());
    let mut transcript = transcript();
    transcript.hide(folder.path().display(), "[DIR]");
    transcript.hide(sim.socket().display(), "[SOCKET]");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, content) in [
        ("policy.toml", POLICY.to_owned()),
        ("no-table.toml", POLICY.replace("[rate]", "[speed]")),
        ("no-toml.toml", "max-lifetime".to_owned()),
        (
            "rule.toml",
            POLICY.replace("max-lifetime = 60", "max-lifetime = 0"),
        ),
        ("chain.pem", pem_chain(&chain)),
        ("no-root.pem", pem_chain(&chain[..3])),
        ("authority.pem", authority.spki_pem()),
        ("key.pem", key.pkcs8_pem()),
        ("stranger.pem", stranger.pkcs8_pem()),
        ("small.pem", test_key("small", 1024).pkcs8_pem()),
        ("public.pem", key.spki_pem()),
        ("word.sig", "not a signature".to_owned()),
    ] {
        fs::write(path(name), content).unwrap();
        only_for_me(&path(name));
    }
    let sign = |more: &[&'static str]| {
        let usual = ["sign", "--scheme", "fiam", "--now", NOW];
        [&usual[..], more].concat()
    };
    let at = ["--key", &uri];
    let device = |action: &'static str| ["device", action, "--device", &uri];
    let provision = |transcript: &mut Transcript, policy: &str, key: &str, chain: &str| {
        let (policy, key, chain) = (path(policy), path(key), path(chain));
        let files = ["--policy", &policy, "--key", &key, "--chain", &chain];
        transcript.run(&[&device("import-key")[..], &files].concat());
    };
    transcript.run(&device("info"));
    transcript.run(&[&device("info")[..], &["--json"]].concat());
    transcript.run(&[&sign(&[])[..], &at].concat());
    transcript.run(&["keys", "--key", &uri]);
    transcript.run(&device("log"));
    for (policy, key, chain) in [
        ("missing.toml", "key.pem", "chain.pem"),
        ("no-toml.toml", "key.pem", "chain.pem"),
        ("no-table.toml", "key.pem", "chain.pem"),
        ("rule.toml", "key.pem", "chain.pem"),
        ("policy.toml", "public.pem", "chain.pem"),
        ("policy.toml", "small.pem", "chain.pem"),
        ("policy.toml", "stranger.pem", "chain.pem"),
        ("policy.toml", "key.pem", "no-root.pem"),
        ("policy.toml", "key.pem", "chain.pem"),
        ("policy.toml", "key.pem", "chain.pem"),
    ] {
        provision(&mut transcript, policy, key, chain);
    }
    transcript.run(&device("info"));
    transcript.run(&[&device("info")[..], &["--json"]].concat());
    for more in [
        &[][..],
        &["--client-id", EORI],
        &["--client-id", PARTY],
        &["--jti", "1"],
        &["--lifetime", "31"],
        &["--audience", "EU.EORI.NL000000001"],
        &["--kid", "k"],
        &["--spend-final-pin-try"],
    ] {
        transcript.run(&[&sign(more)[..], &at].concat());
    }
    let itsme = [
        "sign",
        "--scheme",
        "itsme",
        "--now",
        NOW,
        "--endpoint",
        "token",
    ];
    transcript.run(&[&itsme[..], &at].concat());
    let ishare = [
        "sign",
        "--scheme",
        "ishare",
        "--now",
        NOW,
        "--audience",
        "EU.EORI.NL1",
    ];
    transcript.run(&[&ishare[..], &at].concat());
    transcript.run(
        &[
            &device("sign")[..],
            &["--scheme", "fiam", "--now", "1780271999"],
        ]
        .concat(),
    );
    transcript.run(
        &[
            &device("sign")[..],
            &["--scheme", "fiam", "--now", "2480271999"],
        ]
        .concat(),
    );
    let pinned = format!("{uri}?key-sha256={}", "00".repeat(32));
    transcript.run(&[&sign(&[])[..], &["--key", &pinned]].concat());
    transcript.run(&["keys", "--key", &uri]);
    transcript.run(&["keys", "--key", &uri, "--json"]);
    transcript.run(&["jwks", "--key", &uri, "--kid", "k1"]);
    transcript.run(&["csr", "--key", &uri, "--subject", "CN=x"]);
    transcript.run(&["chain", "--key", &uri, "--scheme", "fiam", "--now", NOW]);
    transcript.run(&["doctor", "--key", &uri, "--scheme", "fiam"]);
    transcript.run(&[&device("set-time")[..], &["--now", NOW]].concat());
    let word = path("word.sig");
    transcript.run(
        &[
            &device("set-time")[..],
            &["--now", NOW, "--signature", &word],
        ]
        .concat(),
    );
    transcript.run(&[&device("log")[..], &["--known-head", "00"]].concat());
    transcript.run(&[&device("log")[..], &["--known-head", &"00".repeat(32)]].concat());
    transcript.run(&device("log"));
    transcript.run(&[&device("log")[..], &["--json", "--from", "3"]].concat());
    transcript.run(&device("wipe"));
    transcript.run(&[&device("wipe")[..], &["--yes-destroy-the-key"]].concat());
    transcript.run(&[&device("wipe")[..], &["--yes-destroy-the-key"]].concat());
    transcript.run(&device("info"));
    transcript.is("device");
}
