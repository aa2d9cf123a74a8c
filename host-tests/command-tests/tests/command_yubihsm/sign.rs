//! The command `privyseal` with `yubihsm:` keys, as a process.

use privyseal_test_base::clock::now;
use std::process::{Command, Output};
use std::time::Duration;

use privyseal_test_base::privyseal;
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};
use privyseal_test_suite as suite;
use privyseal_test_suite::software_signer::SoftwareSigner;

fn privyseal(arguments: &[&str], secret: &str) -> Output {
    Command::new(privyseal::path())
        .args(arguments)
        .env("PRIVYSEAL_PIN", secret)
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn sign_keys_chain_and_csr_work_as_with_any_other_key() {
    let (sim, key, chain) = YubihsmSim::with_seal(Duration::from_secs(30));
    let now = now();
    let case = suite::cases(now)[0];
    let uri = sim.uri("key-id=100");
    let (moment, uri) = (now.to_string(), uri.as_str());
    let mut sign = vec!["sign", "--scheme", "fiam", "--key", uri, "--chain", "token"];
    sign.extend([
        "--client-id",
        case.client_id,
        "--now",
        &moment,
        "--jti",
        case.jti,
    ]);
    let token = printed(&privyseal(&sign, FACTORY_PASSWORD));
    let software = suite::mint(&mut SoftwareSigner::new(&key), &case, &chain).unwrap();
    assert_eq!(token, format!("{software}\n"));

    let keys = printed(&privyseal(&["keys", "--key", uri], FACTORY_PASSWORD));
    assert!(
        keys.contains("key-id=100") && keys.contains("RSA-2048: fit to sign"),
        "{keys}"
    );
    assert!(
        keys.contains("cert-ids=101") && keys.contains("for yubihsm:"),
        "{keys}"
    );
    printed(&privyseal(
        &["chain", "--key", uri, "--scheme", "fiam"],
        FACTORY_PASSWORD,
    ));
    let csr = ["csr", "--key", uri, "--subject", "CN=Test,C=NL"];
    let request = printed(&privyseal(&csr, FACTORY_PASSWORD));
    assert!(
        request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"),
        "{request}"
    );

    let refused = privyseal(&sign, "wrong");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(3), 0));
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(
        errors.contains("password of authentication key 1"),
        "{errors}"
    );
}

#[test]
fn audit_and_provisioning_work_from_the_command_line() {
    let (sim, _, _) = YubihsmSim::with_seal(Duration::from_secs(30));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let key = sim.uri("key-id=7");
    let generated = privyseal(
        &["keys", "generate", "--key", &key, "--label", "new"],
        FACTORY_PASSWORD,
    );
    assert_eq!(
        printed(&generated).trim_end(),
        "yubihsm:".to_owned() + &key["yubihsm:".len()..].replace(";key-id", ";auth-key=1;key-id")
    );
    let attested = privyseal(&["yubihsm", "attest", "--key", &key], FACTORY_PASSWORD);
    let attested = printed(&attested);
    assert_eq!(attested.matches("BEGIN CERTIFICATE").count(), 2);
    let device = attested
        .split_inclusive("-----END CERTIFICATE-----\n")
        .nth(1);
    let device = device.unwrap_or_default();
    let (root, other) = (format!("{path}/root.pem"), format!("{path}/other.pem"));
    std::fs::write(&root, device).unwrap();
    let stranger = privyseal_test_pki::TestPki::new().root.certificate;
    std::fs::write(&other, privyseal_test_pki::pem_chain(&[stranger])).unwrap();
    // OpenSSL is of the same mind.
    std::fs::write(format!("{path}/leaf.pem"), &attested).unwrap();
    for (trust, is_trusted) in [(&root, true), (&other, false)] {
        let attest = ["yubihsm", "attest", "--key", &key, "--trust", trust];
        let answer = privyseal(&attest, FACTORY_PASSWORD);
        assert_eq!(answer.status.success(), is_trusted, "{answer:?}");
        assert_eq!(answer.stdout.is_empty(), !is_trusted, "{answer:?}");
        let openssl = Command::new("openssl")
            .args(["verify", "-CAfile", trust, &format!("{path}/leaf.pem")])
            .output()
            .unwrap();
        assert_eq!(openssl.status.success(), is_trusted, "{openssl:?}");
    }

    let uri = sim.uri(&format!("key-id=100?audit-dir={path}/audit"));
    let mut sign = vec![
        "sign", "--scheme", "fiam", "--key", &uri, "--chain", "token",
    ];
    sign.extend(["--client-id", "EU.EORI.NL123456789"]);
    printed(&privyseal(&sign, FACTORY_PASSWORD));
    let audit = ["yubihsm", "audit", "--key", &uri];
    let report = printed(&privyseal(&audit, FACTORY_PASSWORD));
    assert!(
        report.contains("1 signatures with key 100 in the log; ours: 1 made, 0 open"),
        "{report}"
    );
    // Past the audit directory.
    let plain = sim.uri("key-id=100");
    sign[4] = &plain;
    printed(&privyseal(&sign, FACTORY_PASSWORD));
    let report = privyseal(&audit, FACTORY_PASSWORD);
    assert_eq!(report.status.code(), Some(1));
    let text = String::from_utf8_lossy(&report.stdout);
    assert!(text.contains("! 1 more signatures"), "{text}");

    let forced = privyseal(
        &["yubihsm", "force-audit", "--key", &plain],
        FACTORY_PASSWORD,
    );
    assert_eq!(printed(&forced), "force-audit is on\n");
    sim.fill_log();
    let refused = privyseal(&sign, FACTORY_PASSWORD);
    let text = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{text}");
    assert!(text.contains("LOG_FULL"), "{text}");
    sign[4] = &uri;
    printed(&privyseal(&sign, FACTORY_PASSWORD));
}
