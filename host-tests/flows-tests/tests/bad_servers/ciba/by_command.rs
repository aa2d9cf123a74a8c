//! The same from outside, at the steps that no other test of the command comes to: user discovery, the
//! provider's keys, and UserInfo.

use std::path::Path;
use std::thread;

use privyseal_test_pki::pem_chain;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::flow::Client;

use super::good::{SUBJECT, USERINFO, jwks, jwks_of, tokens};
use super::play::{CLIENT_ID, acknowledged, metadata, not_yet};
use super::steps::Step;
use crate::stage::{BEARER, jwt, nothing_leaks};

#[test]
fn the_command_says_what_is_wrong_and_nothing_else() {
    let html = || Reply::of_type("200 OK", "text/html", "<html>");
    let slow = "no complete answer in time";
    let rows = [
        (Step::Session, Reply::Silence, 4, slow),
        (Step::Session, Reply::Endless, 4, "larger than 524288 bytes"),
        (Step::Session, html(), 4, "the answer is not JSON"),
        (Step::SessionPoll, Reply::Echo(401), 1, "token left out"),
        (Step::Jwks, Reply::Drip, 4, slow),
        (Step::Jwks, Reply::Endless, 4, "larger than 262144 bytes"),
        (Step::Jwks, html(), 4, "/jwks: the key set is not JSON"),
        (
            Step::Backchannel,
            Reply::json("404 No", "{}"),
            4,
            "help: check --base-url and what else names the server",
        ),
        (Step::UserInfo, Reply::Drip, 7, slow),
        (
            Step::UserInfo,
            Reply::Endless,
            7,
            "larger than 1048576 bytes",
        ),
        (Step::UserInfo, html(), 7, "neither a JSON object"),
        (Step::UserInfo, Reply::Echo(403), 7, "token left out"),
    ];
    thread::scope(|scope| {
        // SoftHSM gives a token to one process at a time.
        for rows in rows.chunks(3) {
            scope.spawn(move || {
                let client = Client::new();
                for (step, reply, code, words) in rows {
                    fails(&client, *step, reply, *code, words);
                }
            });
        }
    });
}

fn fails(client: &Client, step: Step, reply: &Reply, code: i32, words: &str) {
    let server = BadServer::at_home(|issuer| {
        // The keys are read before anybody is asked anything.
        let mut begun = step.begun(issuer);
        begun.retain(|reply| !is_jwks(reply));
        let mut replies = vec![Reply::json("200 OK", &metadata(issuer))];
        if !matches!(step, Step::Jwks) {
            replies.push(jwks());
            replies.append(&mut begun);
        }
        // For each of four tries.
        replies.extend(std::iter::repeat_n(reply.clone(), 4));
        replies
    });
    let issuer = server.base_url();
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let user = client.file("user", BEARER);
    let usual = ["ciba", "--client-id", CLIENT_ID, "--service", "TEST"];
    let server_words = ["--base-url", &issuer, "--timeout", "2"];
    let is_known = !matches!(step, Step::Session | Step::SessionPoll);
    let person = if is_known {
        ("--user-identifier-token-file", &*user)
    } else {
        ("--qr", Path::new("never-written.jpg"))
    };
    let files: &[(&str, &Path)] = &[("--cacert", &ca), person];
    let outcome = client.run(&[&usual[..], &server_words].concat(), files);
    outcome.failed(code, words);
    let says = outcome
        .stderr
        .contains("the provider sent no QR code (qr_code) that is still good");
    assert_eq!(says, matches!(step, Step::SessionPoll), "{step:?}");
    if code == 7 {
        assert_eq!(
            outcome.stdout.matches(SUBJECT).count(),
            1,
            "{step:?} {reply:?}"
        );
    } else {
        assert_eq!(outcome.stdout, "", "{step:?} {reply:?}");
    }
    nothing_leaks(&outcome.stderr, &server);
    assert!(!outcome.stderr.contains("eyJ"), "{}", outcome.stderr);
}

/// The provider signs with a key that it has just made, and does not show it: what UserInfo says is printed, and not called
/// success.
#[test]
fn keys_that_are_out_of_reach_after_the_person_has_confirmed() {
    let client = Client::new();
    let user = client.file("user", BEARER);
    let server = BadServer::at_home(|issuer| {
        let mut replies = vec![Reply::json("200 OK", &metadata(issuer)), jwks_of("op-0")];
        replies.extend([acknowledged(60, 1), tokens(issuer)]);
        replies.push(Reply::json("403 No", "{}"));
        replies.push(Reply::json("200 OK", USERINFO));
        replies
    });
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let issuer = server.base_url();
    let words = [
        "ciba",
        "--client-id",
        CLIENT_ID,
        "--service",
        "TEST",
        "--base-url",
        &issuer,
    ];
    let files: &[(&str, &Path)] = &[("--cacert", &ca), ("--user-identifier-token-file", &user)];
    let outcome = client.run(&words, files);
    outcome.failed(7, "those of the id_token could not be verified");
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["userinfo"]["sub"], SUBJECT);
    assert!(report.get("id_token").is_none());
    assert_eq!(server.requests().len(), 6);
}

fn is_jwks(reply: &Reply) -> bool {
    matches!(reply, Reply::Raw(text) if text.contains("\"keys\""))
}

/// A slash is part of an issuer's name, also in the audience of the request that is signed for it.
#[test]
fn an_issuer_that_ends_in_a_slash() {
    let client = Client::new();
    let user = client.file("user", BEARER);
    let server = BadServer::at_home(|issuer| {
        let metadata = metadata(&format!("{issuer}/"));
        let metadata = Reply::json("200 OK", &metadata);
        vec![metadata, jwks(), not_yet("access_denied")]
    });
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let run = |issuer: &str| {
        let usual = ["ciba", "--client-id", CLIENT_ID, "--service", "TEST"];
        let words = [&usual[..], &["--base-url", issuer]].concat();
        let files: &[(&str, &Path)] = &[("--cacert", &ca), ("--user-identifier-token-file", &user)];
        client.run(&words, files)
    };
    let issuer = format!("{}/", server.base_url());
    run(&issuer).failed(1, "access_denied");
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /.well-known/openid-configuration "));
    assert_eq!(jwt(&requests[2], "request=")["aud"], issuer);
    let other = jwt(&requests[2], "client_assertion=");
    assert_eq!(other["aud"], format!("{issuer}token"), "one slash");
    run(&server.base_url()).failed(4, "the metadata are of the issuer");
}
