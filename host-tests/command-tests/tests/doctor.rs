//! `privyseal doctor` from outside: what it finds, what it says to do next, and its exit code.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use privyseal_test_base::clock;
use std::process::Command;
use std::sync::Arc;

use privyseal_test_base::privyseal;
use privyseal_test_base::tool;
use privyseal_test_pki::{CertificateSpec, pem_chain};
use privyseal_test_servers::loopback::{self, Loopback, Request};
use privyseal_test_suite::flow::{Client, KEY, Outcome};
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};
use serde_json::{Value, json};

fn doctor(client: &Client, uri: &str, more: &[&str]) -> Outcome {
    let mut command = Command::new(privyseal::path());
    command.env_remove("PRIVYSEAL_PIN");
    command.env("SOFTHSM2_CONF", client.token.configuration());
    command.args(["doctor", "--json", "--key", uri]).args(more);
    let outcome = Outcome::of(&mut command);
    assert!(
        !outcome.stdout.contains(PIN),
        "the PIN is in: {}",
        outcome.stdout
    );
    assert!(
        !outcome.stderr.contains(PIN),
        "the PIN is in: {}",
        outcome.stderr
    );
    outcome
}

fn report(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}", outcome.stderr))
}

/// The findings of a step with that verdict, as one text.
fn found(outcome: &Outcome, step: &str, verdict: &str) -> String {
    let report = report(outcome);
    let steps = report["steps"].as_array().unwrap().clone();
    let findings = steps.iter().filter(|it| it["name"] == step);
    let findings = findings.flat_map(|it| it["findings"].as_array().unwrap().clone());
    findings
        .filter(|it| it["verdict"] == verdict)
        .map(|it| it["text"].as_str().unwrap().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The URI with another PIN file.
fn with_pin(client: &Client, object: &str, pin: &str) -> String {
    let file = client.file("another-pin", pin);
    let module = SoftHsmToken::module();
    format!(
        "pkcs11:token=T;object={object}?module-path={}&pin-source=file:{}",
        module.display(),
        file.display()
    )
}

#[test]
fn the_html_says_what_was_judged_when_and_by_what() {
    let client = Client::new();
    let html = client.file("report.html", "");
    let path = html.to_str().unwrap();
    let uri = format!("{}&pin-value={PIN}", client.token.uri(KEY));
    doctor(
        &client,
        &client.token.uri(KEY),
        &["--scheme", "fiam", "--html", path],
    );
    let said = std::fs::read_to_string(&html).unwrap();
    for shown in [
        "<dt>Rules</dt><dd>KPN FIAM",
        "<dt>Judged at</dt><dd>20",
        "<dt>Key</dt><dd>pkcs11:",
        "<dt>Chain of</dt><dd>",
    ] {
        assert!(said.contains(shown), "{shown}: {said}");
    }
    doctor(&client, &uri, &["--html", path]);
    let said = std::fs::read_to_string(&html).unwrap();
    assert!(
        !said.contains(PIN) && said.contains("<dd>RFC 5280 alone"),
        "{said}"
    );
}

#[test]
fn a_healthy_key_passes_every_step() {
    let client = Client::new();
    let outcome = doctor(&client, &client.token.uri(KEY), &["--scheme", "fiam"]);
    assert_eq!(
        outcome.code,
        Some(0),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
    let report = report(&outcome);
    assert_eq!(report["ok"], true);
    for step in [
        "module",
        "slots",
        "login and key",
        "chain",
        "test signature",
    ] {
        assert_ne!(found(&outcome, step, "passed"), "", "{step}: {report}");
        assert_eq!(found(&outcome, step, "broken"), "", "{step}: {report}");
    }
    assert!(
        report["next"][0]
            .as_str()
            .unwrap()
            .contains("privyseal token --scheme fiam")
    );
}

#[test]
fn trouble_with_module_token_pin_or_key_is_exit_code_3() {
    let client = Client::new();
    let module = SoftHsmToken::module();
    let no_module = format!("pkcs11:token=T;object={KEY}?module-path=/nowhere/libnone.so");
    let no_token = format!(
        "pkcs11:token=Other;object={KEY}?module-path={}",
        module.display()
    );
    for (uri, step, next) in [
        (no_module, "module", ""),
        (no_token, "slots", "name the token in full"),
        (
            client.token.uri("Other"),
            "login and key",
            "name token and key in full",
        ),
        (
            with_pin(&client, KEY, "0000"),
            "login and key",
            "correct the PIN",
        ),
    ] {
        let outcome = doctor(&client, &uri, &["--scheme", "fiam"]);
        assert_ne!(found(&outcome, step, "broken"), "", "{}", outcome.stdout);
        outcome.failed(3, "one thing is broken");
        let report = report(&outcome);
        assert_eq!(report["ok"], false);
        assert!(
            report["next"][0].as_str().unwrap().contains(next),
            "{report}"
        );
        assert_eq!(found(&outcome, "test signature", "passed"), "");
    }
}

#[test]
fn a_key_without_certificate_says_where_to_put_one() {
    let client = Client::new();
    client.token.generate_key(2048, "02", "bare");
    let outcome = doctor(&client, &client.token.uri("bare"), &["--scheme", "fiam"]);
    outcome.failed(3, "one thing is broken");
    assert_ne!(found(&outcome, "chain", "broken"), "", "{}", outcome.stdout);
    let next = &report(&outcome)["next"][0];
    assert!(next.as_str().unwrap().contains("--chain FILE"), "{next}");
    // The key itself is good.
    assert_ne!(found(&outcome, "test signature", "passed"), "");
}

/// itsme has the public key, and encrypts to another.
#[test]
fn a_key_known_by_its_kid_needs_no_certificate_and_a_decryption_key_is_tried() {
    let client = Client::new();
    let uri = |key| client.token.uri(key);
    client.token.generate_key(2048, "02", "bare");
    client.token.generate_decryption_key(2048, "03", "box");
    let itsme = ["--scheme", "itsme", "--decryption-key"];
    let ask = |key: &str| doctor(&client, &uri("bare"), &[&itsme[..], &[key]].concat());
    let good = ask(&uri("box"));
    assert_eq!(good.code, Some(0), "{}", good.stdout);
    let next = &report(&good)["next"][0];
    assert!(next.as_str().unwrap().contains("privyseal ciba"), "{next}");
    let chain = found(&good, "chain", "passed");
    assert!(chain.contains("needs no certificate"), "{chain}");
    // SoftHSM's OAEP knows SHA-1 only.
    let decrypts = found(&good, "decryption key", "passed");
    assert_eq!(
        decrypts,
        "what is encrypted to it with RSA-OAEP is decrypted"
    );
    let cannot = found(&good, "decryption key", "note");
    assert!(cannot.contains("not with RSA-OAEP-256"), "{cannot}");
    let wrong = ask(&uri("Other"));
    wrong.failed(3, "one thing is broken");
    assert_ne!(found(&wrong, "decryption key", "broken"), "");
}

#[test]
fn an_expired_certificate_or_another_key_s_breaks_a_rule() {
    let client = Client::new();
    let expired = CertificateSpec::seal().valid(1_000_000_000, 1_500_000_000);
    let expired = client.pki.chain(&client.key.spki_der(), &expired);
    let other = privyseal_test_pki::test_key("registry", 2048);
    let other = client.pki.seal_chain(&other);
    for (chain, words) in [(expired, "expired at"), (other, "another key")] {
        let file = client.file("chain.pem", pem_chain(&chain));
        let file = file.to_string_lossy();
        let outcome = doctor(&client, &client.token.uri(KEY), &["--chain", &file]);
        outcome.failed(1, "broken");
        let broken = found(&outcome, "chain", "broken");
        assert!(broken.contains(words), "no {words:?} in: {broken}");
        assert!(
            report(&outcome)["next"][0]
                .as_str()
                .unwrap()
                .contains("chain")
        );
    }
}

/// A server whose clock is so many seconds from this machine's.
fn server(seconds: i64) -> Loopback {
    let handler = move |_: &Request| {
        let now = clock::now();
        let moment = now.checked_add_signed(seconds).unwrap();
        let mut date = tool::command("date", ["--utc", "+%a, %d %b %Y %H:%M:%S GMT"]);
        date.arg(format!("--date=@{moment}")).env("LC_ALL", "C");
        let date = String::from_utf8(tool::run(&mut date)).unwrap();
        let mut answer = loopback::json(hyper::StatusCode::OK, &json!({}));
        let date = hyper::header::HeaderValue::from_str(date.trim()).unwrap();
        answer.headers_mut().insert(hyper::header::DATE, date);
        answer
    };
    Loopback::start(0, Arc::new(handler)).unwrap()
}

#[test]
fn a_clock_that_is_off_is_seen_in_both_directions() {
    let client = Client::new();
    let uri = client.token.uri(KEY);
    for (seconds, code, verdict, words) in [
        (0, 0, "passed", "of https://127.0.0.1"),
        (8, 0, "passed", "behind"),
        (-8, 0, "passed", "ahead"),
        (120, 1, "broken", "s behind"),
        (-120, 1, "broken", "s ahead"),
    ] {
        let server = server(seconds);
        let ca = client.file("ca.pem", server.tls_ca_pem());
        let (origin, ca) = (server.origin(), ca.to_string_lossy());
        let outcome = doctor(&client, &uri, &["--server", &origin, "--cacert", &ca]);
        assert_eq!(outcome.code, Some(code), "{seconds}: {}", outcome.stdout);
        let text = found(&outcome, "clock", verdict);
        assert!(text.contains(words), "{seconds}: no {words:?} in: {text}");
        if code == 1 {
            let report = report(&outcome);
            let next = report["next"].as_array().unwrap().iter();
            assert!(
                next.filter_map(Value::as_str)
                    .any(|it| it.contains("set-ntp")),
                "{report}"
            );
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_exit_code_4() {
    let client = Client::new();
    let (origin, ca) = {
        let server = server(0);
        (server.origin(), client.file("ca.pem", server.tls_ca_pem()))
    };
    let ca = ca.to_string_lossy();
    let outcome = doctor(
        &client,
        &client.token.uri(KEY),
        &["--server", &origin, "--cacert", &ca],
    );
    outcome.failed(4, "one thing is broken");
    // The PIN's trouble comes first on the way to a token.
    let uri = with_pin(&client, KEY, "0000");
    doctor(&client, &uri, &["--server", &origin, "--cacert", &ca]).failed(3, "2 things are broken");
}

#[test]
fn what_is_good_becomes_a_profile_that_works() {
    let client = Client::new();
    let home = client.token.dir().join("home");
    let run = |words: &[&str]| {
        let mut command = Command::new(privyseal::path());
        command.env_remove("PRIVYSEAL_PIN");
        command.env("SOFTHSM2_CONF", client.token.configuration());
        command.env("XDG_CONFIG_HOME", &home).args(words);
        Outcome::of(&mut command)
    };
    let file = home.join("privyseal/config.toml");
    let uri = client.token.uri(KEY);
    let write = |name: &str, uri: &str, more: &[&str]| {
        let words = [
            "doctor",
            "--key",
            uri,
            "--scheme",
            "fiam",
            "--write-profile",
            name,
        ];
        run(&[&words, more].concat())
    };
    // Nothing is written where something is broken, or the profile would make no client.
    write("kpn", &client.token.uri("Other"), &[]).failed(3, "one thing is broken");
    let refused = write("kpn", &uri, &["--client-id", "?"]);
    refused.failed(1, "client_id is not");
    assert!(refused.stdout.contains("the key signs"), "what was found");
    write("k p", &uri, &[]).failed(2, "a profile's name has");
    assert!(!file.exists());

    let written = write("kpn", &uri, &["--client-id", "EU.EORI.NL123456789"]);
    assert_eq!(
        written.code,
        Some(0),
        "{}{}",
        written.stdout,
        written.stderr
    );
    assert!(
        written.stdout.contains("privyseal token --profile kpn"),
        "{}",
        written.stdout
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(PIN), "{text}");
    let signed = run(&["sign", "--profile", "kpn"]);
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    assert_eq!(signed.stdout.split('.').count(), 3, "{}", signed.stdout);

    // What stands there stays.
    write("kpn", &uri, &[]).failed(2, "has a profile kpn already");
    let server = server(0);
    let ca = client.file("ca.pem", server.tls_ca_pem());
    let (origin, ca) = (server.origin(), ca.to_string_lossy());
    let mut words = vec![
        "--client-id",
        "EU.EORI.NL1",
        "--server",
        &origin,
        "--cacert",
        &ca,
    ];
    let other = write(
        "other",
        &uri,
        &[&words[..], &["--min-key-bits", "3072"]].concat(),
    );
    assert_eq!(other.code, Some(3), "{}{}", other.stdout, other.stderr);
    words.push("--require-certificate");
    let other = write("other", &uri, &words);
    assert_eq!(other.code, Some(0), "{}{}", other.stdout, other.stderr);
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(
        after.starts_with(&text) && after.contains(&format!("base-url = {origin:?}")),
        "{after}"
    );
    let checked = run(&["profile", "check"]);
    assert_eq!(
        checked.stdout.matches("good").count(),
        2,
        "{}",
        checked.stdout
    );
}

/// It may be read in any folder, and a PIN does not stand in it.
#[test]
fn a_profile_has_no_relative_path_and_no_pin() {
    let client = Client::new();
    let (home, folder) = (client.token.dir().join("home"), client.token.dir());
    std::fs::write(folder.join("my-pin"), PIN).unwrap();
    std::os::unix::fs::symlink(SoftHsmToken::module(), folder.join("module.so")).unwrap();
    let file = home.join("privyseal/config.toml");
    for (name, pin) in [
        ("file", "pin-source=file:my-pin".to_owned()),
        ("value", format!("pin-value={PIN}")),
    ] {
        let mut command = Command::new(privyseal::path());
        command.env_remove("PRIVYSEAL_PIN").current_dir(folder);
        command.env("SOFTHSM2_CONF", client.token.configuration());
        command
            .env("XDG_CONFIG_HOME", &home)
            .args(["doctor", "--key"]);
        command.arg(format!(
            "pkcs11:token=T;object={KEY}?module-path=./module.so&{pin}"
        ));
        command.args([
            "--scheme",
            "fiam",
            "--client-id",
            "EU.EORI.NL123456789",
            "--write-profile",
            name,
        ]);
        let written = Outcome::of(&mut command);
        assert_eq!(
            written.code,
            Some(0),
            "{}{}",
            written.stdout,
            written.stderr
        );
        let no_pin = written.stdout.contains("the profile has no PIN");
        assert_eq!(no_pin, name == "value", "{}", written.stdout);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let there = folder.display();
    assert_eq!(
        text.matches(&format!("module-path={there}/module.so"))
            .count(),
        2,
        "{text}"
    );
    assert!(
        text.contains(&format!("pin-source=file:{there}/my-pin")),
        "{text}"
    );
    assert!(!text.contains(PIN), "{text}");
}

/// Without `--json` it is the same in lines.
#[test]
fn the_text_ends_with_what_to_do_next() {
    let client = Client::new();
    let outcome = client.run(&["doctor"], &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (_, next) = outcome.stdout.split_once("\nnext\n").unwrap();
    assert!(next.contains("nothing is broken"), "{next}");
}
