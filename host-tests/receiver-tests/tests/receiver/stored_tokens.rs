//! What receivers of one store have in common, and what each of them decides.

use std::fs;

use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_servers::redis_server::{RedisServer, free_port};
use serde_json::json;
use tempfile::TempDir;

use crate::command::{Served, claims, token_request};
use crate::http::post;
use crate::kinds::jwk;
use crate::stage::sign;

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
}

fn is_active(server: &Served, token: &str) -> bool {
    let about = post(server.internal, "/v1/introspect", &format!("token={token}"));
    about.json()["active"].as_bool().unwrap()
}

/// A store's tokens are good as long as each receiver's own list has the client, also after a restart of receiver and store.
#[test]
fn a_token_counts_where_and_while_its_client_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let kept = ["--dir", folder.path().to_str().unwrap()];
    let shared = Shared::new(&kept);
    let (one, other) = (shared.start("a", BOTH), shared.start("a", BOTH));
    let token = shared.token(&one, "one");
    assert!(is_active(&one, &token) && is_active(&other, &token));
    shared.reload(&one, OTHER);
    assert!(!is_active(&one, &token) && is_active(&other, &token));
    shared.reload(&one, BOTH);
    assert!(is_active(&one, &token));
    one.end();
    let without = shared.start("a", OTHER);
    assert!(!is_active(&without, &token) && is_active(&other, &token));
    shared.store.ask(0, "SAVE");
    let key = shared.store.ask(0, "KEYS privyseal:*:token:*");
    let key = key.lines().find(|it| it.contains(":token:")).unwrap();
    let left = shared.store.ask(0, &format!("TTL {key}"));
    let left: u64 = left.trim().trim_start_matches(':').parse().unwrap();
    assert!((3000..=3600).contains(&left), "{left}");
    let _store = RedisServer::start(shared.store.kill(), &kept);
    assert!(is_active(&other, &token) && !is_active(&without, &token));
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
