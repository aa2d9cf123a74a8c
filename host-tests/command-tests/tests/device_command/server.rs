//! An access token from a server, with an assertion that a device made.

use privyseal_test_servers::fiam_server::{Config, FiamServer};

use crate::stage::{Stage, run};

#[test]
fn an_access_token_and_a_call_with_it() {
    let stage = Stage::provisioned();
    let server = FiamServer::start(Config::trusting(&stage.pki.root.certificate)).unwrap();
    let ca = stage.write("ca.pem", server.tls_ca_pem().as_bytes());
    let (uri, base) = (stage.uri(), server.base_url());
    let arguments = [
        "token",
        "--scheme",
        "fiam",
        "--key",
        &uri,
        "--base-url",
        &base,
        "--cacert",
        &ca,
    ];
    let token = run(&arguments, b"").json();
    assert_eq!(token["token_type"], "Bearer");
    let call = [&arguments[..], &["--call", "/service-consumers/contracts"]].concat();
    assert!(run(&call, b"").json().is_object());

    let refused = [&arguments[..], &["--lifetime", "31"]].concat();
    run(&refused, b"").is_refused(1, &["lifetime"]);
    let jti = [&arguments[..], &["--jti", "1"]].concat();
    run(&jti, b"").is_refused(2, &["--jti"]);
    let info = stage.device("info", &["--json"]).json();
    assert_eq!(info["counter"], 2);
}
