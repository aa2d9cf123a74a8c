//! `privyseal receiver serve` from outside: started, used, ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use privyseal_core::scheme::{EHEALTH, FIAM as FIAM_SCHEME, SchemeRules};
use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use privyseal_receiver::RegisteredClients;
use privyseal_test_base::privyseal;
use privyseal_test_judges::decode::to_base64url;
use privyseal_test_pki::{TestKey, pem_chain, test_key};
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};
use privyseal_test_suite::flow::Client;
use serde_json::{Value, json};

use crate::http::post;
use crate::kinds::jwk;
use crate::server::form;
use crate::stage::{CONSUMER, World, jti, now, sign};

/// How long a server may be silent, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(120);

/// `privyseal receiver serve`, while it runs.
pub(crate) struct Served {
    process: Child,
    log: Receiver<String>,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
}

impl Served {
    fn start(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0"]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        // It is read on, so that the server never waits for a reader.
        let (sender, log) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let line = loop {
            // A token may be waited for first.
            let line = log.recv_timeout(LIMIT).unwrap();
            if line.contains("listening on http://") {
                break line;
            }
        };
        let address = |text: &str| {
            let rest = line.split_once(text).unwrap().1;
            rest.split([',', '"']).next().unwrap().parse().unwrap()
        };
        Self {
            public: address("listening on http://"),
            internal: address("for services on http://"),
            process,
            log,
        }
    }

    /// Of clients that a file lists.
    pub(crate) fn of_clients(folder: &Path, options: &[&str]) -> Self {
        let measured = std::env::var_os("PRIVYSEAL_LOAD_COMMAND");
        let mut command = Command::new(measured.map_or_else(privyseal::path, PathBuf::from));
        command
            .current_dir(folder)
            .args([
                "receiver",
                "serve",
                "--leeway",
                "0",
                "--clients",
                "clients.toml",
            ])
            .args(options);
        Self::start(command)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the next line of the log whose message begins so.
    #[track_caller]
    pub(crate) fn said(&self, words: &str) -> String {
        loop {
            let line = self.log.recv_timeout(LIMIT).expect(words);
            if let Some((_, message)) = line.split_once(&format!(": {words}")) {
                return format!("{words}{message}");
            }
        }
    }

    /// SIGTERM ends it; what it logged since.
    pub(crate) fn end(mut self) -> String {
        self.signal("TERM");
        let mut log = String::new();
        loop {
            match self.log.recv_timeout(LIMIT) {
                Ok(line) => log = log + &line + "\n",
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {log}"),
            }
        }
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        log
    }

    /// The status for assertions that `make` makes, once the server accepts what was made after it started.
    pub(crate) fn accepts(&self, path: &str, make: impl Fn() -> String) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let answer = post(self.public, path, &token_request(&make()));
            match answer.status {
                200 => return Ok(()),
                503 if start.elapsed() < LIMIT => {}
                _ => return Err(answer.body),
            }
            thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn token_request(assertion: &str) -> String {
    format!(
        "grant_type=client_credentials&client_assertion_type={CLIENT_ASSERTION_TYPE}&client_assertion={assertion}"
    )
}

pub(crate) fn claims(id: &str, audience: &str) -> Value {
    let now = now().as_secs();
    json!({ "iss": id, "sub": id, "aud": audience, "iat": now, "exp": now + 30, "jti": jti() })
}

pub(crate) const CUSTOMER: &str = "EU.EORI.NL123456789";
pub(crate) const FIAM: &str = "EU.EORI.NLKPNFIAMPROD";
const REFUSED: &str = r#"{"error":"invalid_client"}"#;

#[test]
fn a_provider_of_fiam_serves_the_customers_that_a_file_lists_and_reads_it_again() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "root.pem",
        &pem_chain(&world.chain[world.chain.len() - 1..]),
    );
    // The CAs beside the seal are nobody's certificates.
    write("seal.pem", &pem_chain(&world.chain));
    let listed = |id: &str| format!("[client.\"{id}\"]\ncertificates = [\"seal.pem\"]\n");
    write("clients.toml", &listed(CUSTOMER));
    let server = Served::of_clients(folder.path(), &["--scheme", "fiam", "--trust", "root.pem"]);
    let assertion = |id: &'static str| {
        let world = &world;
        move || {
            let mut claims = claims(id, FIAM);
            claims["nbf"] = claims["iat"].clone();
            world.sign(&world.header(), &claims)
        }
    };
    let path = "/oauth/token";
    assert_eq!(server.accepts(path, assertion(CUSTOMER)), Ok(()));
    let said = server.said("token endpoint");
    assert_eq!(said, "token endpoint: POST /oauth/token");
    server.said(&format!("aud of an assertion: {FIAM}"));
    let given = post(server.public, path, &token_request(&assertion(CUSTOMER)()));
    let token = given.json()["access_token"].as_str().unwrap().to_owned();
    let is_active = |server: &Served| {
        let about = post(server.internal, "/v1/introspect", &format!("token={token}"));
        about.json()["active"] == true
    };
    let other = "EU.EORI.NL987654321";
    assert_eq!(
        server.accepts(path, assertion(other)),
        Err(REFUSED.to_owned())
    );
    assert_eq!(post(server.public, "/connect/token", "").status, 404);
    // What cannot be read changes nothing.
    write("clients.toml", "[client.x]\nkeys = 1\n");
    server.signal("HUP");
    let said = server.said("not read again");
    assert!(said.contains("clients.toml, line 2"), "{said}");
    assert_eq!(server.accepts(path, assertion(CUSTOMER)), Ok(()));
    assert!(is_active(&server));
    // Nor does what may never end, whichever of the files it is.
    let file = |name: &str| folder.path().join(name);
    let made = Command::new("mkfifo").arg(file("fifo")).status();
    assert!(made.unwrap().success());
    write("clients.toml", &listed(other).replace("seal.pem", "fifo"));
    for _ in 0..2 {
        server.signal("HUP");
        let said = server.said("not read again");
        assert!(said.contains("it is no regular file"), "{said}");
        let _ = fs::rename(file("fifo"), file("clients.toml"));
    }
    fs::remove_file(file("clients.toml")).unwrap();
    write("clients.toml", &listed(other));
    server.signal("HUP");
    server.said("read again");
    assert_eq!(
        server.accepts(path, assertion(CUSTOMER)),
        Err(REFUSED.to_owned())
    );
    assert_eq!(server.accepts(path, assertion(other)), Ok(()));
    // Who was taken out has no access with what came before, nor who has another key by now.
    assert!(!is_active(&server));
    let renewed = world.pki.seal_chain(&test_key("registry", 2048));
    write("other.pem", &pem_chain(&renewed));
    let of_another_key = listed(CUSTOMER).replace("seal.pem", "other.pem");
    // It is good again where the client is back with its key.
    for (clients, is_good) in [(of_another_key, false), (listed(CUSTOMER), true)] {
        write("clients.toml", &clients);
        server.signal("HUP");
        server.said("read again");
        assert_eq!(is_active(&server), is_good);
    }
    // A jti is no secret, however long it is, and no other field of the log.
    let long = "J".repeat(255);
    for (jti, shown) in [(&*long, &*long), ("x rule=", "\"x rule=\"")] {
        let mut named = claims(CUSTOMER, FIAM);
        (named["nbf"], named["jti"]) = (named["iat"].clone(), json!(jti));
        let named = token_request(&world.sign(&world.header(), &named));
        assert_eq!(post(server.public, path, &named).status, 200);
        server.said(&format!("accepted client_id={CUSTOMER} jti={shown}"));
    }
    // The last one is taken out by an empty file.
    write("clients.toml", "");
    server.signal("HUP");
    server.said("no client is listed");
    server.said("read again");
    let last = server.accepts(path, assertion(CUSTOMER));
    assert_eq!(last, Err(REFUSED.to_owned()));
    assert!(!is_active(&server));
    assert!(!server.end().contains("eyJ"), "an assertion in the log");
}

/// eHealth by its realm, itsme for services behind it, and schemes of one's own with each way to name a key.
#[test]
fn a_server_of_any_scheme_serves_the_clients_that_a_file_lists() {
    let world = World::new();
    let key = test_key("seal", 2048);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "keys.json",
        &json!({ "keys": [jwk(&key, "a")] }).to_string(),
    );
    write("seal.pem", &pem_chain(&world.chain[..1]));
    let by_kid = "[client.one]\njwks = \"keys.json\"\n";
    let by_certificate = "[client.one]\ncertificates = [\"seal.pem\"]\n";
    let own = |key: &str| {
        let text = format!(
            "[scheme.acme]\nkey = \"{key}\"\naudience = \"https://as.example/token\"\nlifetime = 60\n\
             [scheme.acme.token-request]\npath = \"/token\"\nbase-url = \"https://as.example\"\n"
        );
        write(&format!("{}.toml", &key[..3]), &text);
    };
    own("kid");
    own("x5t#S256");
    let digest = x5t_s256(&world.chain[0]);
    let kid = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
    let x5t = json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": digest });
    let issuer = "https://idp.example/auth/realms/M2M";
    let realm = [
        "--scheme",
        "ehealth",
        "--base-url",
        "https://idp.example/auth",
        "--realm",
        "M2M",
    ];
    let cases: [(&[&str], &str, &str, &Value); 3] = [
        // Where Privyseal's own client posts to with the same options.
        (
            &realm,
            issuer,
            "/auth/realms/M2M/protocol/openid-connect/token",
            &kid,
        ),
        (
            &["--scheme", "./kid.toml"],
            "https://as.example/token",
            "/token",
            &kid,
        ),
        (
            &["--scheme", "./x5t.toml"],
            "https://as.example/token",
            "/token",
            &x5t,
        ),
    ];
    for (options, audience, path, header) in cases {
        let is_kid = header == &kid;
        write("clients.toml", if is_kid { by_kid } else { by_certificate });
        let server = Served::of_clients(folder.path(), options);
        let signed = |key: &TestKey, audience: &str| sign(key, header, &claims("one", audience));
        assert_eq!(
            server.accepts(path, || signed(&key, audience)),
            Ok(()),
            "{options:?}"
        );
        let stranger = test_key("registry", 2048);
        for wrong in [
            signed(&stranger, audience),
            signed(&key, "https://as.example/other"),
        ] {
            let answer = post(server.public, path, &token_request(&wrong));
            assert_eq!(
                (answer.status, &*answer.body),
                (400, REFUSED),
                "{options:?}"
            );
        }
    }
}

/// itsme gives its tokens for persons, and an own scheme need not say where to get one: there is nothing to give here, and the service behind decides.
#[test]
fn a_scheme_whose_tokens_are_for_persons_has_no_token_endpoint() {
    let key = test_key("seal", 2048);
    let kid = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let set = json!({ "keys": [jwk(&key, "a")] }).to_string();
    write("keys.json", &set);
    write("clients.toml", "[client.one]\njwks = \"keys.json\"\n");
    let itsme = [
        "--scheme",
        "itsme",
        "--endpoint",
        "token",
        "--log-format",
        "json",
    ];
    let server = Served::of_clients(folder.path(), &itsme);
    let audience = "https://idp.prd.itsme.services/v2/token";
    assert_eq!(post(server.public, "/token", "").status, 404);
    thread::sleep(Duration::from_secs(2));
    let strange = "a\u{1b}\u{202e}\"\\b";
    let refused = sign(&key, &kid, &claims(strange, audience));
    post(server.internal, "/v1/accept", &token_request(&refused));
    let assertion = sign(&key, &kid, &claims("one", audience));
    let party = post(server.internal, "/v1/accept", &token_request(&assertion));
    assert_eq!(party.json()["client_id"], "one", "{party:?}");
    let log = server.end();
    let events = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let events: Vec<Value> = events.collect();
    let said = |message: &str| events.iter().find(|it| it["message"] == message);
    assert_eq!(said("accepted").unwrap()["client_id"], "one", "{log}");
    // Escaped by JSON, and not twice.
    let refused = said("refused").unwrap();
    assert_eq!(refused["claimed_client_id"], strange, "{log}");
    let words = "no token endpoint: the scheme names no path, or its tokens are for persons";
    assert!(said(words).is_some(), "{log}");
    let own = "[scheme.own]\nkey = \"kid\"\naudience = \"https://as.example\"\nlifetime = 60\n";
    write("own.toml", own);
    let server = Served::of_clients(folder.path(), &["--scheme", "./own.toml"]);
    server.said(words);
    assert_eq!(post(server.public, "/", "").status, 404);
}

#[test]
fn what_does_not_fit_together_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let keys = json!({ "keys": [jwk(&test_key("seal", 2048), "a")] });
    let fiam = format!("[client.\"{CUSTOMER}\"]\ncertificates = [\"seal.pem\"]\n");
    for (name, text) in [
        ("clients.toml", "[client.one]\njwks = \"keys.json\"\n"),
        ("fiam.toml", &fiam),
        ("seal.pem", &pem_chain(&World::new().chain[..1])),
        ("keys.json", &keys.to_string()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("none.toml"), "").unwrap();
    let ehealth = |clients| ["--scheme", "ehealth", "--realm", "a", "--clients", clients];
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let in_use = taken.local_addr().unwrap().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["--scheme", "fiam"], "--clients"),
        (
            &[
                "--scheme",
                "fiam",
                "--clients",
                "fiam.toml",
                "--trust",
                "none.toml",
            ],
            "--trust",
        ),
        (&["--scheme", "fiam", "--clients", "fiam.toml"], "--trust"),
        (&ehealth("none.toml"), "--clients lists no client"),
        (
            &[&ehealth("clients.toml")[..], &["--now", "5"]].concat(),
            "--now <EPOCH>': it is for one assertion",
        ),
        (
            &[&ehealth("clients.toml")[..], &["--jti", "x"]].concat(),
            "--jti <TEXT>': it is for one assertion",
        ),
        (
            &[&ehealth("clients.toml")[..], &["--client-id", "x"]].concat(),
            "--client-id",
        ),
        (
            &["--scheme", "ehealth", "--clients", "clients.toml"],
            "--realm",
        ),
        (
            &["--scheme", "ishare", "--clients", "clients.toml"],
            "--clients",
        ),
        (
            &["--scheme", "ishare", "--base-url", "https://r.example"],
            "--trust",
        ),
        (&ehealth("absent.toml"), "absent.toml"),
        (
            &[
                "--scheme",
                "ehealth",
                "--realm",
                "a",
                "--clients",
                "clients.toml",
                "--key",
                "pkcs11:",
            ],
            "--key",
        ),
        (
            &[&ehealth("clients.toml")[..], &["--internal", "0.0.0.0:0"]].concat(),
            "not on loopback",
        ),
        (
            &[&ehealth("clients.toml")[..], &["--listen", &in_use]].concat(),
            "cannot listen",
        ),
    ];
    for (options, named) in cases {
        let run = Command::new(privyseal::path())
            .current_dir(folder.path())
            .args(["receiver", "serve"])
            .args(*options)
            .output()
            .unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        let code = if *named == "cannot listen" { 4 } else { 2 };
        assert_eq!(run.status.code(), Some(code), "{options:?}: {said}");
        assert!(said.contains(named), "{options:?}: {said}");
    }
}

/// What a file lists that would let nobody in is no list, whatever the reason.
#[test]
fn a_client_that_could_never_be_let_in_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let world = World::new();
    write("seal.pem", &pem_chain(&world.chain[..1]));
    write("cas.pem", &pem_chain(&world.chain[1..]));
    let key = |kid: &str| jwk(&test_key("seal", 2048), kid);
    let set = |name: &str, keys: &[Value]| write(name, &json!({ "keys": keys }).to_string());
    let with = |member: &str, value: Value| {
        let mut key = key("a");
        key[member] = value;
        key
    };
    set(
        "good.json",
        &[key("a"), key("b"), with("use", json!("enc"))],
    );
    set("none.json", &[]);
    set("enc.json", &[with("use", json!("enc"))]);
    set("ps256.json", &[with("alg", json!("PS256"))]);
    set("nameless.json", &[with("kid", Value::Null)]);
    set("same.json", &[key("a"), key("b"), key("a")]);
    set("private.json", &[with("d", json!("AQAB"))]);
    write("broken.json", "{");
    let read_as = |id: &str, scheme: &SchemeRules, client: &str| {
        write("clients.toml", &format!("\n[client.{id}]\n{client}\n"));
        let path = folder.path().join("clients.toml");
        let clients = RegisteredClients::from_file(&path, scheme);
        clients.map(|_| ()).map_err(|error| error.to_string())
    };
    let customer = format!("{CUSTOMER:?}");
    let read = |scheme: &SchemeRules, client: &str| {
        let is_fiam = scheme.title().contains("FIAM");
        read_as(if is_fiam { &customer } else { "one" }, scheme, client)
    };
    let jwks = |name: &str| format!("jwks = \"{name}.json\"");
    let certificates = |name: &str| format!("certificates = [\"{name}.pem\", \"{name}.pem\"]");
    assert_eq!(read(&EHEALTH, &jwks("good")), Ok(()));
    assert_eq!(read(&FIAM_SCHEME, &certificates("seal")), Ok(()));
    // RFC 6749 appendix A.1: a space is a VSCHAR.
    assert_eq!(read_as("\"a b\"", &EHEALTH, &jwks("good")), Ok(()));
    for id in ["\" a\"", "\"a \""] {
        let said = read_as(id, &EHEALTH, &jwks("good")).unwrap_err();
        assert!(
            said.contains("line 2: client ") && said.contains("ends with a space"),
            "{said}"
        );
    }
    let both = || jwks("good") + "\n" + &certificates("seal");
    for (id, scheme, client) in [
        ("portal", &FIAM_SCHEME, certificates("seal")),
        ("\" \"", &EHEALTH, jwks("good")),
        ("\"a\\u001b[1m\"", &EHEALTH, jwks("good")),
    ] {
        let said = read_as(id, scheme, &client).unwrap_err();
        assert!(said.contains("line 2: client "), "{said}");
        assert!(
            said.contains("client_id") && !said.contains('\u{1b}'),
            "{said}"
        );
    }
    let cases = [
        (&EHEALTH, String::new(), "line 2: client one: has no key"),
        (&EHEALTH, jwks("none"), "line 2: client one: has no key"),
        (&EHEALTH, jwks("enc"), "line 2: client one: has no key"),
        (&EHEALTH, jwks("ps256"), "line 2: client one: has no key"),
        (&EHEALTH, jwks("nameless"), "with a kid"),
        (&EHEALTH, certificates("seal"), "with a kid"),
        (
            &EHEALTH,
            jwks("same"),
            "line 3: client one: two keys of the set have the kid \"a\"",
        ),
        (&EHEALTH, jwks("private"), "line 3: client one: "),
        (&EHEALTH, jwks("broken"), "broken.json"),
        (&EHEALTH, jwks("absent"), "absent.json"),
        (&FIAM_SCHEME, jwks("good"), "the RSA key of a certificate"),
        (&FIAM_SCHEME, certificates("cas"), "line 3: client EU.EORI"),
        (&FIAM_SCHEME, certificates("absent"), "absent.pem"),
        // Of two ways to name a key the scheme looks at one.
        (
            &EHEALTH,
            both(),
            "line 4: client one: eHealth I.AM Connect looks at nothing but an RSA key of a JWK Set",
        ),
        (
            &FIAM_SCHEME,
            both(),
            "line 3: client EU.EORI.NL123456789: KPN FIAM looks at",
        ),
    ];
    for (scheme, client, words) in cases {
        let said = read(scheme, &client).unwrap_err();
        assert!(
            said.contains(words) && said.contains("line "),
            "{client}: {said}"
        );
    }
}

/// As openssl and the specification have it.
fn x5t_s256(der: &[u8]) -> String {
    to_base64url(ring::digest::digest(&ring::digest::SHA256, der).as_ref())
}

#[test]
fn the_command_serves_until_it_is_told_to_end() {
    let client = Client::new();
    let party = party_info(CONSUMER, "Active", &client.chain);
    let registry = IshareServer::start(Config::honest(&client.pki, vec![party]));
    let tls_ca = client.file("tls-ca.pem", registry.tls_ca_pem());
    let root = client.file("root.pem", pem_chain(&client.chain[3..]));
    let words = [
        "receiver",
        "serve",
        "--scheme",
        "ishare",
        "--audience",
        REGISTRY,
    ];
    let mut command = client.command(&words);
    command
        .args(["--base-url", &registry.base_url(), "--leeway", "0"])
        .arg("--cacert")
        .arg(&tls_ca)
        .arg("--trust")
        .arg(&root);
    let server = Served::start(command);
    let (public, internal) = (server.public, server.internal);
    // What was made before it started may have been accepted by another.
    let sign = ["sign", "--scheme", "ishare", "--audience", CONSUMER];
    let old = client.run(&sign, &[]).stdout;
    let refused = post(internal, "/v1/accept", &form(old.trim(), &[]));
    assert!(
        refused.status == 200 || refused.json()["rule"] == "unavailable",
        "{refused:?}"
    );
    thread::sleep(Duration::from_secs(3));
    let token = client.run(&sign, &[]).stdout;
    let given = post(public, "/connect/token", &form(token.trim(), &[]));
    assert_eq!(given.status, 200, "{given:?}");
    assert_eq!(
        post(public, "/connect/token", &form(token.trim(), &[])).status,
        400
    );
    let log = server.end();
    assert!(
        log.contains(&format!("accepted client_id={CONSUMER} jti=")),
        "{log}"
    );
    assert!(
        log.contains(&format!(
            "refused rule=replay claimed_client_id={CONSUMER} claimed_jti="
        )),
        "{log}"
    );
    assert!(!log.contains(token.trim()), "an assertion in the log");
}
