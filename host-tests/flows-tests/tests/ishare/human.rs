//! Human to machine: a person logs in at an identity provider of iSHARE, whose tokens are believed for its seal.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::Arc;

use privyseal::http::Roots;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::login::LoginOptions;
use privyseal::schemes::ishare::identity_provider;
use privyseal::{AssertionOptions, Certificates, Error, ErrorKind, Http, HttpOptions};
use privyseal_test_pki::{Authority, CertificateSpec, TestPki, pem_chain, test_key};
use privyseal_test_servers::browser::{Browser, Place};
use privyseal_test_servers::ishare_server::{Config, Draft, IshareServer, REGISTRY};
use privyseal_test_suite::flow;
use serde_json::{Value, json};

use crate::stage::{CLIENT, World};

const RETURN: &str = "https://service.example/openid_connect1.0/return";

/// The claims of the id_token and those of UserInfo, or why there are none.
fn log_in(world: &World, config: Config) -> Result<(Value, Value), Error> {
    let server = IshareServer::start(config);
    let roots = Certificates::from_bytes(server.tls_ca_pem().as_bytes()).unwrap();
    let http = Http::new(&HttpOptions::default().roots(Roots::Only(roots)));
    let base = server.base_url();
    let provider = identity_provider(&base.parse().unwrap(), REGISTRY, world.root()).unwrap();
    let login = RelyingParty::new(Arc::new(world.client()), http, Arc::new(provider))
        .assertion(AssertionOptions::default().audience(REGISTRY));
    let mut asked = LoginOptions::new(RETURN);
    "openid iSHARE".clone_into(&mut asked.scope);
    let (url, state) = login.start(&asked).unwrap();
    assert!(
        url.as_str()
            .starts_with(&format!("{base}/identity_provider/authorize?"))
    );
    let mut browser = Browser::new(&base, server.tls_ca_pem());
    let Place::Elsewhere(callback) = browser.open(url.as_str()) else {
        panic!("a page");
    };
    let session = login.finish(&callback, state)?;
    assert!(!session.can_refresh(), "iSHARE: no refresh tokens");
    let userinfo = session.userinfo(&login)?;
    Ok((session.claims().clone().into(), userinfo.into()))
}

#[test]
fn a_person_logs_in_at_an_identity_provider() {
    let world = World::new();
    let (claims, userinfo) = log_in(&world, world.registry()).unwrap();
    assert_eq!(claims["iss"], REGISTRY);
    assert_eq!(claims["aud"], CLIENT);
    assert_eq!(userinfo["sub"], claims["sub"]);
    assert_eq!(userinfo["company_id"], "EU.EORI.NL000000001");
}

#[test]
fn what_no_identity_provider_sealed_is_not_believed() {
    type Lie = Box<dyn Fn(&mut Draft) + Send + Sync>;
    let world = World::new();
    let own = world.chain.clone();
    let key = world.key.clone();
    let stranger = test_key("keycloak-client-2", 2048);
    let root = CertificateSpec::authority("Test Root CA", None);
    let root = Authority::root(test_key("other-root", 2048), root);
    let below = CertificateSpec::authority("Test Sub CA", Some(1));
    let sub = root.subordinate(test_key("sub", 2048), below);
    let below = CertificateSpec::authority("Test Issuing CA", Some(0));
    let issuing = sub.subordinate(test_key("issuing", 2048), below);
    let other_ca = TestPki { root, sub, issuing };
    let mut leaf = CertificateSpec::seal();
    leaf.subject = format!("CN=Registry,serialNumber={REGISTRY},O=Registry,C=NL");
    let forged = other_ca.chain(&stranger.spki_der(), &leaf);
    let lies: Vec<(&str, Lie)> = vec![
        ("was changed", Box::new(|it| it.changed_later = true)),
        ("another party", {
            Box::new(move |it| {
                it.set_chain(&own);
                it.key = key.clone();
            })
        }),
        ("lead to none that is trusted", {
            Box::new(move |it| {
                it.set_chain(&forged);
                it.key = stranger.clone();
            })
        }),
        ("x5c", Box::new(|it| it.header["x5c"] = json!([]))),
        (
            "typ other than JWT",
            Box::new(|it| it.header["typ"] = json!("at+jwt")),
        ),
        (
            "is signed with none",
            Box::new(|it| it.header["alg"] = json!("none")),
        ),
        (
            "iss is",
            Box::new(|it| it.claims["iss"] = json!("EU.EORI.NL000000009")),
        ),
        (
            "aud does not name",
            Box::new(|it| it.claims["aud"] = json!("EU.EORI.NL000000009")),
        ),
        (
            "nonce is not",
            Box::new(|it| it.claims["nonce"] = json!("another")),
        ),
        (
            "expired",
            Box::new(|it| it.claims["exp"] = json!(1_700_000_000)),
        ),
    ];
    for (words, lie) in lies {
        let config = world.registry().lying(move |it| {
            if it.name == "id_token" {
                lie(it);
            }
        });
        let error = log_in(&world, config).unwrap_err();
        let text = crate::stage::said(&error);
        assert!(text.contains(words), "{words}: {text}");
        assert_eq!(error.kind(), ErrorKind::Refused, "{text}");
    }
    let other = world.registry().lying(|it| {
        if it.name == "userinfo" {
            it.claims["sub"] = json!("mallory");
        }
    });
    let text = log_in(&world, other).unwrap_err().to_string();
    assert!(text.contains("sub is another"), "{text}");
}

/// The command, with a key in a SoftHSM token.
#[test]
fn a_person_logs_in_by_command() {
    let client = flow::Client::new();
    let server = IshareServer::start(Config::honest(&client.pki, Vec::new()));
    let ca = client.file("tls-ca.pem", server.tls_ca_pem());
    let root = client.file("root.pem", pem_chain(&client.chain[3..]));
    let base = server.base_url();
    let mut command = client.command(&[
        "login",
        "--scheme",
        "ishare",
        "--base-url",
        &base,
        "--userinfo",
    ]);
    let without = flow::Outcome::of(&mut client.command(&[
        "login",
        "--scheme",
        "ishare",
        "--base-url",
        &base,
    ]));
    without.failed(2, "--provider-id");
    let base = &*base;
    // What can be known is found before anybody is shown anything.
    for (base, party, code, words) in [
        (base, "x y", 2, "--provider-id is no party id"),
        (base, "EU.EORI.NL000000009", 1, "the capabilities_token"),
        ("https://127.0.0.1:1", REGISTRY, 4, "no connection"),
    ] {
        let words_of = ["login", "--scheme", "ishare", "--base-url", base];
        let party = ["--provider-id", party];
        let mut command = client.command(&[&words_of[..], &party].concat());
        command.arg("--trust").arg(&root).arg("--cacert").arg(&ca);
        let outcome = flow::Outcome::of(&mut command);
        outcome.failed(code, words);
        assert!(!outcome.stderr.contains("open this"), "{}", outcome.stderr);
    }
    command
        .args(["--provider-id", REGISTRY])
        .arg("--trust")
        .arg(root)
        .arg("--cacert")
        .arg(ca);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = said
        .map_while(Result::ok)
        .inspect(|line| eprintln!("{line}"));
    let url = said.find(|line| line.starts_with("https://"));
    let mut browser = Browser::new(base, server.tls_ca_pem());
    let Place::Elsewhere(callback) = browser.open(&url.unwrap()) else {
        panic!("a page");
    };
    let rest = callback.strip_prefix("http://").unwrap();
    let (address, target) = rest.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_fmt(
        &mut stream,
        format_args!("GET /{target} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
    )
    .unwrap();
    let mut report = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut report)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{:?}", said.last());
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["id_token"]["iss"], REGISTRY);
    assert_eq!(report["userinfo"]["sub"], report["id_token"]["sub"]);
}
