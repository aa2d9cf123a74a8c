//! Access tokens that become void in a store, and what receivers of one store agree about.

use std::fs;

use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_servers::redis_server::{RedisServer, free_port};
use serde_json::json;
use tempfile::TempDir;

use crate::command::{Served, claims, token_request};
use crate::http::post;
use crate::kinds::jwk;
use crate::stage::{eventually, sign};

const AUDIENCE: &str = "https://as.example/token";
const OTHER: &str = "[client.other]\njwks = \"keys.json\"\n";
const BOTH: &str = "[client.one]\njwks = \"keys.json\"\n[client.other]\njwks = \"keys.json\"\n";

/// Receivers of two schemes of one audience, and their store.
struct Shared {
    folder: TempDir,
    key: TestKey,
    store: RedisServer,
}

impl Shared {
    fn new(options: &[&str]) -> Self {
        let key = test_key("seal", 2048);
        let folder = tempfile::tempdir().unwrap();
        let store = RedisServer::start(free_port(), options);
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("store", &format!("redis://127.0.0.1:{}/", store.port));
        let set = json!({ "keys": [jwk(&key, "a")] });
        write("keys.json", &set.to_string());
        for name in ["a", "b"] {
            let scheme = format!(
                "[scheme.{name}]\nkey = \"kid\"\naudience = \"{AUDIENCE}\"\nlifetime = 60\n\
                 [scheme.{name}.token-request]\npath = \"/token\"\n"
            );
            write(&format!("{name}.toml"), &scheme);
        }
        Self { folder, key, store }
    }

    fn list(&self, clients: &str) {
        fs::write(self.folder.path().join("clients.toml"), clients).unwrap();
    }

    fn start(&self, scheme: &str, clients: &str) -> Served {
        self.list(clients);
        let scheme = format!("./{scheme}.toml");
        Served::of_clients(
            self.folder.path(),
            &["--scheme", &scheme, "--store", "store"],
        )
    }

    fn reload(&self, server: &Served, clients: &str) {
        self.list(clients);
        server.signal("HUP");
        server.said("read again");
    }

    fn assertion(&self, client: &str) -> String {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
        sign(&self.key, &header, &claims(client, AUDIENCE))
    }

    fn token(&self, server: &Served, client: &str) -> String {
        let accepted = server.accepts("/token", || self.assertion(client));
        assert_eq!(accepted, Ok(()));
        let request = token_request(&self.assertion(client));
        let given = post(server.public, "/token", &request).json();
        given["access_token"].as_str().unwrap().to_owned()
    }

    /// The only key that ends so.
    fn key(&self, end: &str) -> String {
        let keys = self.store.ask(0, &format!("KEYS privyseal:*{end}"));
        let mut keys = keys.lines().filter(|line| line.ends_with(end));
        let key = keys.next().unwrap().to_owned();
        assert_eq!(keys.next(), None);
        key
    }

    fn number(&self, command: &str) -> u64 {
        let answer = self.store.ask(0, command);
        answer.trim().trim_start_matches(':').parse().unwrap()
    }
}

fn is_active(server: &Served, token: &str) -> bool {
    let about = post(server.internal, "/v1/introspect", &format!("token={token}"));
    about.json()["active"].as_bool().unwrap()
}

/// However many there are, and however the server keeps a list: some of its commands answer with all of it.
#[test]
fn of_many_tokens_those_become_void_that_are_meant() {
    let shared = Shared::new(&[
        "--zset-max-listpack-entries",
        "100000",
        "--zset-max-listpack-value",
        "100",
    ]);
    let server = shared.start("a", BOTH);
    let (out, stays) = (shared.token(&server, "one"), shared.token(&server, "other"));
    let key = shared.key(":tokens");
    // Those of many who are no clients any more.
    let add = "redis.call('ZADD', KEYS[1], 0, string.rep('\\\\0', 8)..string.format('%064d', i))";
    let many = format!("EVAL \"for i = 1, 3000 do {add} end\" 1 {key}");
    shared.store.ask(0, &many);
    let count = format!("ZCARD {key}");
    assert!(shared.number(&count) > 3000);
    let encoding = shared.store.ask(0, &format!("OBJECT ENCODING {key}"));
    assert!(encoding.contains("listpack"), "{encoding}");
    shared.reload(&server, OTHER);
    eventually(|| shared.number(&count) < 5);
    shared.reload(&server, BOTH);
    assert!(is_active(&server, &stays) && !is_active(&server, &out));
    let new = shared.token(&server, "one");
    assert!(is_active(&server, &new) && !is_active(&server, &out));
    assert!(!server.end().contains("unavailable"));
}

/// A receiver that could not tell its store who was taken out, tells it later, also where nobody asks it. What the client was given
/// since it is back is not meant.
#[test]
fn what_a_store_hears_late_makes_nothing_void_that_was_given_since() {
    for refused in ["zrem", "del"] {
        hears_late(refused);
    }
}

fn hears_late(refused: &str) {
    let shared = Shared::new(&[]);
    let (one, idle) = (shared.start("a", BOTH), shared.start("a", BOTH));
    let old = shared.token(&one, "one");
    let allow = |sign| format!("ACL SETUSER default {sign}{refused}");
    shared.store.ask(0, &allow('-'));
    for clients in [OTHER, BOTH] {
        for server in [&one, &idle] {
            shared.reload(server, clients);
            let said = server.said("refused rule=unavailable");
            assert!(said.ends_with("it is away: it answers NOPERM"), "{said}");
        }
    }
    assert!(!is_active(&one, &old) && !is_active(&idle, &old));
    // Nothing is wrong with the client.
    let form = token_request(&shared.assertion("one"));
    assert_ne!(post(one.public, "/token", &form).status, 400);
    // Clocks may differ by 5 s.
    std::thread::sleep(std::time::Duration::from_secs(7));
    let new = shared.token(&one, "one");
    shared.store.ask(0, "CONFIG RESETSTAT");
    shared.store.ask(0, &allow('+'));
    // One finds those that are to go and then no more; the other nothing at once.
    let removals = || {
        let calls = shared.store.ask(0, "INFO commandstats");
        let calls = calls.split_once("cmdstat_zrem:calls=");
        let calls = calls.and_then(|(_, rest)| rest.split_once(',')?.0.parse().ok());
        calls.unwrap_or(0_u64)
    };
    eventually(|| removals() >= 3);
    for server in [&one, &idle] {
        assert!(is_active(server, &new) && !is_active(server, &old));
    }
    assert_eq!(
        shared.number(&format!("EXISTS {}", shared.key(":tokens"))),
        1
    );
}

/// Said when it starts, and not when the first client is taken out.
#[test]
fn a_store_that_lets_nothing_be_removed_is_named_at_the_start() {
    let shared = Shared::new(&[]);
    for command in ["del", "zrem", "zrangebylex"] {
        shared
            .store
            .ask(0, &format!("ACL SETUSER default -{command}"));
        let server = shared.start("a", BOTH);
        let said = server.said("refused rule=unavailable");
        assert!(said.ends_with("it is away: it answers NOPERM"), "{said}");
        server.end();
        shared.store.ask(0, "ACL SETUSER default +@all");
    }
}

/// RFC 7523 section 3, point 7: the audience remembers what was used.
#[test]
fn an_assertion_counts_once_for_an_audience_whatever_the_scheme() {
    let shared = Shared::new(&[]);
    let (one, other) = (shared.start("a", BOTH), shared.start("b", BOTH));
    let token = shared.token(&one, "one");
    shared.token(&other, "one");
    let assertion = token_request(&shared.assertion("one"));
    let given = |server: &Served| post(server.public, "/token", &assertion).status;
    assert_eq!((given(&one), given(&other), given(&one)), (200, 400, 400));
    other.said("refused rule=replay");
    // Tokens and clients are of one scheme.
    shared.reload(&other, OTHER);
    assert!(is_active(&one, &token) && !is_active(&other, &token));
}
