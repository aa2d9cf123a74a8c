//! Clients in other languages, as the documentation has them: each hands the agent's assertion to a library that people
//! there use.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use privyseal_test_base::scratch::{cache_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, command, run, run_within};
use privyseal_test_judges::{java, node, python};
use privyseal_test_suite::flow::Outcome;

use crate::stage::{Agent, Stage, free_port};

/// A stage with an agent, and the TLS root of the server.
fn stage() -> (Stage, Agent, PathBuf) {
    let stage = Stage::new();
    let agent = stage.agent();
    let ca = stage.client.token.dir().join("tls-ca.pem");
    (stage, agent, ca)
}

fn example(name: &str) -> PathBuf {
    workspace().join("docs/examples").join(name)
}

/// The client gets a token from the server, by one assertion of `kpn`; of another profile it is told why not.
fn judge(stage: &Stage, agent: Agent, client: impl Fn() -> Command) {
    let run = |profile: &str| {
        let endpoint = format!("{}/oauth/token", stage.server.base_url());
        Outcome::of(client().args([profile, &endpoint]))
    };
    let done = run("kpn");
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    // Some write the type in small letters.
    assert_eq!(done.stdout.trim().to_lowercase(), "bearer, 360 s");
    run("kpm").failed(1, "no profile of that name for the one who asks");
    assert_eq!(stage.audited().len(), 2);
    agent.stop();
}

#[test]
fn python_and_authlib() {
    let (stage, agent, ca) = stage();
    judge(&stage, agent, || {
        let mut python = Command::new(python::interpreter());
        python.arg(example("agent_client.py")).arg(stage.socket());
        python.env("REQUESTS_CA_BUNDLE", &ca);
        python
    });
}

#[test]
fn node_and_openid_client() {
    let (stage, agent, ca) = stage();
    // Node looks for packages beside the script.
    let script = stage.path("agent_client.mjs");
    fs::copy(example("agent_client.mjs"), &script).unwrap();
    let interpreter = node::interpreter();
    symlink(node::script("node_modules"), stage.path("node_modules")).unwrap();
    judge(&stage, agent, || {
        let mut node = Command::new(&interpreter);
        node.arg(&script).arg(stage.socket());
        node.env("NODE_EXTRA_CA_CERTS", &ca);
        node
    });
}

#[test]
fn go_and_x_oauth2() {
    let (stage, agent, ca) = stage();
    let program = stage.path("agent-client");
    let mut build = command("go", ["build", "-o"]);
    build.arg(&program).current_dir(example("go"));
    build.env("GOCACHE", cache_dir("go-build"));
    run_within(LONG_LIMIT, &mut build);
    judge(&stage, agent, || {
        let mut go = Command::new(&program);
        go.arg(stage.socket()).env("SSL_CERT_FILE", &ca);
        go
    });
}

#[test]
fn java_and_nimbus() {
    let stage = Stage::new();
    let port = free_port().to_string();
    let bearer = stage.bearer("0123456789abcdef-secret\n", 0o600);
    let tcp = format!("listen = '127.0.0.1:{port}'\ntoken-file = '{bearer}'");
    let agent = stage.start(&stage.configure(&tcp, &stage.profile()));
    let trust = stage.path("trust.p12");
    let words = "-importcert -noprompt -storetype PKCS12 -storepass changeit -alias ca -file";
    let mut keytool = command("keytool", words.split(' '));
    keytool.arg(stage.client.token.dir().join("tls-ca.pem"));
    run(keytool.arg("-keystore").arg(&trust));
    judge(&stage, agent, || {
        let mut java = java::with_nimbus();
        java.arg(format!("-Djavax.net.ssl.trustStore={}", trust.display()));
        java.arg("-Djavax.net.ssl.trustStorePassword=changeit");
        java.arg(example("java/AgentClient.java"));
        java.arg(&port).arg(&bearer);
        java
    });
}
