//! The way to a server as the machine has it set: its own roots, and the proxies of the environment.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use privyseal_test_pki::{TestPki, pem_chain};
use privyseal_test_servers::fiam_server::FiamServer;
use privyseal_test_suite::flow::{Client, Outcome};

use super::CLIENT_ID;

/// A proxy (RFC 9110 section 9.3.6) that keeps the heads of what it is asked for. It ends with the process.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(lets_through: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || tunnel(stream, &seen, lets_through));
            }
        });
        Self { address, heads }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, seen: &Mutex<Vec<String>>, lets_through: bool) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(head);
    if !lets_through {
        return client.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    }
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    io::copy(&mut server, &mut client).map(drop)
}

/// `token` in that environment.
fn token(
    client: &Client,
    server: &FiamServer,
    options: &[(&str, &Path)],
    environment: &[(&str, &str)],
) -> Outcome {
    let base_url = server.base_url();
    let words = ["token", "--scheme", "fiam", "--client-id", CLIENT_ID];
    let mut command = client.command(&[&words[..], &["--base-url", &base_url]].concat());
    for (option, file) in options {
        command.arg(option).arg(file);
    }
    command.envs(environment.iter().copied());
    Outcome::of(&mut command)
}

/// Without `--cacert`: the machine's, which on Linux may be named in the environment.
#[test]
fn the_roots_of_the_machine() {
    let client = Client::new();
    let server = FiamServer::trusting(&client.pki.root.certificate);
    let own = client.file("own.pem", server.tls_ca_pem());
    let other = client.file("other.pem", pem_chain(&[TestPki::new().root.certificate]));
    let (own, other) = (own.to_str().unwrap(), other.to_str().unwrap());
    let outcome = token(&client, &server, &[], &[("SSL_CERT_FILE", own)]);
    assert_eq!(outcome.json()["token_type"], "Bearer");
    for environment in [&[("SSL_CERT_FILE", other)][..], &[]] {
        let outcome = token(&client, &server, &[], environment);
        outcome.failed(4, "comes from no root that is trusted here");
    }
    // And not together with it.
    let only = [("--cacert", Path::new(other))];
    let outcome = token(&client, &server, &only, &[("SSL_CERT_FILE", own)]);
    outcome.failed(4, "comes from no root that is trusted here");
}

#[test]
fn the_proxies_of_the_environment() {
    let client = Client::new();
    let server = FiamServer::trusting(&client.pki.root.certificate);
    let ca = client.file("own.pem", server.tls_ca_pem());
    let trust: &[(&str, &Path)] = &[("--cacert", &ca)];
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let proxy = Proxy::start(true);
        let outcome = token(&client, &server, trust, &[(variable, &proxy.url())]);
        assert_eq!(outcome.json()["token_type"], "Bearer");
        // All that the proxy learns is where to connect to.
        let heads = proxy.heads();
        assert_eq!(heads.len(), 1, "{heads:?}");
        assert!(heads[0].starts_with("CONNECT 127.0.0.1:"), "{heads:?}");
        assert!(!heads[0].contains("assertion"), "{heads:?}");

        let refusing = Proxy::start(false);
        let outcome = token(&client, &server, trust, &[(variable, &refusing.url())]);
        outcome.failed(4, "the proxy that the environment names does not connect");

        let url = refusing.url();
        let around = [(variable, url.as_str()), ("NO_PROXY", "127.0.0.1")];
        token(&client, &server, trust, &around).json();
        assert_eq!(refusing.heads().len(), 1, "the one before");
    }
    for (name, value) in [
        ("HTTPS_PROXY", "socks5://127.0.0.1:1"),
        ("all_proxy", "http://"),
    ] {
        let outcome = token(&client, &server, trust, &[(name, value)]);
        outcome.failed(4, &format!("{name} cannot be used"));
    }
}
