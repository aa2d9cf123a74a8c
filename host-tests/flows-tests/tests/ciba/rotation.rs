//! Both keys of a client are replaced while persons log in: the plan says how, the command checks that it is so, and
//! node-oidc-provider, which keeps what it has read, judges each login.

use std::collections::HashMap;
use std::fs;

use privyseal::pki::validation::IdentityValidation;
use privyseal_test_base::tool::{command, run};
use serde_json::{Value, json};

use crate::stage::{Ended, PERSON, Stage};

const HOUR: u64 = 60 * 60;

/// A stage with new keys beside the old ones, and what is published of both.
struct Change {
    stage: Stage,
    labels: HashMap<String, &'static str>,
    old: Value,
    new: Value,
    logins: u32,
}

impl Change {
    fn new() -> Self {
        let stage = Stage::polling("RSA-OAEP", "A128CBC-HS256");
        stage.softhsm().generate_key(2048, "11", "signing-2");
        stage
            .softhsm()
            .generate_decryption_key(2048, "12", "decryption-2");
        let mut labels = HashMap::new();
        let mut set = |signing: &'static str, decryption: &'static str| {
            let (key, enc) = (stage.uri(signing), stage.uri(decryption));
            let jwks = stage.run(&["jwks", "--key", &key, "--encryption-key", &enc]);
            let set = jwks.report();
            let kid = |at: usize| set["keys"][at]["kid"].as_str().unwrap().to_owned();
            labels.extend([(kid(0), signing), (kid(1), decryption)]);
            set
        };
        let old = set("signing", "decryption");
        let new = set("signing-2", "decryption-2");
        Self {
            stage,
            labels,
            old,
            new,
            logins: 0,
        }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.stage.provider.dir().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// One login with the keys of a step.
    fn login(&mut self, sign_with: &Value, decrypt_with: &Value) -> Ended {
        self.logins += 1;
        let token = format!("t{}", self.logins);
        let known = json!({ token.as_str(): PERSON });
        self.stage
            .provider
            .script(&json!({"polls": [], "decision": "approve", "known": known}));
        let user = self.file("user", &token);
        let label = |kid: &Value| self.labels[kid.as_str().unwrap()].to_owned();
        let decrypt: Vec<_> = decrypt_with.as_array().unwrap().iter().map(label).collect();
        let signing = label(&sign_with[0]);
        self.stage.ciba_with_keys(&signing, &decrypt, user.as_ref())
    }

    fn good_login(&mut self, step: &Value) {
        let ended = self.login(&step["sign_with"], &step["decrypt_with"]);
        assert_eq!(
            ended.report()["id_token"]["sub"],
            PERSON,
            "{}",
            step["action"]
        );
    }

    fn check(&self, plan: &str, now: u64) -> Ended {
        let (url, ca) = (self.stage.provider.jwks_uri(), self.stage.provider.cacert());
        let now = now.to_string();
        let ca = ca.to_str().unwrap();
        let words = ["rotate", "check", plan, "--url", &url, "--now", &now];
        self.stage.run(&[&words[..], &["--cacert", ca]].concat())
    }
}

#[test]
fn a_whole_rotation_without_a_failed_login() {
    let mut change = Change::new();
    let old = change.file("old.json", &change.old.to_string());
    let new = change.file("new.json", &change.new.to_string());
    let begin = 1_800_000_000_u64;
    let plan = ["rotate", "plan", &old, &new, "--begin", "1800000000"];
    let text = change.stage.run(&plan);
    assert!(
        text.stdout
            .contains("2027-01-16T08:00:00Z  sign with the new key"),
        "{}",
        text.stdout
    );
    let plan = change.stage.run(&[&plan[..], &["--json"]].concat());
    let file = change.file("plan.json", &plan.stdout);
    let plan = plan.report();
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4);
    for step in steps {
        let from = step["from"].as_u64().unwrap();
        let now = if from == 0 { begin - 1 } else { from };
        if step["publish"] != change.old {
            // Where it is not done yet, the check says so; the switch needs nothing to be published.
            let early = change.check(&file, now);
            let is_switch = now == begin + 24 * HOUR;
            let code = Some(i32::from(!is_switch));
            assert_eq!(early.code, code, "{}", step["action"]);
            let text = early.stdout;
            assert!(!text.contains("old keys can be"), "{text}");
        }
        change.stage.provider.publish(&step["publish"]);
        let checked = change.check(&file, now);
        assert_eq!(
            checked.code,
            Some(0),
            "{}{}",
            checked.stdout,
            checked.stderr
        );
        // Since when it is published the command cannot see.
        let condition =
            ", if that is published since 2027-01-15T08:00:00Z; else 86400 s after it was";
        let is_new = step["sign_with"] == steps[3]["sign_with"];
        assert_eq!(
            checked.stdout.contains(condition),
            is_new,
            "{}",
            checked.stdout
        );
        // The provider keeps what it has read; then it reads again.
        change.good_login(step);
        change.stage.provider.forget_keys();
        change.good_login(step);
    }
    assert!(change.stage.provider.events_of("client keys read").len() >= steps.len());
}

/// What the plan is for: each of these shortcuts loses a login.
#[test]
fn who_hurries_loses_a_login() {
    let mut change = Change::new();
    let kid = |set: &Value, at: usize| json!([set["keys"][at]["kid"]]);
    let (old, new) = (change.old.clone(), change.new.clone());
    change.login(&kid(&old, 0), &kid(&old, 1)).report();

    // Signed with a key that the provider has not read yet.
    let both = [&old, &new].map(|set| set["keys"].as_array().unwrap().clone());
    change
        .stage
        .provider
        .publish(&json!({ "keys": both.concat() }));
    let early = change.login(&kid(&new, 0), &kid(&old, 1));
    early.refused(1, "invalid_client");

    // The old key decrypts no more, and the provider still encrypts to it: known before the person is asked or not,
    // nobody learns who they are.
    let deaf = change.login(&kid(&old, 0), &kid(&new, 1));
    deaf.refused(1, "is for another key than the decryption key");
}

#[test]
fn what_is_published_is_compared_with_the_keys() {
    let change = Change::new();
    let provider = &change.stage.provider;
    let ca = provider.cacert();
    let verify = |signing: &str, more: &[&str]| {
        let (key, url) = (change.stage.uri(signing), provider.jwks_uri());
        let words = [
            "jwks",
            "--key",
            &key,
            "--verify",
            &url,
            "--cacert",
            ca.to_str().unwrap(),
        ];
        change.stage.run(&[&words[..], more].concat())
    };
    let good = verify("signing", &[]);
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    for words in [
        "passed  ",
        "is published\n",
        "is published, too",
        "may be kept for 3600 s, as its server says",
        "does not say how its owner was identified",
    ] {
        assert!(good.stdout.contains(words), "{words}: {}", good.stdout);
    }
    let strict = verify("signing", &["--scheme", "itsme", "--json"]);
    assert_eq!(strict.code, Some(1), "{}", strict.stdout);
    let findings: Value = serde_json::from_str(&strict.stdout).unwrap();
    let broken = findings["findings"].as_array().unwrap().iter();
    let broken: Vec<_> = broken.filter(|it| it["verdict"] == "broken").collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    let missing = verify("signing-2", &[]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stdout.contains("is not published"),
        "{}",
        missing.stdout
    );

    let mut changed = change.old.clone();
    changed["keys"][0]["n"] = change.new["keys"][0]["n"].clone();
    provider.publish(&changed);
    assert!(
        verify("signing", &[])
            .stdout
            .contains("is published, for another key")
    );
    for (name, value) in [("alg", json!("PS256")), ("key_ops", json!(["encrypt"]))] {
        let mut other = change.old.clone();
        other["keys"][0][name] = value;
        provider.publish(&other);
        let said = verify("signing", &[]);
        assert_eq!(said.code, Some(1), "{name}");
        let words = "is published, with an alg or key_ops for something else";
        assert!(said.stdout.contains(words), "{}", said.stdout);
    }
    changed["keys"][0]["d"] = json!("AQAB");
    provider.publish(&changed);
    verify("signing", &[]).refused(4, "holds a private or secret key");
}

/// The set says max-age=3600.
#[test]
fn a_plan_waits_as_long_as_the_set_may_be_kept() {
    let change = Change::new();
    let old = change.file("old.json", &change.old.to_string());
    let new = change.file("new.json", &change.new.to_string());
    let judged = |cache: &str| {
        let words = [
            "rotate",
            "plan",
            &old,
            &new,
            "--json",
            "--begin",
            "1800000000",
        ];
        let plan = change
            .stage
            .run(&[&words[..], &["--cache", cache]].concat());
        change.check(&change.file("plan.json", &plan.stdout), 1_700_000_000)
    };
    assert_eq!(judged("3600").code, Some(0));
    let short = judged("3599");
    assert_eq!(short.code, Some(1), "{}", short.stderr);
    let words = "may be kept for 3600 s, as its server says, and the plan waits 3599 s only";
    assert!(short.stdout.contains(words), "{}", short.stdout);
    let none = change.file("none.json", r#"{"keys":[]}"#);
    let plan = ["rotate", "plan", &none, &new];
    let of_old = change.stage.run(&plan);
    of_old.refused(2, &format!("{none} cannot be used: the set has no key"));
    let text = change.stage.run(&["rotate", "plan", &old, &new]).stdout;
    let text = change.file("plan.txt", &text);
    let check = ["rotate", "check", &text, "--url", "https://127.0.0.1:1"];
    change.stage.run(&check).refused(2, "as --json prints one");
}

/// Certificates by openssl, each with one of the policies that CAs have for servers.
#[test]
fn what_a_servers_certificate_says_of_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, file) = (place("key.pem"), place("certificate.der"));
    let (named, bare) = ("/O=Example/CN=jwks.example", "/OU=Example/CN=jwks.example");
    for (subject, policies, expected) in [
        (bare, "2.23.140.1.2.1", Some(IdentityValidation::Domain)),
        (
            named,
            "2.23.140.1.2.2",
            Some(IdentityValidation::Organization),
        ),
        (bare, "2.23.140.1.2.3", Some(IdentityValidation::Individual)),
        (named, "2.23.140.1.1", Some(IdentityValidation::Extended)),
        (
            named,
            "1.3.6.1.4.1.99999.1,2.23.140.1.2.2",
            Some(IdentityValidation::Organization),
        ),
        (named, "1.3.6.1.4.1.99999.1", None),
        (bare, "2.23.140.1.2.2", None),
        (bare, "2.23.140.1.1", None),
    ] {
        let extension = format!("certificatePolicies={policies}");
        run(&mut command(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-addext",
                &extension, "-keyout", &key, "-outform", "DER", "-out", &file,
            ],
        ));
        let found = IdentityValidation::of(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(found, expected, "{policies}");
        let is_enough = found.is_some_and(IdentityValidation::names_organization);
        assert_eq!(
            is_enough,
            subject == named && (policies.contains("1.2.2") || policies == "2.23.140.1.1")
        );
    }
    assert!(IdentityValidation::of(b"no certificate").is_err());
}
