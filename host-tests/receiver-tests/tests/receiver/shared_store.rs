//! Several receivers with one store: a Redis, or Valkey, that is started, killed and restarted here.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use std::sync::Arc;

use privyseal::{Certificates, UnixTime};
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::TokenForm;
use privyseal_receiver::replay::{RedisOptions, RedisStore};
use privyseal_test_servers::redis_server::{RedisServer, free_port, wait_for};
use serde_json::json;

use crate::stage::{CONSUMER, Stage, World, now};

/// How long a store may take on a machine that is busy.
const LONG: Duration = Duration::from_secs(60);

fn options(url: impl Into<String>, timeout: Duration) -> RedisOptions {
    let mut options = RedisOptions::new(url);
    options.timeout = timeout;
    options
}

fn receiver(world: &World, port: u16) -> Stage {
    world.play_with(&ISHARE, world.honest(), |builder| {
        let options = options(format!("redis://127.0.0.1:{port}/"), LONG);
        builder.replay(Arc::new(RedisStore::new(options).unwrap()))
    })
}

/// An assertion that is made at `when`.
fn made_at(world: &World, when: UnixTime) -> String {
    world.with_claims(|claims| {
        claims["iat"] = json!(when.as_secs());
        claims["exp"] = json!(when.as_secs() + 30);
    })
}

fn accept(stage: &Stage, assertion: &str, when: UnixTime) -> Result<(), String> {
    let form = TokenForm::of_assertion(assertion).client_id(CONSUMER);
    let accepted = stage.receiver.accept_at(&form, when);
    accepted
        .map(|_| ())
        .map_err(|rejection| rejection.to_string())
}

#[test]
fn of_two_presentations_to_two_receivers_exactly_one_is_accepted_also_across_a_crash() {
    let world = World::new();
    let server = RedisServer::start(free_port(), &[]);
    let (one, other) = (receiver(&world, server.port), receiver(&world, server.port));
    let start = now();
    // A store that knows nothing does not know whether it was emptied.
    let first = accept(&one, &made_at(&world, start), start).unwrap_err();
    assert!(first.contains("before the memory"), "{first}");
    let later = start.saturating_add(20);
    for _ in 0..20 {
        let assertion = made_at(&world, later);
        let accepted = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let stage = if number % 2 == 0 { &one } else { &other };
                    let assertion = &assertion;
                    scope.spawn(move || accept(stage, assertion, later))
                })
                .collect();
            let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
            outcomes.flatten().count()
        });
        assert_eq!(accepted, 1);
    }
    let assertion = made_at(&world, later);
    accept(&one, &assertion, later).unwrap();
    let port = server.kill();
    let away = accept(&other, &made_at(&world, later), later).unwrap_err();
    assert!(
        away.contains("unavailable: the replay store: it is away"),
        "{away}"
    );
    let _server = RedisServer::start(port, &[]);
    // What it accepted before it has forgotten, and says so.
    let replayed = accept(&other, &assertion, later.saturating_add(1)).unwrap_err();
    assert!(replayed.contains("before the memory"), "{replayed}");
    let after = later.saturating_add(40);
    accept(&one, &made_at(&world, after), after).unwrap();
    accept(&other, &made_at(&world, after), after).unwrap();
}

/// What was made a while after its start needs not wait for another assertion.
#[test]
fn the_memory_of_a_store_begins_when_a_receiver_starts() {
    let world = World::new();
    let server = RedisServer::start(free_port(), &[]);
    let options = options(format!("redis://127.0.0.1:{}/", server.port), LONG);
    RedisStore::new(options).unwrap().check().unwrap();
    let stage = receiver(&world, server.port);
    let (before, later) = (now(), now().saturating_add(20));
    assert_eq!(accept(&stage, &made_at(&world, later), later), Ok(()));
    let refused = accept(&stage, &made_at(&world, before), before).unwrap_err();
    assert!(refused.contains("before the memory"), "{refused}");
}

/// What a server loads when it starts may lack what it accepted last (a snapshot, an append-only file that was written each
/// second), and nothing says whether it does.
#[test]
fn a_store_that_was_restarted_with_its_data_refuses_what_was_made_before() {
    let world = World::new();
    let appended = ["--appendonly", "yes", "--appendfsync", "always"];
    for (options, has_snapshot) in [(&[][..], true), (&appended[..], false)] {
        let folder = tempfile::tempdir().unwrap();
        let folder = ["--dir", folder.path().to_str().unwrap()];
        let options = [&folder, options].concat();
        let server = RedisServer::start(free_port(), &options);
        let stage = receiver(&world, server.port);
        let start = now();
        let _ = accept(&stage, &made_at(&world, start), start);
        let later = start.saturating_add(20);
        let kept = made_at(&world, later);
        accept(&stage, &kept, later).unwrap();
        if has_snapshot {
            say(server.port, "SAVE\r\n");
        }
        let last = made_at(&world, later);
        accept(&stage, &last, later).unwrap();
        let unseen = made_at(&world, later);
        let server = RedisServer::start(server.kill(), &options);
        for assertion in [&kept, &last, &unseen] {
            let refused = accept(&stage, assertion, later.saturating_add(1)).unwrap_err();
            assert!(refused.contains("before the memory"), "{refused}");
        }
        let after = later.saturating_add(40);
        let made = made_at(&world, after);
        accept(&stage, &made, after).unwrap();
        let again = accept(&receiver(&world, server.port), &made, after).unwrap_err();
        assert!(again.contains("was accepted before"), "{again}");
    }
}

/// Believed by the certificates that are given and no others; one that speaks no TLS, or is silent, is away.
#[test]
fn a_store_over_tls_must_have_the_certificate_that_is_expected() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let path = |kind: &str| folder.path().join(format!("{name}.{kind}"));
        fs::write(path("crt"), made.cert.pem()).unwrap();
        fs::write(path("key"), made.signing_key.serialize_pem()).unwrap();
        (path("crt"), path("key"))
    };
    let (certificate, key) = made("server");
    let (other, _) = made("other");
    let port = free_port();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let tls = [
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &text(&certificate),
        "--tls-key-file",
        &text(&key),
        "--tls-auth-clients",
        "no",
    ];
    let plain = RedisServer::start(free_port(), &tls);
    wait_for(SocketAddr::from(([127, 0, 0, 1], port)));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = |port: u16, roots: &Path, timeout| {
        let mut options = options(format!("rediss://127.0.0.1:{port}/"), timeout);
        options.roots = Some(Certificates::from_file(roots).unwrap());
        let stage = world.play_with(&ISHARE, world.honest(), |builder| {
            builder.replay(Arc::new(RedisStore::new(options).unwrap()))
        });
        let later = now().saturating_add(20);
        // The first is refused: the store does not know whether it was emptied.
        let _ = accept(&stage, &made_at(&world, now()), now());
        accept(&stage, &made_at(&world, later), later)
    };
    assert_eq!(to(port, &certificate, LONG), Ok(()));
    let silent = silent.local_addr().unwrap().port();
    let short = Duration::from_secs(2);
    for (port, roots, timeout, words) in [
        (port, &other, LONG, "TLS fails: invalid peer certificate"),
        (
            plain.port,
            &certificate,
            short,
            "as by a server without TLS",
        ),
        (
            silent,
            &certificate,
            short,
            "TLS fails: nothing is answered",
        ),
        (
            free_port(),
            &certificate,
            short,
            "nobody listens at its address",
        ),
    ] {
        let away = to(port, roots, timeout).unwrap_err();
        assert!(away.contains(words), "{away}");
    }
    // Without TLS to a server that has it, and a database that it has not.
    for (port, database, words) in [
        (port, 0, "it ends the connection"),
        (plain.port, 99, "it has no database of the number"),
        (plain.port, -1, "it has no password"),
    ] {
        let url = match database {
            -1 => format!("redis://:secret@127.0.0.1:{port}/"),
            _ => format!("redis://127.0.0.1:{port}/{database}"),
        };
        let options = options(url, LONG);
        let error = RedisStore::new(options).unwrap().check();
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// Each with what is wrong, and never the URL itself.
#[test]
fn a_url_that_names_no_server_is_refused() {
    let world = World::new();
    for (url, words) in [
        ("redis://127.0.0.1/", "none of rediss:"),
        ("rediss://127.0.0.1/#insecure", "has a fragment"),
    ] {
        let mut options = RedisOptions::new(url);
        options.roots = Some(world.root());
        let error = RedisStore::new(options).unwrap_err().to_string();
        assert!(error.contains(words), "{url}: {error}");
    }
    for (url, words) in [
        ("redis://127.0.0.1/?db=6", "has a query"),
        ("redis://bob@127.0.0.1/", "a user and no password"),
    ] {
        let error = RedisStore::new(RedisOptions::new(url)).unwrap_err();
        assert!(error.to_string().contains(words), "{url}: {error}");
    }
    for (url, words) in [
        ("redis://127.0.0.1:99999/", "a port that is no number"),
        ("redis://127.0.0.1:0/", "a port that is no number"),
        ("redis://u:p:1@[::1]:x/", "a port that is no number"),
        ("redis://127.0.0.1/one", "a database that is no number"),
        ("redis://127.0.0.1/-1", "a database that is no number"),
        ("redis:///", "no host"),
        ("redis://u:p@:6379/1", "no host"),
        ("redis://u:a/b@x/1", "a / in the user or password"),
        ("redis://u:a%zz@x/1", "begins no %XX"),
        ("redis://u:a%2@x/1", "begins no %XX"),
        ("http://x", "none of redis:"),
    ] {
        let error = RedisStore::new(RedisOptions::new(url)).unwrap_err();
        assert!(error.to_string().contains(words), "{url}: {error}");
    }
    for url in [
        "redis://u:p%2F@[::1]/3",
        "redis://127.0.0.1:6379",
        "valkey://x",
        "REDISS://x",
    ] {
        assert!(RedisStore::new(RedisOptions::new(url)).is_ok(), "{url}");
    }
    // No switch turns verification off.
    assert!(RedisStore::new(RedisOptions::new("rediss://127.0.0.1/#insecure")).is_err());
}

/// Each byte, or each answer, comes within the time, and all of them together do not.
#[test]
fn a_store_has_one_time_for_all_that_it_is_asked() {
    let world = World::new();
    let accepted = |pause: Duration, by_byte: bool, timeout: Duration| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = stream.read(&mut bytes) {
                let commands = String::from_utf8_lossy(&bytes[..len]).into_owned();
                for command in commands.split('*').skip(1) {
                    let answer = if command.contains("INFO") {
                        "$23\r\nmaxmemory:0\r\nrun_id:x\r\n\r\n"
                    } else if command.contains("GET") {
                        "$1\r\n0\r\n"
                    } else {
                        "+OK\r\n"
                    };
                    let size = if by_byte { 1 } else { answer.len() };
                    for part in answer.as_bytes().chunks(size) {
                        thread::sleep(pause);
                        if stream.write_all(part).is_err() {
                            return;
                        }
                    }
                }
            }
        });
        let options = options(format!("redis://127.0.0.1:{port}/"), timeout);
        let stage = world.play_with(&ISHARE, world.honest(), |builder| {
            builder.replay(Arc::new(RedisStore::new(options).unwrap()))
        });
        accept(&stage, &made_at(&world, now()), now())
    };
    for by_byte in [false, true] {
        let pause = Duration::from_millis(1300);
        let refused = accepted(pause, by_byte, Duration::from_secs(2)).unwrap_err();
        assert!(refused.contains("it is away: no answer"), "{refused}");
    }
    assert_eq!(accepted(Duration::ZERO, false, LONG), Ok(()));
}

/// A text, a line and a list without an end.
#[test]
fn a_store_that_never_ends_its_answer_is_not_read_for_long() {
    for start in [
        "$9000000000000000000\r\n",
        "+",
        "*9000000000000000000\r\n:1\r\n$9000000000\r\n",
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(start.as_bytes()).unwrap();
            let mut told: usize = 0;
            while stream.write_all(&[b'x'; 8192]).is_ok() {
                told += 8192;
            }
            told
        });
        let options = options(format!("redis://127.0.0.1:{port}/"), LONG);
        let refused = RedisStore::new(options).unwrap().check();
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("more than 64 KiB"), "{refused}");
        // Most of it nobody read: it lay in the buffers of the two sockets.
        let told = told.join().unwrap();
        assert!(told < 32 * 1024 * 1024, "{told} bytes");
    }
}

/// Only `OK` says that it is stored, and only nil that it was.
#[test]
fn a_store_that_answers_something_else_has_stored_nothing() {
    let world = World::new();
    for answer in ["+QUEUED", "+ok", ":1", "$0\r\n"] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stage = receiver(&world, listener.local_addr().unwrap().port());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let info = "run_id:1\r\nmaxmemory:0\r\n";
            let info = format!("${}\r\n{info}\r\n", info.len());
            for answers in [info, format!("+OK\r\n{answer}\r\n$1\r\n1\r\n")] {
                let _ = stream.read(&mut [0; 4096]).unwrap();
                stream.write_all(answers.as_bytes()).unwrap();
            }
        });
        let refused = accept(&stage, &made_at(&world, now()), now()).unwrap_err();
        assert!(refused.ends_with("no answer to SET"), "{answer}: {refused}");
    }
}

fn say(port: u16, command: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(command.as_bytes()).unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n", "{command}");
}

#[test]
fn a_store_that_forgets_when_it_is_full_is_not_used() {
    let world = World::new();
    let server = RedisServer::start(free_port(), &["--maxmemory", "10mb"]);
    let stage = |checked_after| {
        world.play_with(&ISHARE, world.honest(), |builder| {
            let mut options = options(format!("redis://127.0.0.1:{}/", server.port), LONG);
            options.checked_after = checked_after;
            builder.replay(Arc::new(RedisStore::new(options).unwrap()))
        })
    };
    let (checks_always, checks_later) = (stage(Duration::ZERO), stage(60 * LONG));
    let _ = accept(&checks_later, &made_at(&world, now()), now());
    let later = now().saturating_add(20);
    let accepts = |stage: &Stage| accept(stage, &made_at(&world, later), later);
    assert_eq!(accepts(&checks_always), Ok(()));
    // Somebody changes it while it runs.
    say(server.port, "CONFIG SET maxmemory-policy allkeys-lru\r\n");
    let refused = accepts(&checks_always).unwrap_err();
    assert!(refused.contains("it evicts keys"), "{refused}");
    // A connection that was made before is used until its time is over.
    assert_eq!(accepts(&checks_later), Ok(()));
    say(server.port, "CONFIG SET maxmemory-policy noeviction\r\n");
    assert_eq!(accepts(&checks_always), Ok(()));
}

/// Its error's code, and nothing else that it wrote.
#[test]
fn a_store_that_refuses_says_why() {
    let server = RedisServer::start(free_port(), &["--maxmemory", "1"]);
    let store = || {
        let options = options(format!("redis://127.0.0.1:{}/", server.port), LONG);
        RedisStore::new(options).unwrap()
    };
    let full = "it is away: it answers OOM";
    assert_eq!(store().check().unwrap_err().to_string(), full);
    let world = World::new();
    let stage = world.play_with(&ISHARE, world.honest(), |it| it.replay(Arc::new(store())));
    let refused = accept(&stage, &made_at(&world, now()), now()).unwrap_err();
    assert!(refused.ends_with(full), "{refused}");
    say(server.port, "CONFIG SET requirepass secret\r\n");
    let refused = store().check().unwrap_err().to_string();
    assert_eq!(refused, "it is away: it answers NOAUTH");
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        let _ = stream.read(&mut [0; 4096]);
    });
    let options = options(format!("redis://127.0.0.1:{port}/"), LONG);
    let refused = RedisStore::new(options).unwrap().check();
    let refused = refused.unwrap_err().to_string();
    assert!(refused.ends_with("no Valkey or Redis"), "{refused}");
}

#[test]
fn an_address_is_shown_nowhere() {
    let options = RedisOptions::new("redis://user:secret@127.0.0.1:1/");
    let store = RedisStore::new(options.clone()).unwrap();
    let shown = format!("{options:?} {store:?}");
    assert!(!shown.contains("secret"), "{shown}");
    let error = RedisStore::new(RedisOptions::new("http://user:secret@x")).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    for other in ["redis+unix:///tmp/x", "unix:///tmp/x", ""] {
        assert!(
            RedisStore::new(RedisOptions::new(other)).is_err(),
            "{other}"
        );
    }
}
