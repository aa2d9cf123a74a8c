//! Clients in other languages, as the documentation has them.

use privyseal_test_base::scratch::workspace;
use privyseal_test_judges::{node, python};

use crate::stage::Stage;

fn run(program: &std::path::Path, example: &str) {
    let stage = Stage::new();
    let agent = stage.agent();
    let script = workspace().join("docs/examples").join(example);
    let mut command = stage.command(&[program.to_str().unwrap()]);
    let ca = stage.client.token.dir().join("tls-ca.pem");
    command
        .arg(script)
        .arg(stage.socket())
        .args(["kpn", &format!("{}/oauth/token", stage.server.base_url())])
        .env("SSL_CERT_FILE", &ca)
        .env("NODE_EXTRA_CA_CERTS", &ca);
    let outcome = privyseal_test_suite::flow::Outcome::of(&mut command);
    assert_eq!(
        outcome.code,
        Some(0),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
    assert_eq!(outcome.stdout.trim(), "Bearer, 360 s");
    assert_eq!(stage.audited().len(), 2);
    agent.stop();
}

#[test]
fn a_client_in_python_gets_a_token() {
    run(&python::interpreter(), "agent_client.py");
}

#[test]
fn a_client_in_node_gets_a_token() {
    run(&node::interpreter(), "agent_client.mjs");
}
