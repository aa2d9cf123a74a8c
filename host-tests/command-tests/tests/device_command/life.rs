//! The life of a gateway, from its first key to the wipe.

use privyseal_test_base::clock::run_start;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use privyseal::pki::certificates::Certificates;
use privyseal_gateway::{Device, GatewayPolicy, Limits, Package};
use privyseal_protocol::{Provision, Request, Totals};

use privyseal_test_base::tool::{command, output};
use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::{CertificateSpec, pem_chain};
use privyseal_test_simulators::device_sim::Options;
use privyseal_test_simulators::link::frame;

use crate::stage::{EORI, SCHEMES, Stage, run, sign_at};

#[test]
fn from_the_first_key_to_the_wipe() {
    let mut stage = Stage::new(Options::default());
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(
        (&info["state"], &info["key_sha256"]),
        (&"empty".into(), &().into())
    );

    let uri = stage.provision().printed();
    let uri = uri.trim_end();
    assert!(
        uri.starts_with(&format!("{}?key-sha256=", stage.uri())),
        "{uri}"
    );
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(info["state"], "ready");
    assert!(uri.ends_with(info["key_sha256"].as_str().unwrap()));
    assert_eq!(info["policy"]["schemes"][0]["client_id"], EORI);

    let mut jtis = Vec::new();
    for round in 0..2 {
        for (scheme, options, client_id, audience) in SCHEMES {
            let token = sign_at(uri, scheme, options).token();
            let claims = Parts::of(&token).claims();
            assert_eq!(
                (&claims["iss"], &claims["aud"]),
                (&client_id.into(), &audience.into())
            );
            assert_eq!(claims["iat"], run_start());
            jtis.push(claims["jti"].to_string());
            if round == 0 {
                is_accepted(&stage, scheme, &token);
            }
        }
        stage.sim.restart();
    }
    jtis.sort_unstable();
    jtis.dedup();
    assert_eq!(jtis.len(), 8, "no jti twice, over a restart");

    log_has(&stage, 8);
    stage
        .device("wipe", &[])
        .is_refused(2, &["--yes-destroy-the-key", "no terminal"]);
    assert!(
        stage
            .device("wipe", &["--yes-destroy-the-key"])
            .printed()
            .contains("is destroyed")
    );
    stage
        .sign("fiam", &[])
        .is_refused(3, &["no key on the device", "privyseal device generate"]);
    stage.provision().is_done();
    assert_eq!(stage.device("info", &["--json"]).json()["counter"], 8);
}

/// The ceremony without a key file: the key is made on the device, certified by OpenSSL's CA, and used.
#[test]
fn from_a_key_of_its_own_to_a_token() {
    let stage = Stage::new(Options::default());
    let uri = stage.device("generate", &["--bits", "2048"]).printed();
    let uri = uri.trim_end();
    assert!(uri.contains("?key-sha256="), "{uri}");
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(
        (&info["state"], &info["key_origin"]),
        (
            &"waiting for the certificate of its key".into(),
            &"generated".into()
        )
    );
    let advice = "privyseal device install-chain";
    sign_at(uri, "fiam", &[]).is_refused(3, &["waits for policy and certificate chain", advice]);
    stage
        .device("generate", &[])
        .is_refused(3, &["waiting for the certificate"]);

    let subject = "CN=Gateway,organizationIdentifier=NTRNL-12345678,O=Test,C=NL";
    let usage = ["--subject", subject, "--key-usage", "nonRepudiation"];
    let csr = stage.device("csr", &usage).printed();
    let words = "req -verify -noout -pubkey".split(' ');
    let said = output(&mut command("openssl", words), csr.as_bytes());
    assert!(said.status.success(), "{said:?}");
    let words = "pkey -pubin -outform DER".split(' ');
    let spki = output(&mut command("openssl", words), &said.stdout).stdout;
    let chain = stage.pki.chain(&spki, &CertificateSpec::seal());
    let path = stage.write("own.pem", pem_chain(&chain).as_bytes());

    let policy = stage.path("policy.toml").display().to_string();
    let (strange, other) = (stage.path("chain.pem"), ["--policy", policy.as_str()]);
    let strange = strange.display().to_string();
    stage
        .device(
            "install-chain",
            &[&other[..], &["--chain", &strange]].concat(),
        )
        .is_refused(1, &["key"]);
    let installed = stage.device("install-chain", &[&other[..], &["--chain", &path]].concat());
    assert_eq!(installed.printed().trim_end(), uri);
    for (scheme, options, ..) in SCHEMES {
        sign_at(uri, scheme, options).token();
    }
    stage
        .device("csr", &usage)
        .is_refused(3, &["the device is ready"]);
    let log = stage.device("log", &[]).printed();
    for event in ["generated", "csr signed", "installed"] {
        assert!(log.contains(event), "{log}");
    }
    assert!(
        stage
            .device("info", &[])
            .printed()
            .contains("made by the device")
    );
}

/// By `privyseal check` and by OpenSSL.
fn is_accepted(stage: &Stage, scheme: &str, token: &str) {
    let root = stage.write("root.pem", pem_chain(&stage.chain[3..]).as_bytes());
    let now = run_start().to_string();
    let mut arguments = vec!["check", "-", "--scheme", scheme, "--now", &now, "--json"];
    let jwks;
    if matches!(scheme, "itsme" | "ehealth") {
        let form = if scheme == "itsme" {
            ["--kid", "k1"]
        } else {
            ["--kid-form", "keycloak"]
        };
        let uri = stage.uri();
        let keys = run(&[&["jwks", "--key", &uri], form.as_slice()].concat(), b"");
        jwks = stage.write("jwks.json", keys.printed().as_bytes());
        arguments.extend(["--jwks", &jwks]);
    } else {
        arguments.extend(["--trust", &root]);
    }
    let report = run(&arguments, token.as_bytes()).json();
    let signature = report["findings"].as_array().and_then(|findings| {
        findings
            .iter()
            .find(|finding| finding["rule"] == "signature")
    });
    let verdict = signature.map(|finding| finding["verdict"].clone());
    assert_eq!(verdict, Some("passed".into()), "{scheme}: {report}");

    let parts = Parts::of(token);
    let key = stage.write("spki.pem", stage.key.spki_pem().as_bytes());
    let signature = stage.write("signature", &parts.signature);
    let mut openssl = command(
        "openssl",
        ["dgst", "-sha256", "-verify", &key, "-signature"],
    );
    openssl.arg(signature);
    let verified = output(&mut openssl, parts.signing_input.as_bytes());
    assert!(verified.status.success(), "{verified:?}");
}

fn log_has(stage: &Stage, signatures: usize) {
    let log = stage.device("log", &["--json"]).json();
    let entries = log["entries"].as_array().unwrap();
    let signed = entries.iter().filter(|entry| entry["event"] == "signed");
    assert_eq!(signed.count(), signatures);
    assert_eq!(log["rooted"], true);
    let head = log["head"].as_str().unwrap();
    let text = stage.device("log", &["--known-head", head]).printed();
    assert_eq!(
        text,
        format!("no entries since the known head\nhead {head}\n")
    );
    let third = entries[2]["link"].as_str().unwrap();
    for from in ["0", "2", "3"] {
        let new = ["--known-head", third, "--from", from, "--json"];
        let new = stage.device("log", &new).json();
        assert_eq!(new["entries"].as_array().unwrap(), &entries[3..]);
        assert_eq!(new["rooted"], true);
    }
    let gap = ["--known-head", third, "--from", "4"];
    stage.device("log", &gap).is_refused(3, &["known head"]);

    let later = stage.device("log", &["--from", "3", "--json"]).json();
    assert_eq!(later["entries"][0]["sequence"], 3);
    assert_eq!(later["rooted"], false);
    assert_eq!(later["head"], log["head"]);
    let other = "00".repeat(32);
    stage
        .device("log", &["--known-head", &other])
        .is_refused(3, &["not believed", "known head"]);
}

/// What else can be asked of the key without a signature.
#[test]
fn the_public_half() {
    let stage = Stage::provisioned();
    let uri = stage.uri();
    let keys = run(&["keys", "--key", &uri, "--json"], b"").json();
    assert_eq!(keys["keys"][0]["fit"], true);
    assert_eq!(keys["certificates"].as_array().unwrap().len(), 4);
    let pasted = keys["keys"][0]["uri"].as_str().unwrap();
    sign_at(pasted, "fiam", &[]).token();

    let chain = ["chain", "--key", &uri, "--scheme", "ishare"];
    assert!(
        run(&chain, b"")
            .printed()
            .contains("the leaf is for the given key")
    );
    let jwks = run(&["jwks", "--key", &uri, "--x5c"], b"").json();
    assert_eq!(jwks["keys"][0]["x5c"].as_array().unwrap().len(), 4);
    let doctor = ["doctor", "--key", &uri, "--scheme", "fiam"];
    let doctor = run(&doctor, b"").printed();
    assert!(doctor.contains("it believes this clock"), "{doctor}");
    assert!(doctor.contains("nothing is broken"), "{doctor}");
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(info["counter"], 1, "only sign made it sign");
}

/// The authority's word, signed by OpenSSL.
#[test]
fn the_time_is_set_by_the_authority() {
    let stage = Stage::new(Options::default());
    let authority = privyseal_test_pki::test_key("authority", 2048);
    stage.write("authority.pem", authority.spki_pem().as_bytes());
    let private = stage.write("private.pem", authority.pkcs8_pem().as_bytes());
    let policy = crate::stage::policy("authority = \"authority.pem\"");
    stage.write("policy.toml", policy.as_bytes());
    stage.provision().is_done();

    let later = (run_start() + 30 * 86_400).to_string();
    let at = ["--scheme", "fiam", "--now", later.as_str()];
    stage
        .device("sign", &at)
        .is_refused(1, &["does not believe", "set-time", "Z is the latest"]);
    let line = far(&stage, &["--now", &later]);
    assert!(line.ends_with(&later), "{line}");
    let signature = signed(&stage, &private, &line);

    let wrong = (run_start() + 31 * 86_400).to_string();
    stage
        .device("set-time", &["--now", &wrong, "--signature", &signature])
        .is_refused(1, &["not the word", "serves once, and for one second"]);
    let set = far(&stage, &["--now", &later, "--signature", &signature]);
    assert_eq!(set, format!("time floor {later}\n"));
    stage.device("sign", &at).token();
    stage
        .device("set-time", &["--now", &later, "--signature", &signature])
        .is_refused(1, &["not the word", "print a new line"]);
    stage
        .sign("fiam", &[])
        .is_refused(1, &["is later than this", "a clock was ahead then"]);

    let now = run_start().to_string();
    let line = stage.device("set-time", &["--now", &now]).printed();
    let signature = signed(&stage, &private, &line);
    stage
        .device("set-time", &["--now", &now, "--signature", &signature])
        .is_done();
    stage.sign("fiam", &[]).token();
    let log = stage.device("log", &[]).printed();
    assert_eq!(log.matches("a clock was ahead").count(), 1, "{log}");
    let log = stage.device("log", &["--json"]).json();
    let entries = log["entries"].as_array().unwrap();
    let back = |entry: &serde_json::Value| entry["set_back_from"].as_u64();
    let back: Vec<_> = entries.iter().filter_map(back).collect();
    assert_eq!(back, [run_start() + 30 * 86_400]);
}

/// What set-time prints for a time that no honest authority means, which is warned of.
#[track_caller]
fn far(stage: &Stage, more: &[&str]) -> String {
    let told = stage.device("set-time", more);
    let said = told.stderr();
    let words = "more than a day from this machine's clock";
    assert!(
        said.starts_with("warning: --now is ") && said.contains(words),
        "{said}"
    );
    told.stdout()
}

#[test]
fn a_time_before_the_certificate_is_warned_of() {
    let stage = Stage::new(Options::default());
    let authority = privyseal_test_pki::test_key("authority", 2048);
    stage.write("authority.pem", authority.spki_pem().as_bytes());
    let policy = crate::stage::policy("authority = \"authority.pem\"");
    stage.write("policy.toml", policy.as_bytes());
    stage.provision().is_done();
    let told = stage.device("set-time", &["--now", "100"]);
    assert!(told.stdout().ends_with(":100"), "{}", told.stdout());
    let said = told.stderr();
    let words = "--now is 1970-01-01T00:01:40Z, before the device's certificate is valid";
    assert!(said.contains(words), "{said}");
}

/// Nobody is sent to somebody who is not there.
#[test]
fn nothing_is_printed_to_sign_where_the_policy_has_no_authority() {
    let stage = Stage::new(Options::default());
    let floor = |at: u64| format!("time-floor = {at}");
    let policy = crate::stage::policy("")
        .replace(&floor(run_start() - 60), &floor(run_start() - 7200))
        .replace("max-jump = 604800", "max-jump = 1");
    let file = stage.write("policy.toml", policy.as_bytes());
    stage.provision().is_done();
    let words = ["whose policy has no authority"];
    stage.device("set-time", &[]).is_refused(2, &words);
    let chain = stage.path("chain.pem").display().to_string();
    let renew = ["--policy", &file, "--chain", &chain, "--statement"];
    stage.device("renew", &renew).is_refused(2, &words);
    let doctor = run(&["doctor", "--key", &stage.uri(), "--scheme", "fiam"], b"").stdout();
    assert!(
        doctor.contains("it does not believe this clock"),
        "{doctor}"
    );
    assert!(doctor.contains("no authority who could set"), "{doctor}");
    assert!(!doctor.contains("set-time"), "{doctor}");
}

/// What OpenSSL signs with the authority's key.
fn signed(stage: &Stage, private: &str, line: &str) -> String {
    let line = stage.write("line", line.as_bytes());
    let signature = stage.path("line.sig").display().to_string();
    let mut openssl = command("openssl", ["dgst", "-sha256", "-sign", private, "-out"]);
    openssl.args([&signature, &line]);
    assert!(output(&mut openssl, b"").status.success());
    signature
}

/// The key stays: for a new certificate, and, with the authority's word, under another policy.
#[test]
fn a_key_is_renewed_without_a_wipe() {
    let mut stage = Stage::new(Options::default());
    let authority = privyseal_test_pki::test_key("authority", 2048);
    stage.write("authority.pem", authority.spki_pem().as_bytes());
    let private = stage.write("private.pem", authority.pkcs8_pem().as_bytes());
    let policy = crate::stage::policy("authority = \"authority.pem\"");
    let policy_file = stage.write("policy.toml", policy.as_bytes());
    let uri = stage.provision().printed();
    sign_at(uri.trim_end(), "fiam", &[]).token();

    let spec = CertificateSpec::seal().valid(run_start() - 60, run_start() + 500 * 86_400);
    let next = stage.pki.chain(&stage.key.spki_der(), &spec);
    let next = stage.write("next.pem", pem_chain(&next).as_bytes());
    // Made another time, and not after what is signed below.
    let floor = |at: u64| format!("time-floor = {at}");
    let later = policy.replace(&floor(run_start() - 60), &floor(run_start() - 30));
    assert_ne!(later, policy);
    stage.write("policy.toml", later.as_bytes());
    let renew = |stage: &Stage, more: &[&str]| {
        let files = ["--policy", policy_file.as_str(), "--chain", &next];
        stage.device("renew", &[&files[..], more].concat())
    };
    let renewed = renew(&stage, &["--json"]).json();
    assert_eq!(renewed["uri"], uri.trim_end());
    let end = stage.device("info", &["--json"]).json()["not_after"].clone();
    assert!(end.as_u64().unwrap() > run_start() + 300 * 86_400, "{end}");

    let other = later.replace("max-lifetime = 60", "max-lifetime = 50");
    stage.write("policy.toml", other.as_bytes());
    renew(&stage, &[]).is_refused(1, &["not the word", "renew --statement"]);
    let line = renew(&stage, &["--statement"]).printed();
    let signature = signed(&stage, &private, &line);
    stage.sim.restart();
    renew(&stage, &["--signature", &signature]).is_refused(1, &["not the word"]);
    let line = renew(&stage, &["--statement"]).printed();
    let signature = signed(&stage, &private, &line);
    renew(&stage, &["--signature", &signature]).is_done();
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(info["policy"]["max_lifetime"], 50);
    sign_at(uri.trim_end(), "fiam", &[]).token();
    let log = stage.device("log", &[]).printed();
    assert_eq!(log.matches("renewal begun").count(), 2, "{log}");
    let strange = stage.path("chain.pem").display().to_string();
    stage.write(
        "chain.pem",
        pem_chain(&stage.pki.seal_chain(&authority)).as_bytes(),
    );
    let wrong = ["--policy", policy_file.as_str(), "--chain", &strange];
    stage.device("renew", &wrong).is_refused(1, &["key"]);
    sign_at(uri.trim_end(), "fiam", &[]).token();
}

/// A host that was killed in its upload: the same command works again, and the key is there.
#[test]
fn an_upload_that_was_begun_stands_in_nobody_s_way() {
    let stage = Stage::provisioned();
    let begin = |totals: Totals| {
        let mut line = UnixStream::connect(stage.sim.socket()).unwrap();
        line.set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let begin = Request::Provision(Provision::Begin(totals));
        line.write_all(&[&[0], &*frame(3, &begin)].concat())
            .unwrap();
        // The end of what is answered to the zero, if anything, and of the answer.
        assert!(line.read(&mut [0; 64]).unwrap() > 0);
    };
    let found = || stage.device("info", &["--json"]).json()["state"].clone();
    let file = |name: &str| stage.path(name).display().to_string();
    let (policy, chain) = (file("policy.toml"), file("chain.pem"));
    let files = ["--policy", policy.as_str(), "--chain", &chain];
    let key = stage.device("info", &["--json"]).json()["key_sha256"].clone();
    for action in ["install-chain", "renew"] {
        let mut device = Device::open(&stage.uri().parse().unwrap(), Limits::default()).unwrap();
        let public_key = device.public_key().unwrap();
        let text = fs::read_to_string(&policy).unwrap();
        let read = GatewayPolicy::from_toml(&text, |name| panic!("{name}")).unwrap();
        let certificates = Certificates::from_file(chain.as_ref()).unwrap();
        let at = privyseal_core::UnixTime::from_secs(run_start()).unwrap();
        let certificates = certificates.chain().unwrap();
        let package = Package::install(&read, &public_key, Some(&certificates), at).unwrap();
        device.renew(&package, None).unwrap();
        drop(device);
        begin(Totals {
            policy: 100,
            chain: 100,
            ..Totals::default()
        });
        assert_eq!(found(), "provisioning");
        stage.device(action, &files).is_done();
        assert_eq!(found(), "ready");
        stage.sign("fiam", &[]).token();
    }
    assert_eq!(stage.device("info", &["--json"]).json()["key_sha256"], key);
}

/// The key may come through a pipe, so that it is in no file.
#[test]
fn a_key_from_standard_input() {
    let stage = Stage::new(Options::default());
    let (uri, policy) = (stage.uri(), stage.path("policy.toml"));
    let chain = stage.path("chain.pem");
    let arguments = [
        "device".as_ref(),
        "import-key".as_ref(),
        "--device".as_ref(),
        uri.as_ref(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--chain".as_ref(),
        chain.as_os_str(),
        "--key".as_ref(),
        "-".as_ref(),
    ];
    run(&arguments, &stage.key.pkcs8_der()).is_done();
    stage.sign("fiam", &[]).token();
    fs::remove_file(stage.path("key.pem")).unwrap();
}
