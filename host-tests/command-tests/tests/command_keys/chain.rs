//! `privyseal chain`: ECDSA authorities and revocation lists, both made by OpenSSL; and the public chain.

use privyseal_test_base::clock;
use std::fs;
use std::path::{Path, PathBuf};

use privyseal_test_base::scratch::ishare_chain;
use privyseal_test_base::tool;
use privyseal_test_pki::pem_chain;
use privyseal_test_suite::softhsm::SoftHsmToken;
use serde_json::Value;

use super::output;

/// A P-384 root, a P-256 issuing CA, and an RSA leaf, by OpenSSL.
struct EcPki {
    token: SoftHsmToken,
}

const CONFIGURATION: &str = "\
[ca]
default_ca = it
[it]
database = index.txt
crlnumber = number
default_md = sha256
default_crl_days = 30
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[issuing]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,nonRepudiation
extendedKeyUsage = emailProtection
";

impl EcPki {
    fn new() -> Self {
        let pki = Self {
            token: SoftHsmToken::new("T"),
        };
        fs::write(pki.file("c.cnf"), CONFIGURATION).unwrap();
        pki.openssl("ecparam -name secp384r1 -genkey -noout -out root.key");
        pki.openssl("ecparam -name prime256v1 -genkey -noout -out issuing.key");
        pki.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out leaf.key");
        pki.openssl(
            "req -x509 -config c.cnf -extensions root -key root.key -sha384 -days 90 -subj /CN=Root \
             -out root.pem",
        );
        pki.issue("issuing", "root", "/CN=Issuing", 7);
        pki.issue(
            "leaf",
            "issuing",
            "/C=NL/organizationIdentifier=NTRNL-12345678/CN=Leaf",
            4660,
        );
        let chain = ["leaf", "issuing", "root"]
            .map(|name| fs::read_to_string(pki.file(&format!("{name}.pem"))).unwrap());
        fs::write(pki.file("chain.pem"), chain.concat()).unwrap();
        pki
    }

    fn issue(&self, name: &str, issuer: &str, subject: &str, serial: u32) {
        self.openssl(&format!(
            "req -new -config c.cnf -key {name}.key -subj {subject} -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -set_serial {serial} \
             -sha256 -days 60 -extfile c.cnf -extensions {name} -out {name}.pem"
        ));
    }

    /// A list of `issuer` with these lines in its database.
    fn crl(&self, issuer: &str, revoked: &str) -> String {
        fs::write(self.file("index.txt"), revoked).unwrap();
        fs::write(self.file("number"), "01\n").unwrap();
        let name = format!("{issuer}-{}.crl", revoked.len());
        self.openssl(&format!(
            "ca -gencrl -config c.cnf -keyfile {issuer}.key -cert {issuer}.pem -out {name}"
        ));
        self.file(&name).to_string_lossy().into_owned()
    }

    fn openssl(&self, arguments: &str) {
        let mut command = tool::command("openssl", arguments.split_whitespace());
        tool::run(command.current_dir(self.token.dir()));
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.token.dir()).join(name)
    }

    /// The report, and the exit code.
    fn report(&self, options: &[&str]) -> (Value, Option<i32>) {
        let chain = self.file("chain.pem");
        let arguments = ["chain", "--json", "--chain", &chain.to_string_lossy()].map(str::to_owned);
        let arguments = arguments
            .iter()
            .map(String::as_str)
            .chain(options.iter().copied());
        let output = output(&self.token, &arguments.collect::<Vec<_>>());
        (
            serde_json::from_slice(&output.stdout).unwrap(),
            output.status.code(),
        )
    }
}

fn texts(report: &Value, verdict: &str) -> String {
    let findings = report["findings"].as_array().unwrap().iter();
    let texts = findings.filter(|finding| finding["verdict"] == verdict);
    texts
        .map(|finding| format!("{}\n", finding["text"].as_str().unwrap()))
        .collect()
}

#[test]
fn ecdsa_links_are_proved_and_broken_ones_found() {
    let pki = EcPki::new();
    let (report, exit) = pki.report(&["--scheme", "ishare"]);
    assert_eq!(
        (exit, &report["valid"]),
        (Some(0), &Value::Null),
        "{report:#}"
    );
    let keys: Vec<_> = (0..3)
        .map(|at| report["certificates"][at]["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["RSA-2048", "ECDSA P-256", "ECDSA P-384"]);
    assert_eq!(report["party_id"], "did:ishare:EU.NL.NTRNL-12345678");
    assert_eq!(
        report["certificates"][0]["extended_key_usages"][0],
        "1.3.6.1.5.5.7.3.4"
    );
    assert_eq!(report["certificates"][1]["path_len"], 0);

    // Another issuing CA of the same name: the leaf is not its.
    pki.openssl("ecparam -name prime256v1 -genkey -noout -out issuing.key");
    pki.issue("issuing", "root", "/CN=Issuing", 8);
    let chain = ["leaf", "issuing", "root"]
        .map(|name| fs::read_to_string(pki.file(&format!("{name}.pem"))).unwrap());
    fs::write(pki.file("chain.pem"), chain.concat()).unwrap();
    let (report, exit) = pki.report(&[]);
    assert_eq!(exit, Some(1));
    assert_eq!(texts(&report, "broken").lines().count(), 1, "{report:#}");
    assert!(texts(&report, "broken").starts_with("certificate 0 was not signed"));
}

#[test]
fn revocation_is_what_the_lists_say() {
    let pki = EcPki::new();
    let good = pki.crl("issuing", "");
    let root = pki.crl("root", "");
    let (report, exit) = pki.report(&["--crl", &good, "--crl", &root]);
    assert_eq!(exit, Some(0), "{report:#}");
    let passed = texts(&report, "passed");
    assert!(passed.contains("certificate 0 is not revoked"), "{passed}");
    assert!(passed.contains("certificate 1 is not revoked"), "{passed}");

    let unknown = "certificate 1 may be revoked: no CRL that was given covers it";
    let (report, exit) = pki.report(&["--crl", &good]);
    assert_eq!(exit, Some(1));
    assert!(texts(&report, "broken").contains(unknown), "{report:#}");
    let (report, exit) = pki.report(&["--crl", &good, "--allow-unknown-revocation"]);
    assert_eq!(exit, Some(0));
    assert!(texts(&report, "note").contains(unknown), "{report:#}");
    let (report, _) = pki.report(&[]);
    assert!(texts(&report, "note").contains("no CRL is given"));

    // The certificates name no place to ask.
    let (report, exit) = pki.report(&["--revocation", "online"]);
    assert_eq!(exit, Some(1));
    assert!(
        texts(&report, "broken").contains("certificate 0 may be revoked"),
        "{report:#}"
    );
    let (report, exit) = pki.report(&["--revocation", "off"]);
    assert_eq!((exit, texts(&report, "broken").as_str()), (Some(0), ""));
    let chain = pki.file("chain.pem");
    let chain = chain.to_string_lossy();
    for wrong in [
        ["--revocation", "off", "--crl", &good].as_slice(),
        &["--revocation", "files"],
    ] {
        let output = output(&pki.token, &[&["chain", "--chain", &chain], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }

    let revoked = pki.crl(
        "issuing",
        "R\t350101000000Z\t260101000000Z\t1234\tunknown\t/CN=Leaf\n",
    );
    let (report, exit) = pki.report(&["--crl", &revoked, "--crl", &root]);
    assert_eq!(exit, Some(1));
    let broken = texts(&report, "broken");
    assert_eq!(broken.lines().count(), 1, "{broken}");
    assert!(
        broken.contains("certificate 0 is revoked since 2026-01-01T00:00:00Z"),
        "{broken}"
    );

    // 31 days on, the list is old while the certificates are still valid.
    let now = clock::now();
    let later = (now + 31 * 24 * 3600).to_string();
    let (report, exit) = pki.report(&["--crl", &good, "--now", &later]);
    assert_eq!(exit, Some(1));
    assert!(
        texts(&report, "broken").contains("out of date"),
        "{report:#}"
    );

    // A list that says it is the issuing CA's, signed by somebody else.
    pki.openssl("ecparam -name prime256v1 -genkey -noout -out forger.key");
    pki.openssl(
        "req -x509 -config c.cnf -extensions issuing -key forger.key -days 90 -subj /CN=Issuing \
         -out forger.pem",
    );
    let forged = pki.crl("forger", "");
    let (report, exit) = pki.report(&["--crl", &forged]);
    assert_eq!(exit, Some(1));
    assert!(
        texts(&report, "broken").contains("was not signed by a key that may sign it"),
        "{report:#}"
    );
}

#[test]
fn the_public_ishare_chain_in_any_order() {
    let token = SoftHsmToken::new("T");
    let chain = ishare_chain();
    let shuffled: Vec<_> = [2, 0, 3, 1].iter().map(|&at| chain[at].clone()).collect();
    let file = token.dir().join("chain.pem");
    fs::write(&file, pem_chain(&shuffled)).unwrap();
    let root = token.dir().join("root.pem");
    fs::write(&root, pem_chain(&chain[3..])).unwrap();
    // Two moments inside all dates.
    for now in ["1793000000", "1767225600"] {
        let file = file.to_string_lossy();
        let arguments = [
            "chain",
            "--chain",
            &file,
            "--scheme",
            "ishare",
            "--now",
            now,
            "--json",
            "--trust",
            root.to_str().unwrap(),
        ];
        let output = output(&token, &arguments);
        assert_eq!(output.status.code(), Some(0));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["valid"], true);
        assert_eq!(report["party_id"], "did:ishare:EU.NL.NTRNL-10000001");
        let leaf = &report["certificates"][0];
        assert_eq!(leaf["key_usages"], serde_json::json!(["nonRepudiation"]));
        let hex = "4670551451113b19425f8d63c3d6ce444b58de60831101748e9fb97b3e8766f8";
        assert_eq!(leaf["x5t#s256_hex"], hex);
        assert_eq!(
            leaf["x5t#S256"],
            "RnBVFFEROxlCX41jw9bOREtY3mCDEQF0jp-5ez6HZvg"
        );
    }
}
