//! A scheme of one's own against servers that take `private_key_jwt` and know none of ours: node-oidc-provider and
//! Authlib; Keycloak is in `keycloak/own_scheme.rs`.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::path::Path;

use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::pem_chain;
use privyseal_test_servers::authlib::AuthlibServer;
use privyseal_test_servers::oidc_provider::{OidcProvider, Registration};
use privyseal_test_suite::flow;

const CLIENT: &str = "warehouse";

/// A scheme that demands what the server does.
fn scheme(client: &flow::Client, key: &str, server: &str, more: &str) -> std::path::PathBuf {
    let text = format!(
        "[scheme.own]\nkey = \"{key}\"\naudience = \"{server}/token\"\nlifetime = 60\n\
         [scheme.own.token-request]\npath = \"/token\"\nbase-url = \"{server}\"\n{more}\n"
    );
    client.file("own.toml", text)
}

fn run(client: &flow::Client, command: &str, scheme: &Path, words: &[&str]) -> flow::Outcome {
    let first = [command, "--client-id", CLIENT];
    client.run(&[&first[..], words].concat(), &[("--scheme", scheme)])
}

/// `kid`, `x5c` and `x5t#S256`; and the form has what the scheme says.
#[test]
fn authlib_gives_a_token_for_each_way_to_name_the_key() {
    let client = flow::Client::new();
    let server = AuthlibServer::start(CLIENT, &client.chain[0]);
    let more = "scope = \"read write\"\nmembers = { resource = \"https://api.example/a b\" }";
    let cacert = server.cacert();
    let token = |scheme: &Path, words: &[&str]| {
        let first = ["--cacert", cacert.to_str().unwrap()];
        run(&client, "token", scheme, &[&first[..], words].concat())
    };
    for key in ["kid", "x5c", "x5t#S256"] {
        let scheme = scheme(&client, key, server.base_url(), more);
        let answer = token(&scheme, &[]).json();
        assert_eq!(answer["token_type"], "Bearer", "{key}");
        let asked = server.asked();
        assert_eq!(asked["resource"], "https://api.example/a b", "{key}");
        assert_eq!(asked["scope"], "read write", "{key}");
        assert_eq!(asked["client_id"], CLIENT, "{key}");
        token(&scheme, &["--jti", key]).json();
        token(&scheme, &["--jti", key]).failed(1, "invalid_client");
    }
    let scheme = scheme(&client, "kid", server.base_url(), more);
    token(&scheme, &["--kid", "another"]).failed(1, "invalid_client");
    token(&scheme, &["--audience", "https://other.example"]).failed(1, "aud is not the only one");
    token(&scheme, &["--lifetime", "61"]).failed(1, "allowed are 1 to 60");
}

/// `check --scheme FILE` judges by the same file, and the built-in schemes do not claim the token.
#[test]
fn what_is_signed_under_a_file_is_judged_by_it() {
    let client = flow::Client::new();
    let server = "https://as.example";
    let set = client.file("set.json", client.run(&["jwks", "--x5c"], &[]).stdout);
    let root = client.file("root.pem", pem_chain(&[&*client.pki.root.certificate]));
    for (key, judge) in [
        ("kid", ("--jwks", &set)),
        ("x5t#S256", ("--jwks", &set)),
        ("x5c", ("--trust", &root)),
    ] {
        let scheme = scheme(&client, key, server, "");
        let signed = run(&client, "sign", &scheme, &[]);
        assert_eq!(signed.code, Some(0), "{}", signed.stderr);
        let header = Parts::of(signed.stdout.trim()).header();
        assert_eq!(header.as_object().unwrap().len(), 3, "{header}");
        assert!(header.get(key).is_some(), "{header}");
        let check = |scheme: &Path, words: &[&str]| {
            let mut command = std::process::Command::new(privyseal_test_base::privyseal::path());
            command.args(["check", "--json", signed.stdout.trim()]);
            command
                .arg("--scheme")
                .arg(scheme)
                .arg(judge.0)
                .arg(judge.1);
            flow::Outcome::of(command.args(words))
        };
        let report = check(&scheme, &[]).json();
        assert_eq!(report["scheme"], "own", "{key}");
        check(&scheme, &["--audience", "https://other.example/token"]).failed(1, "");
        let stricter = client.file(
            "stricter.toml",
            std::fs::read_to_string(&scheme)
                .unwrap()
                .replace("lifetime = 60", "lifetime = 59"),
        );
        check(&stricter, &[]).failed(1, "");
    }
}

#[test]
fn node_oidc_provider_gives_a_token() {
    let client = flow::Client::new();
    let set = client.run(&["jwks"], &[]).json();
    let provider = OidcProvider::start(&Registration {
        id: CLIENT,
        jwks: set,
        callback: None,
        encryption: None,
        redirect_uri: None,
    });
    let scheme = scheme(&client, "kid", provider.issuer(), "");
    let cacert = provider.cacert();
    let words = ["--cacert", cacert.to_str().unwrap()];
    let token = run(&client, "token", &scheme, &words).json();
    assert_eq!(token["token_type"], "Bearer");
    let once = [&words[..], &["--jti", "once"]].concat();
    run(&client, "token", &scheme, &once).json();
    run(&client, "token", &scheme, &once).failed(1, "invalid_client");

    // The commands for what an OpenID provider offers.
    let token = client.file("token", token["access_token"].as_str().unwrap());
    let about = |command| {
        let at = ["--base-url", provider.issuer(), token.to_str().unwrap()];
        run(&client, command, &scheme, &[&words[..], &at].concat())
    };
    assert_eq!(about("introspect").json()["active"], true);
    assert_eq!(about("revoke").code, Some(0));
    assert_eq!(about("introspect").json()["active"], false);
}

/// Before a key is asked for anything.
#[test]
fn a_file_that_is_wrong_is_wrong_usage() {
    let client = flow::Client::new();
    for (text, words) in [
        ("", "line 1: missing field `scheme`"),
        (
            "[scheme.own]\nkey = \"kid\"\naudience = \"a\"\nlifetime = 601",
            "line 4: scheme.own: lifetime is 601",
        ),
        (
            "[scheme.itsme]\nkey = \"kid\"\naudience = \"a\"\nlifetime = 60",
            "line 1: scheme.itsme: scheme is not a name",
        ),
        (
            "[scheme.a]\nkey = \"kid\"\naudience = \"a\"\nlifetime = 60\n[scheme.b]\nkey = \"kid\"\naudience = \"a\"\nlifetime = 60",
            "several tables",
        ),
    ] {
        let scheme = client.file("own.toml", text);
        run(&client, "sign", &scheme, &[]).failed(2, words);
    }
    let missing = client.file("own.toml", "").with_file_name("none.toml");
    run(&client, "sign", &missing, &[]).failed(2, "cannot be read");
    let names = client.run(&["sign", "--scheme", "acme"], &[]);
    names.failed(2, "possible values: fiam, ishare");
}
