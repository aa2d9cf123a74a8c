//! Who is not served, and what is no request.

use std::fs;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use privyseal_test_base::privyseal;
use privyseal_test_suite::flow;

use crate::http::{connect, exchange, request};
use crate::stage::{NOBODY, Stage, free_port, own_uid, poll};

#[test]
fn others_and_other_profiles_get_nothing() {
    let stage = Stage::new();
    let uri = stage.client.token.uri(flow::KEY);
    let others = stage.profile_of("others", &uri, &format!("[{NOBODY}]"));
    let config = stage.configure("", &format!("{}{others}", stage.profile()));
    let agent = stage.start(&config);
    for path in [
        "/v1/others/assertion",
        "/v1/none/assertion",
        "/v1/KPN/assertion",
    ] {
        agent.ask("POST", path, "").is_problem(403, "profile");
    }
    agent
        .ask("GET", "/v1/others/token", "")
        .is_problem(403, "profile");
    // Where this user may be another one: that one, too.
    if own_uid() == 0 {
        let program = fs::copy(privyseal::path(), stage.path("privyseal"));
        program.unwrap();
        let (program, socket) = (stage.path("privyseal"), stage.socket());
        let user = NOBODY.to_string();
        for (profile, is_served) in [("kpn", false), ("others", true)] {
            let mut command = stage.command(&["setpriv", "--reuid", &user, "--clear-groups"]);
            command
                .arg(&program)
                .args(["sign", "--profile", profile, "--agent"])
                .arg(&socket);
            let outcome = flow::Outcome::of(&mut command);
            if is_served {
                assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            } else {
                outcome.failed(1, "no profile of that name for the one who asks");
            }
        }
        let lines = stage.audited();
        assert_eq!(lines[1]["requester"], format!("uid {NOBODY}"));
        assert_eq!(lines.len(), 2);
    } else {
        assert_eq!(stage.audited().len(), 1);
    }
    // Who asks again and again fills no disk.
    for _ in 0..200 {
        agent
            .ask("GET", "/v1/others/token", "")
            .is_problem(403, "profile");
    }
    let metrics = agent.ask("GET", "/metrics", "").body;
    let counted = metrics.split("privyseal_forbidden_total ").nth(1).unwrap();
    let counted: usize = counted.lines().next().unwrap().parse().unwrap();
    let told = agent.log().matches("a profile was asked for").count();
    assert!(counted >= 204 && (1..counted / 2).contains(&told), "{told}");
    agent.stop();
}

/// They name all profiles.
#[test]
fn the_metrics_are_for_those_who_watch() {
    // Only root can be somebody else.
    if own_uid() != 0 {
        return;
    }
    let stage = Stage::new();
    let agent = stage.agent();
    let ask = |user: u32| {
        let socket = stage.socket();
        let user = user.to_string();
        let words = [
            "setpriv",
            "--reuid",
            &user,
            "--clear-groups",
            "curl",
            "--silent",
        ];
        let mut curl = stage.command(&words);
        curl.arg("--unix-socket").arg(socket);
        flow::Outcome::of(curl.arg("http://localhost/metrics")).stdout
    };
    assert!(ask(NOBODY).contains("\"kind\":\"metrics\""));
    assert!(ask(0).contains("profile=\"kpn\""));
    let more = format!("metrics-uids = [{NOBODY}]");
    stage.configure(&more, &stage.profile());
    agent.signal("HUP");
    agent.hears("READY=1");
    assert!(ask(NOBODY).contains("profile=\"kpn\""));
    agent.stop();
}

/// One user's connections leave room for those of others, and the one too many hears why.
#[test]
fn one_user_has_a_share_of_the_connections() {
    let stage = Stage::new();
    let config = stage.configure("", &stage.profile());
    // 144 connections are left, and a third of them is one user's.
    let limited = ["sh", "-c", "ulimit -n 400; exec \"$@\"", "sh"];
    let agent = stage.start_as(&config, &limited);
    let live = request("GET", "/live", "", "");
    let idle: Vec<_> = (0..48).map(|_| connect(&stage.socket())).collect();
    poll("one too many", || {
        let answer = exchange(connect(&stage.socket()), &live);
        answer.status == 503 && answer.json()["kind"] == "busy"
    });
    drop(idle);
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    let metrics = agent.ask("GET", "/metrics", "").body;
    assert!(
        metrics.contains("privyseal_turned_away_total "),
        "{metrics}"
    );
    agent.stop();
}

#[test]
fn what_is_no_request_is_refused_and_nothing_is_signed() {
    let stage = Stage::new();
    let agent = stage.agent();
    let large = format!("{{\"audience\":\"{}\"}}", "x".repeat(5000));
    for (method, path, body, status, kind) in [
        ("GET", "/v1/kpn/assertion", "", 405, "method"),
        ("POST", "/v1/kpn/token", "", 405, "method"),
        ("POST", "/live", "", 405, "method"),
        ("POST", "/v1/kpn/sign", "", 404, "path"),
        ("GET", "/", "", 404, "path"),
        ("GET", "/v1/kpn/token/", "", 404, "path"),
        ("POST", "/v1/kpn/assertion?audience=b", "", 404, "path"),
        ("POST", "/v1/kpn/assertion", "{", 400, "body"),
        ("POST", "/v1/kpn/assertion", "[]", 400, "body"),
        (
            "POST",
            "/v1/kpn/assertion",
            "{\"jti\":\"mine\"}",
            400,
            "body",
        ),
        (
            "POST",
            "/v1/kpn/assertion",
            "{\"audience\":\"a\",\"audience\":\"b\"}",
            400,
            "body",
        ),
        ("POST", "/v1/kpn/assertion", &large, 413, "body"),
        (
            "POST",
            "/v1/kpn/assertion",
            "{\"audience\":\"EU.EORI.NL1\"}",
            403,
            "audience",
        ),
        (
            "POST",
            "/v1/kpn/assertion",
            "{\"audience\":\"\"}",
            403,
            "audience",
        ),
    ] {
        let answer = agent.ask(method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {answer:?}");
        answer.is_problem(status, kind);
    }
    // What hyper refuses by itself, too.
    let (idle, slow) = (connect(&stage.socket()), connect(&stage.socket()));
    (&slow)
        .write_all(b"POST /v1/kpn/assertion HTTP/1.1\r\nHo")
        .unwrap();
    let large = format!("X-Large: {}\r\n", "x".repeat(40_000));
    let uri = format!("/{}", "x".repeat(70_000));
    let twice = "Content-Length: 1\r\nContent-Length: 2\r\n";
    let sign = |more: &str, body: &str| request("POST", "/v1/kpn/assertion", more, body);
    for (raw, status) in [
        (sign("Host: other\r\n", ""), 400),
        (sign("", "").replace("Host: localhost\r\n", ""), 400),
        (
            sign("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
            400,
        ),
        (
            sign(&"Transfer-Encoding: chunked\r\n".repeat(2), "0\r\n\r\n"),
            400,
        ),
        (sign(&large, ""), 431),
        (request("GET", &uri, "", ""), 431),
        ("GARBAGE\r\n\r\n".to_owned(), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        (
            format!("POST /v1/kpn/assertion HTTP/1.1\r\nHost: a\r\n{twice}\r\n{{}}"),
            400,
        ),
        (
            "GET /live HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n".to_owned(),
            200,
        ),
    ] {
        let answer = exchange(connect(&stage.socket()), &raw);
        if status == 200 {
            // Two answers, of which the second is one.
            assert!(answer.body.contains("\"kind\":\"head\""), "{answer:?}");
        } else {
            answer.is_problem(status, "head");
        }
    }
    let half = connect(&stage.socket());
    (&half).write_all(b"POST /v1/kpn").unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    exchange(half, "").is_problem(400, "head");
    exchange(slow, "").is_problem(408, "head");
    // One that asked for nothing hears nothing.
    assert_eq!(exchange(idle, "").head, "");
    assert_eq!(stage.audited().len(), 1);
    agent.stop();
}

/// What the caller left out is the caller's to correct, with the exit code of a run without an agent.
#[test]
fn an_audience_that_nobody_says_is_asked_for() {
    let stage = Stage::new();
    let scheme = "[scheme.open]\nkey = 'kid'\naudience = { syntax = 'url' }\nlifetime = 60\n";
    let profile = stage.profile().replace("'fiam'", "'open'") + "kid = 'mine'\n";
    let config = stage.configure("", &(profile + scheme));
    let agent = stage.start(&config);
    for body in ["", "{}", "{\"audience\":null}"] {
        let answer = agent.ask("POST", "/v1/kpn/assertion", body);
        answer.is_problem(422, "audience");
    }
    let audience = "{\"audience\":\"https://as.example\"}";
    let answer = agent.ask("POST", "/v1/kpn/assertion", audience);
    assert_eq!(answer.status, 200, "{answer:?}");
    let program = privyseal::path();
    let sign = [program.to_str().unwrap(), "sign", "--profile", "kpn"];
    for (option, value) in [("--agent", stage.socket()), ("--config", config)] {
        let mut command = stage.command(&sign);
        let outcome = flow::Outcome::of(command.arg(option).arg(value));
        assert_eq!(outcome.code, Some(2), "{option}: {}", outcome.stderr);
    }
    agent.stop();
}

#[test]
fn over_tcp_the_bearer_token_is_needed() {
    let stage = Stage::new();
    let secret = "0123456789abcdef-secret";
    stage.bearer(&format!("{secret}\n"), 0o640);
    let port = free_port();
    let tcp = format!(
        "listen = '127.0.0.1:{port}'\ntoken-file = '{}'",
        stage.path("bearer").display()
    );
    let agent = stage.start(&stage.configure(&tcp, &stage.profile()));
    let ask = |path: &str, more: &str| {
        let method = if path.ends_with("assertion") {
            "POST"
        } else {
            "GET"
        };
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        exchange(stream, &request(method, path, more, ""))
    };
    assert_eq!(ask("/live", "").status, 200);
    for path in ["/v1/kpn/assertion", "/v1/kpn/token", "/metrics"] {
        for more in [
            "",
            "Authorization: Bearer\r\n",
            "Authorization: Bearer 0123456789abcdef-secreT\r\n",
            "Authorization: Basic 0123456789abcdef-secret\r\n",
        ] {
            let answer = ask(path, more);
            answer.is_problem(401, "bearer");
            assert!(
                answer.head.contains("www-authenticate: Bearer"),
                "{}",
                answer.head
            );
        }
        let answer = ask(path, &format!("Authorization: bearer {secret}\r\n"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let twice = format!("Authorization: Bearer {secret}\r\nAuthorization: Bearer other\r\n");
    ask("/metrics", &twice).is_problem(401, "bearer");
    // A name that leads here, from a page in a browser.
    let at = |hosts: &str| {
        let live = request("GET", "/live", "", "").replace("Host: localhost", hosts);
        exchange(TcpStream::connect(("127.0.0.1", port)).unwrap(), &live)
    };
    for hosts in [
        "Host: evil.example",
        "Host: localhost\r\nHost: evil.example",
        "X-Host: localhost",
    ] {
        at(hosts).is_problem(421, "host");
    }
    let elsewhere = request("GET", "http://evil.example/live", "", "");
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    exchange(stream, &elsewhere).is_problem(421, "host");
    for host in ["LOCALHOST:9461", "127.0.0.1", "[::1]:9461"] {
        assert_eq!(at(&format!("Host: {host}")).status, 200, "{host}");
    }
    assert_eq!(stage.audited()[1]["requester"], "bearer");
    assert!(!agent.log().contains(secret));
    agent.stop();
}

/// Each is said with its line or its member, and no agent starts.
#[test]
fn a_configuration_that_cannot_be_is_refused() {
    let stage = Stage::new();
    let profile = stage.profile();
    let bearer = stage.bearer("0123456789abcdef-secret", 0o644);
    let readable = format!("listen = '127.0.0.1:80'\ntoken-file = '{bearer}'");
    for (more, profiles, words) in [
        (&*readable, &*profile, "can be read by every user"),
        ("port = 1", &*profile, "line 4: unknown field `port`"),
        (
            "listen = '0.0.0.0:80'",
            &profile,
            "is not a loopback address",
        ),
        (
            "listen = '127.0.0.1:80'",
            &profile,
            "without agent.token-file",
        ),
        ("", "", "no profile has allow-uids"),
        (
            "",
            &profile.replace("'fiam'", "'fiam2'"),
            "line 6: profile.kpn.scheme is no scheme",
        ),
        (
            "",
            &profile.replace("cacert = '", "cacert = '/nowhere"),
            "cacert names a file",
        ),
        (
            "",
            &profile.replace("EU.EORI.NL123456789", "123456789"),
            "the profile kpn: client_id",
        ),
    ] {
        let config = stage.configure(more, profiles);
        let program = privyseal::path();
        let mut command = stage.command(&[program.to_str().unwrap(), "agent", "--config"]);
        flow::Outcome::of(command.arg(config)).failed(2, words);
        assert!(!stage.socket().exists());
    }
}

/// A PIN that every user can read is said; the strict refuse it, without a try.
#[test]
fn a_pin_file_that_all_can_read_is_refused_by_the_strict() {
    let stage = Stage::new();
    let pin = stage.client.token.pin_file();
    let readable = |mode| fs::set_permissions(&pin, fs::Permissions::from_mode(mode)).unwrap();
    readable(0o644);
    let agent = stage.agent();
    assert_eq!(agent.assertion().status, 200);
    assert!(
        agent.log().contains("\"level\":\"WARN\""),
        "{}",
        agent.log()
    );
    agent.stop();
    let strict = stage.configure("strict-pin-files = true", &stage.profile());
    let program = privyseal::path();
    let check = || {
        let words = [program.to_str().unwrap(), "profile", "check", "--config"];
        flow::Outcome::of(stage.command(&words).arg(&strict))
    };
    let found = check();
    assert!(found.stdout.contains("PIN      broken"), "{}", found.stdout);
    found.failed(3, "one thing is broken");
    let agent = stage.start(&strict);
    agent.assertion().is_problem(503, "key");
    readable(0o600);
    assert_eq!(check().code, Some(0));
    agent.comes_to(200, "POST", "/v1/kpn/assertion");
    agent.stop();
}
