//! What is refused, by which part, and with which exit code.

use privyseal_test_base::clock::run_start;
use privyseal_test_base::tool::{command, output};
use privyseal_test_pki::{CertificateSpec, TestPki, Usage, pem_chain, test_key};
use privyseal_test_simulators::device_sim::Options;

use crate::stage::{EORI, SCHEMES, Stage, policy, run, set_mode, sign_at};

#[test]
fn the_policy_refuses_with_1() {
    let stage = Stage::provisioned();
    stage
        .sign("ishare", &["--audience", "EU.EORI.NL000000001"])
        .is_refused(1, &["audience is not in the device's policy"]);
    stage
        .sign("itsme", &["--endpoint", "discovery"])
        .is_refused(1, &["audience is not in the device's policy"]);
    stage
        .sign("fiam", &["--lifetime", "31"])
        .is_refused(1, &["lifetime"]);
    let log = stage.device("log", &["--json"]).json();
    let reasons: Vec<_> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["event"] == "refused")
        .map(|entry| entry["reason"].clone())
        .collect();
    assert_eq!(
        reasons,
        ["audience", "audience"],
        "the last was refused by the host already"
    );
}

#[test]
fn the_rate_limit() {
    let stage = Stage::new(Options::default());
    let slow = policy("").replace("assertions = 1000", "assertions = 2");
    stage.write("policy.toml", slow.as_bytes());
    stage.provision().is_done();
    for _ in 0..2 {
        stage.sign("fiam", &[]).token();
    }
    let words = ["rate limit", "--wait SECONDS"];
    stage.sign("fiam", &[]).is_refused(8, &words);
    stage.sign("fiam", &["--wait", "1"]).is_refused(8, &words);
    let (file, chain) = (stage.path("policy.toml"), stage.path("chain.pem"));
    let (file, chain) = (file.display().to_string(), chain.display().to_string());
    let renew = ["--policy", file.as_str(), "--chain", &chain];
    stage.device("renew", &renew).is_refused(8, &words);

    // With one that lets pass what waits for some seconds.
    stage.device("wipe", &["--yes-destroy-the-key"]).is_done();
    let quick = slow.replace("seconds = 1000", "seconds = 4");
    stage.write("policy.toml", quick.as_bytes());
    stage.provision().is_done();
    let sign = ["sign", "--scheme", "fiam", "--key", &stage.uri()];
    for _ in 0..4 {
        run(&[&sign[..], &["--wait", "900"]].concat(), b"").token();
    }
    let waits = [&renew[..], &["--wait", "900"]].concat();
    stage.device("renew", &waits).is_done();
    let other = ["--key", "pkcs11:token=T;object=K", "--wait", "1"];
    run(&[&sign[..3], &other].concat(), b"").is_refused(2, &["--wait is for a gateway"]);
}

#[test]
fn options_that_the_device_decides() {
    let stage = Stage::provisioned();
    let chain = stage.path("chain.pem").display().to_string();
    let other_key = test_key("seal", 2048);
    let other = TestPki::new().seal_chain(&other_key);
    let other = stage.write("other.pem", pem_chain(&other).as_bytes());
    let person = stage.write("person", b"t");
    for (scheme, options, words) in [
        ("fiam", &["--jti", "1"][..], "--jti is not for a device"),
        (
            "fiam",
            &["--client-id", "EU.EORI.NL000000001"],
            "provisioned with the client id EU.EORI.NL123456789",
        ),
        ("fiam", &["--client-id", "x y"], "client_id"),
        ("fiam", &["--chain", &other], "--chain does not fit"),
        ("fiam", &["--kid", "k"], "--kid does not fit"),
        (
            "fiam",
            &["--spend-final-pin-try"],
            "--spend-final-pin-try is for keys with a PIN",
        ),
        (
            "ishare-1",
            &["--audience", "EU.EORI.NLDHUBSCHEME1"],
            "it serves fiam, ishare, itsme, ehealth",
        ),
        (
            "itsme",
            &["--endpoint", "token", "--kid", "k2"],
            "--kid does not fit: the device was provisioned with the kid k1, not with k2",
        ),
        (
            "itsme",
            &["--endpoint", "token", "--kid-form", "rfc7638"],
            "provisioned with the kid k1",
        ),
        (
            "itsme",
            &["--endpoint", "token", "--chain", &chain],
            "--chain does not fit",
        ),
        (
            "itsme",
            &[
                "--endpoint",
                "request",
                "--scope",
                "openid",
                "--user-identifier-token-file",
                &person,
            ],
            "scope is not values with one space between them",
        ),
    ] {
        let is_of_the_core = options.contains(&"x y") || options.contains(&"request");
        let code = if is_of_the_core { 1 } else { 2 };
        stage.sign(scheme, options).is_refused(code, &[words]);
    }
    for (scheme, options, client_id, _) in SCHEMES {
        let same = [options, &["--client-id", client_id]].concat();
        stage.sign(scheme, &same).token();
    }
    stage.sign("fiam", &["--chain", &chain]).token();
    stage.sign("fiam", &["--chain", "token"]).token();
    stage
        .sign("ehealth", &["--realm", "M2M", "--kid-form", "keycloak"])
        .token();
}

#[test]
fn other_things_than_assertions() {
    let stage = Stage::provisioned();
    let csr = ["csr", "--key", &stage.uri(), "--subject", "CN=a"];
    run(&csr, b"").is_refused(2, &["signs nothing but the statements of its schemes"]);
    let other = [
        "device",
        "sign",
        "--device",
        "pkcs11:token=T",
        "--scheme",
        "fiam",
    ];
    run(&other, b"").is_refused(2, &["--device is another kind of key"]);
}

/// All of it before a byte is sent: the device is as empty as it was.
#[test]
fn what_does_not_belong_together_is_not_sent() {
    let stage = Stage::new(Options::default());
    let other_key = test_key("seal", 2048);
    let other = stage.write("other.pem", other_key.pkcs8_pem().as_bytes());
    let cut = stage.write("cut.pem", pem_chain(&stage.chain[..3]).as_bytes());
    let spec = CertificateSpec::seal().usage(&[Usage::KeyEncipherment]);
    let usage = stage.pki.chain(&stage.key.spki_der(), &spec);
    let usage = stage.write("usage.pem", pem_chain(&usage).as_bytes());
    let old = CertificateSpec::seal().valid(1_700_000_000, 1_760_000_000);
    let old = stage.pki.chain(&stage.key.spki_der(), &old);
    let old = stage.write("old.pem", pem_chain(&old).as_bytes());
    let mut forged = stage.chain.clone();
    if let Some(last) = forged[0].last_mut() {
        *last ^= 1;
    }
    let forged = stage.write("forged.pem", pem_chain(&forged).as_bytes());
    let small = test_key("small", 1024);
    let small = stage.write("small.pem", small.pkcs8_pem().as_bytes());
    let unknown = stage.write("unknown.toml", policy("raw-signing = true").as_bytes());
    let kept = stage.write("kept.toml", policy("unlock = true").as_bytes());
    let short = CertificateSpec::seal().valid(run_start() - 60, run_start() + 36_000);
    let short = stage.pki.chain(&stage.key.spki_der(), &short);
    let short = stage.write("short.pem", pem_chain(&short).as_bytes());
    let floor = |at: u64| format!("time-floor = {at}");
    let ahead = policy("").replace(&floor(run_start() - 60), &floor(run_start() + 80_000));
    let ahead = stage.write("ahead.toml", ahead.as_bytes());
    for file in [&other, &small] {
        set_mode(file.as_ref(), 0o600);
    }
    for (option, file, code, words) in [
        ("--key", other.as_str(), 1, "key"),
        ("--key", &small, 2, "1024"),
        ("--key", &cut, 2, "no private key in PKCS#8"),
        (
            "--key",
            "/nowhere/key.pem",
            2,
            "/nowhere/key.pem cannot be read",
        ),
        ("--chain", &cut, 1, "root"),
        ("--chain", &usage, 1, "key usage"),
        ("--chain", &old, 1, "expired"),
        ("--chain", &forged, 1, "not signed by"),
        ("--chain", &other, 2, "private key"),
        ("--chain", "", 2, "--chain is needed"),
        ("--policy", &kept, 2, "--unlock-secret is needed"),
        ("--policy", &unknown, 2, "unknown field `raw-signing`"),
    ] {
        let outcome = stage.provision_with(&[(option, file)]);
        outcome.is_refused(code, &[words]);
        assert!(!outcome.stderr().contains("BEGIN"), "{}", outcome.stderr());
    }
    let behind = stage.provision_with(&[("--policy", &ahead), ("--chain", &short)]);
    behind.is_refused(2, &["after the end of a certificate"]);
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(
        (&info["state"], &info["log_next"]),
        (&"empty".into(), &0.into())
    );
}

/// What OpenSSL writes that is no PKCS#8 of an RSA key: named, with what helps.
#[test]
fn other_containers_of_keys_are_named() {
    let stage = Stage::new(Options::default());
    let (key, chain) = (stage.path("key.pem"), stage.path("chain.pem"));
    let (key, chain) = (key.display().to_string(), chain.display().to_string());
    let other = stage.path("other").display().to_string();
    let p12 = "pkcs12 -export -passout pass:x -inkey";
    let no_rsa = "no RSA key";
    for (words, files, said) in [
        (
            "rsa -traditional -in",
            &[key.as_str()][..],
            "openssl pkcs8 -topk8",
        ),
        (
            "rsa -traditional -aes128 -passout pass:x -in",
            &[&key],
            "is encrypted",
        ),
        ("pkcs8 -topk8 -passout pass:x -in", &[&key], "is encrypted"),
        (p12, &[&key, "-in", &chain], "openssl pkcs12 -nocerts"),
        ("ecparam -genkey -noout -name prime256v1", &[], no_rsa),
        ("genpkey -algorithm ed25519", &[], no_rsa),
    ] {
        let mut openssl = command("openssl", words.split(' '));
        let made = output(openssl.args(files).args(["-out", &other]), b"");
        assert!(made.status.success(), "{made:?}");
        let refused = stage.provision_with(&[("--key", &other)]);
        refused.is_refused(2, &["cannot be used", said]);
    }
    let label = "OPENSSH PRIVATE KEY-----\n";
    let openssh = format!("-----BEGIN {label}b3BlbnNzaC1rZXk=\n-----END {label}");
    let openssh = stage.write("openssh", openssh.as_bytes());
    set_mode(openssh.as_ref(), 0o600);
    let refused = stage.provision_with(&[("--key", &openssh)]);
    refused.is_refused(2, &["ssh-keygen -p -m PKCS8"]);
}

#[test]
fn a_locked_device_takes_no_other_key() {
    let stage = Stage::provisioned();
    let before = stage.device("info", &["--json"]).json();
    stage.provision().is_refused(
        3,
        &[
            "the device is ready, which does not go with this",
            "privyseal device wipe",
        ],
    );
    let after = stage.device("info", &["--json"]).json();
    assert_eq!(before["key_sha256"], after["key_sha256"]);
    let token = stage.sign("fiam", &["--client-id", EORI]);
    token.token();
}

#[test]
fn a_key_that_others_can_read_is_said() {
    let stage = Stage::new(Options::default());
    set_mode(&stage.path("key.pem"), 0o644);
    let said = stage.provision().stderr();
    assert!(said.contains("can be read by every user"), "{said}");
    assert_eq!(
        said.lines().count(),
        1,
        "no progress where there is no terminal: {said}"
    );
}

#[test]
fn nobody_there() {
    let stage = Stage::new(Options::default());
    for (uri, code, words) in [
        (
            "device:unix:/nowhere/socket",
            3,
            "cannot open /nowhere/socket",
        ),
        ("device:/nowhere/tty", 3, "cannot open /nowhere/tty"),
        ("device:/dev/null", 3, "it is no serial port"),
        ("device:", 2, "names no serial port"),
        (
            "device:/dev/null?speed=1",
            2,
            "none of baud, device and key-sha256",
        ),
    ] {
        sign_at(uri, "fiam", &[]).is_refused(code, &[words]);
        run(&["device", "info", "--device", uri], b"").is_refused(code, &[words]);
    }
    stage
        .sign("fiam", &[])
        .is_refused(3, &["no key on the device"]);
    let pinned = format!("{}?key-sha256={}", stage.uri(), "00".repeat(32));
    sign_at(&pinned, "fiam", &[]).is_refused(3, &["no key"]);
}
