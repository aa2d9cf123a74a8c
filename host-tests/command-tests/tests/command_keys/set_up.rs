//! A token is set up: a key is generated, a CA certifies it, the chain is stored. The same words for each kind of token;
//! OpenSSL is the CA, and `pkcs11-tool` says what is on the token.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use privyseal_test_base::{privyseal, tool};
use privyseal_test_pki::{TestPki, pem_chain};
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};
use privyseal_test_suite::flow::Outcome;
use privyseal_test_suite::kryoptic::KryopticToken;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

/// A token, and what a process needs to see it.
struct Bench<'d> {
    dir: &'d Path,
    environment: Vec<(String, OsString)>,
    pin: &'d str,
    /// Names the key, but for its label.
    key: String,
}

impl Bench<'_> {
    fn run(&self, words: &[&str], options: &[&str]) -> Outcome {
        let mut command = Command::new(privyseal::path());
        command
            .env("PRIVYSEAL_PIN", self.pin)
            .envs(self.environment.iter().cloned());
        command.args(words).args(options);
        Outcome::of(&mut command)
    }

    fn printed(&self, words: &[&str], options: &[&str]) -> String {
        let outcome = self.run(words, options);
        assert_eq!(outcome.code, Some(0), "{words:?}: {}", outcome.stderr);
        outcome.stdout
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }

    /// Has OpenSSL certify the request, by its root.
    fn certify(&self, days: &str) -> String {
        let (csr, ca, key) = (self.path("csr"), self.path("ca.pem"), self.path("ca.key"));
        let (leaf, chain) = (self.path("leaf.pem"), self.path(days));
        openssl(&[
            "x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &key, "-days", days, "-out", &leaf,
        ]);
        let both = [&ca, &leaf].map(|file| std::fs::read_to_string(file).unwrap());
        std::fs::write(&chain, both.concat()).unwrap();
        chain
    }

    fn root(&self) {
        let (ca, key) = (self.path("ca.pem"), self.path("ca.key"));
        let mut root = vec![
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "99",
        ];
        root.extend(["-subj", "/CN=Root", "-keyout", &key, "-out", &ca]);
        openssl(&root);
    }

    fn request(&self, key: &str) {
        let request = self.printed(&["csr", "--subject", "CN=seal"], &["--key", key]);
        std::fs::write(self.path("csr"), request).unwrap();
        openssl(&["req", "-in", &self.path("csr"), "-verify", "-noout"]);
    }

    /// SHA-256 of the last certificate, as OpenSSL has it.
    fn leaf_digest(&self) -> String {
        let leaf = self.path("leaf.pem");
        let words = ["x509", "-in", &leaf, "-noout", "-fingerprint", "-sha256"];
        let text = String::from_utf8(tool::run(&mut tool::command("openssl", words))).unwrap();
        let (_, digest) = text.trim().split_once('=').unwrap();
        digest.replace(':', "").to_lowercase()
    }

    /// From an empty token to a signature, and to the certificate's renewal.
    fn set_up(&self) {
        self.root();
        let generate = ["keys", "generate", "--label", "new seal", "--key"];
        let made = self.printed(&generate, &[&self.key]);
        let uri = made.trim_end();
        let again = self.run(&generate, &[&self.key]);
        assert_ne!(again.code, Some(0), "nothing is overwritten");
        self.request(uri);

        let put = ["keys", "put-chain", "--key", uri, "--chain"];
        let first = self.certify("20");
        let stored = self.printed(&put, &[&first]);
        assert_eq!(stored.lines().count(), 2);
        assert_eq!(
            self.printed(&put, &[&first]),
            stored,
            "a second time changes nothing"
        );
        let chain = self.printed(&["chain"], &["--key", uri]);
        assert!(
            chain.contains("CN=seal") && chain.contains("signed by itself: a root"),
            "{chain}"
        );

        let second = self.certify("50");
        let refused = self.run(&put, &[&second]);
        assert!(
            refused.stderr.contains("nothing was changed"),
            "{}",
            refused.stderr
        );
        let is_told = refused.stderr.contains("put-chain --replace");
        assert_eq!(is_told, uri.starts_with("pkcs11:"), "{}", refused.stderr);
        let ended = self.certify("-1");
        let over = self.run(&put, &[&ended, "--replace"]);
        assert_eq!(over.code, Some(2), "{}", over.stderr);
        assert!(over.stderr.contains("what signs now"), "{}", over.stderr);
        let second = self.certify("50");
        self.printed(&put, &[&second, "--replace"]);
        let all = uri.replace(";type=private", "");
        let listed = self.printed(&["keys", "--json"], &["--key", &all]);
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed["keys"][0]["fit"], true, "{listed}");
        let leaves = listed["certificates"].as_array().unwrap().iter();
        let leaves = leaves.filter(|it| it["certificate"]["subject"] == "CN=seal");
        assert_eq!(leaves.count(), 1, "the old one is gone");
    }
}

fn openssl(words: &[&str]) {
    tool::run(&mut tool::command("openssl", words));
}

/// What `pkcs11-tool` says of the new key.
fn is_as_asked_for(module: &Path, environment: &[(String, OsString)], label: &str) {
    let mut command = tool::command("pkcs11-tool", ["--module"]);
    command
        .arg(module)
        .args(["--login", "--pin", PIN, "--token-label", label, "-O"]);
    command.envs(environment.iter().cloned());
    let listed = String::from_utf8(tool::run(&mut command)).unwrap();
    let key = listed.split("Private Key Object").nth(1).unwrap();
    assert!(
        key.contains("sensitive") && key.contains("never extractable"),
        "{listed}"
    );
    let usage = key.lines().find(|line| line.contains("Usage:")).unwrap();
    assert!(usage.trim().ends_with("Usage:      sign"), "{listed}");
}

#[test]
fn softhsm_is_set_up() {
    let token = SoftHsmToken::new("S");
    let module = SoftHsmToken::module();
    let bench = Bench {
        dir: token.dir(),
        environment: vec![("SOFTHSM2_CONF".into(), token.configuration().into())],
        pin: PIN,
        key: format!("pkcs11:token=S?module-path={}", module.display()),
    };
    bench.set_up();
    is_as_asked_for(&module, &bench.environment, "S");
    let always = format!(
        "pkcs11:token=S;object=strict;id=%07?module-path={}",
        module.display()
    );
    let made = bench.printed(
        &["keys", "generate", "--always-authenticate", "--key"],
        &[&always],
    );
    assert!(made.contains("id=%07;object=strict;type=private"), "{made}");
    let listed = bench.printed(&["keys"], &["--key", made.trim_end()]);
    assert!(listed.contains("CKA_ALWAYS_AUTHENTICATE"), "{listed}");
    for (options, words) in [
        (
            &["--require-certificate"][..],
            "a new one has no certificate yet",
        ),
        (
            &["--min-key-bits", "3072"],
            "is more than the 2048 of the new key",
        ),
    ] {
        let never = always.replace("strict;id=%07", "never");
        let key = [&["--key", &never], options].concat();
        bench.run(&["keys", "generate"], &key).failed(2, words);
        let listed = bench.printed(&["keys", "--key"], &[&never]);
        assert!(listed.contains("no private key"), "{listed}");
    }
    let unnamed = format!("pkcs11:token=S?module-path={}", module.display());
    bench
        .run(&["keys", "generate", "--key"], &[&unnamed])
        .failed(2, "object is missing");
}

#[test]
fn kryoptic_is_set_up_with_the_same_words() {
    let token = KryopticToken::new("K");
    let module = KryopticToken::module();
    let bench = Bench {
        dir: token.dir(),
        environment: token.environment(),
        pin: PIN,
        key: format!("pkcs11:token=K?module-path={}", module.display()),
    };
    bench.set_up();
    is_as_asked_for(&module, &bench.environment, "K");
}

#[test]
fn a_yubihsm_is_set_up_with_the_same_words() {
    let dir = tempfile::tempdir().unwrap();
    let sim = YubihsmSim::start();
    let bench = Bench {
        dir: dir.path(),
        environment: Vec::new(),
        pin: FACTORY_PASSWORD,
        key: sim.uri("auth-key=1;key-id=7"),
    };
    bench.set_up();
}

/// Two leaves for one key, as after a renewal: the one that ends last is used, and the other where it is named.
#[test]
fn of_two_leaves_one_can_be_named_and_a_near_end_is_a_warning() {
    let token = SoftHsmToken::new("S");
    let module = SoftHsmToken::module();
    let bench = Bench {
        dir: token.dir(),
        environment: vec![("SOFTHSM2_CONF".into(), token.configuration().into())],
        pin: PIN,
        key: format!(
            "pkcs11:token=S;object=seal;id=%07?module-path={}",
            module.display()
        ),
    };
    bench.root();
    let key = bench.key.as_str();
    bench.printed(&["keys", "generate", "--key"], &[key]);
    bench.request(key);
    let old = bench.certify("20");
    bench.printed(&["keys", "put-chain", "--chain", &old, "--key"], &[key]);
    let digest = bench.leaf_digest();
    bench.certify("50");
    let (leaf, der) = (bench.path("leaf.pem"), bench.path("leaf.der"));
    openssl(&["x509", "-in", &leaf, "-outform", "DER", "-out", &der]);
    let mut write = tool::command("pkcs11-tool", ["--module"]);
    write
        .arg(&module)
        .args(["--login", "--pin", PIN, "--token-label", "S"]);
    write.args(["--write-object", &der, "--type", "cert", "--id", "07"]);
    write.envs(bench.environment.iter().cloned());
    tool::run(&mut write);

    let chain = |options: &[&str]| bench.printed(&["chain", "--key", key], options);
    let new = chain(&[]);
    assert!(!new.contains("ends in"), "{new}");
    assert!(
        new.contains(&bench.leaf_digest()) && !new.contains(&digest),
        "{new}"
    );
    assert!(chain(&["--warn-days", "60"]).contains("certificate 0 ends in "));
    let named = chain(&["--certificate", &digest]);
    assert!(named.contains(&digest), "{named}");
    assert!(named.contains("note    certificate 0 ends in "), "{named}");
    let colons = digest
        .as_bytes()
        .chunks(2)
        .map(|it| str::from_utf8(it).unwrap());
    let colons = colons.collect::<Vec<_>>().join(":").to_uppercase();
    // The findings have the time.
    let certificates = |text: &str| {
        let (certificates, _) = text.split_once("\npassed").unwrap();
        certificates.split_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(
        certificates(&chain(&["--certificate", &colons])),
        certificates(&named)
    );
    let nobody = "00".repeat(32);
    let unknown = bench.run(&["chain", "--key", key], &["--certificate", &nobody]);
    assert!(
        unknown.stderr.contains("no certificate has the SHA-256"),
        "{}",
        unknown.stderr
    );
    let doctor = bench.printed(&["doctor", "--key", key], &["--certificate", &digest]);
    assert!(doctor.contains("certificate 0 ends in "), "{doctor}");
    let listed = bench.printed(&["keys", "--key", key], &[]);
    assert!(
        listed.contains("its certificate ends in ")
            || listed.contains("  ends in ") && listed.contains(&digest),
        "{listed}"
    );
}

#[test]
fn a_leaf_that_its_issuer_did_not_sign_is_not_stored() {
    let (_, key, mut chain) = TestPki::with_seal();
    let token = SoftHsmToken::new("T");
    token.import_key(&key, "01", "K");
    *chain[0].last_mut().unwrap() ^= 1;
    let file = token.dir().join("chain.pem");
    std::fs::write(&file, pem_chain(&chain)).unwrap();
    let path = file.to_string_lossy();
    let put = [
        "keys",
        "put-chain",
        "--key",
        &token.uri("K"),
        "--chain",
        &path,
    ];
    let refused = crate::output(&token, &put);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains("was not signed by"),
        "{said}"
    );
    let objects = token.pkcs11_tool(&["--list-objects", "--type", "cert"]);
    assert!(!String::from_utf8(objects).unwrap().contains("Certificate"));
}
