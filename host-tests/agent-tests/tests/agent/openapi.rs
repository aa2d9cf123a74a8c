//! The OpenAPI document against the server.

use std::fmt::Write as _;

use privyseal_test_base::scratch::{host_tests, workspace};
use privyseal_test_base::tool::{command, output};
use privyseal_test_judges::python;
use serde_json::json;

use crate::stage::Stage;

#[test]
fn the_openapi_document_says_what_the_server_says() {
    let stage = Stage::new();
    let uri = stage.client.token.uri("absent");
    let profiles = format!(
        "{}{}",
        stage.profile(),
        stage.profile_of("absent", &uri, &format!("[{}]", crate::stage::own_uid()))
    );
    let agent = stage.start(&stage.configure("", &profiles));
    let mut exchanges = String::new();
    let mut ask = |method: &str, path: &str, body: &str, status: u16| {
        let answer = agent.ask(method, path, body);
        assert_eq!(answer.status, status, "{answer:?}");
        let types = answer
            .head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "));
        let exchange = json!({
            "method": method, "path": path, "status": status, "type": types, "body": answer.body,
        });
        writeln!(exchanges, "{exchange}").unwrap();
    };
    let large = format!("{{\"audience\":\"{}\"}}", "x".repeat(5000));
    for (method, path, body, status) in [
        ("POST", "/v1/kpn/assertion", "", 200),
        (
            "POST",
            "/v1/kpn/assertion",
            "{\"audience\":\"EU.EORI.NLKPNFIAMPROD\"}",
            200,
        ),
        (
            "POST",
            "/v1/kpn/assertion",
            "{\"audience\":\"EU.EORI.NL1\"}",
            403,
        ),
        ("POST", "/v1/kpn/assertion", "{\"audience\":1}", 400),
        ("POST", "/v1/kpn/assertion", &large, 413),
        ("POST", "/v1/none/assertion", "", 403),
        ("POST", "/v1/absent/assertion", "", 503),
        ("GET", "/v1/kpn/token", "", 200),
        ("GET", "/v1/none/token", "", 403),
        ("GET", "/v1/absent/token", "", 503),
        ("GET", "/live", "", 200),
        ("GET", "/ready", "", 503),
        ("GET", "/metrics", "", 200),
    ] {
        ask(method, path, body, status);
    }
    stage.configure("", &stage.profile());
    agent.signal("HUP");
    agent.hears("READY=1");
    ask("GET", "/ready", "", 200);
    let script = host_tests("python/openapi_check.py");
    let document = workspace().join("host/agent/openapi.json");
    let mut judge = command(python::interpreter().to_str().unwrap(), [script, document]);
    let judged = output(&mut judge, exchanges.as_bytes());
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stderr)
    );
    agent.stop();
}

/// systemd reads the units as they are meant.
#[test]
fn systemd_takes_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["privyseal-agent.service", "privyseal-agent.socket"] {
        let unit = workspace().join("host/agent/systemd").join(name);
        let text = std::fs::read_to_string(unit).unwrap();
        // The command is not installed here.
        let text = text.replace("/usr/bin/privyseal ", "/bin/true ");
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let units = ["privyseal-agent.service", "privyseal-agent.socket"];
    let mut verify = command("systemd-analyze", ["verify"]);
    let verified = output(verify.args(units.map(|name| folder.path().join(name))), b"");
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(
        verified.status.success() && !said.contains("privyseal"),
        "{said}"
    );
}
