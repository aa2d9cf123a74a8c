//! A Keycloak on loopback: the software behind eHealth I.AM Connect, as its makers publish it.
//!
//! One server serves all tests of a program. It listens on 127.0.0.1, over TLS with a certificate of its
//! own, keeps its data in a directory of its own, and ends with the program that started it, however that
//! ends: a shell waits for the end of a pipe that only this process holds open.

mod admin;
mod install;
mod jwks_server;
mod phones;

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::browser::Browser;
use crate::https::Client;
use crate::redis_server::free_port;
use privyseal_test_base::scratch::{cache_dir, target_dir};

pub(crate) use admin::agent;
pub use install::install;
pub use jwks_server::JwksServer;
pub use phones::{Decision, Phones};

/// What [`install`] installs.
const VERSION: &str = "26.7.3";
const PATH: &str = "/auth";
const PASSWORD: &str = "for-tests-only";

/// A start takes 15 s on a machine that does nothing else.
const START_LIMIT: Duration = Duration::from_secs(180);

/// The server ends by itself after that many seconds, whatever happens.
const LIFE: u32 = 900;

/// The option that says where Keycloak asks a person.
const CIBA_CHANNEL: &str =
    "--spi-ciba-auth-channel--ciba-http-auth-channel--http-authentication-channel-uri";

/// Starts the server named by the rest of its arguments, and ends it and everything beside it when the
/// pipe ends. All are one process group.
const WATCH: &str = r#"dir=$1; shift
"$@" >"$dir/log" 2>&1 </dev/null &
(sleep "$LIFE"; kill -9 0) </dev/null >/dev/null 2>&1 &
cat >/dev/null
rm -rf "$dir"
kill -9 0"#;

/// A running server.
#[derive(Debug)]
pub struct Keycloak {
    port: u16,
    ca_pem: String,
    dir: PathBuf,
    /// Holds the pipe open.
    watch: Mutex<Child>,
    admin: Mutex<Option<(Instant, String)>>,
    phones: Phones,
}

impl Keycloak {
    /// The server of this program; the first test that asks waits for its start.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Keycloak> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let home = target_dir().join(format!("keycloak/keycloak-{VERSION}"));
        let template = home.join("data/h2/keycloakdb.mv.db");
        assert!(
            template.exists(),
            "Keycloak {VERSION} is not installed: run `cargo xtask setup`"
        );
        assert!(
            home.join("providers/login-hint-token.jar").exists(),
            "Keycloak is there as an earlier set-up left it: run `cargo xtask setup`"
        );
        let dir = tempfile::Builder::new()
            .prefix("keycloak-")
            .tempdir_in(cache_dir("tmp"))
            .expect("target/ can be written")
            .keep();
        let data = dir.join("keycloakdb.mv.db");
        fs::copy(template, data).expect("target/ can be written");
        let identity = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])
            .expect("a certificate");
        let ca_pem = identity.cert.pem();
        fs::write(dir.join("tls.pem"), &ca_pem).expect("target/ can be written");
        fs::write(dir.join("tls.key"), identity.signing_key.serialize_pem())
            .expect("target/ can be written");

        let port = free_port();
        let phones = Phones::start(&ca_pem);
        let watch = launch(&home, &dir, port, &phones);
        let server = Self {
            port,
            ca_pem,
            dir,
            watch: Mutex::new(watch),
            admin: Mutex::default(),
            phones,
        };
        server.wait();
        server
    }

    /// The address that realms are below: `https://127.0.0.1:PORT/auth`.
    pub fn base_url(&self) -> String {
        format!("https://127.0.0.1:{}{PATH}", self.port)
    }

    /// The issuer of a realm, which is also the audience of assertions for it.
    pub fn issuer(&self, realm: &str) -> String {
        format!("{}/realms/{realm}", self.base_url())
    }

    /// The one certificate to trust, as a file.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.join("tls.pem")
    }

    /// A client that can say anything; its paths are below [`Keycloak::base_url`].
    pub fn client(&self) -> Client {
        Client::new(&self.base_url(), &self.ca_pem)
    }

    /// A person's browser for it.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.base_url(), &self.ca_pem)
    }

    /// Whom it asks in CIBA.
    pub const fn phones(&self) -> &Phones {
        &self.phones
    }

    /// Until it answers.
    fn wait(&self) {
        let begun = Instant::now();
        let agent = agent(&self.ca_pem, 0);
        let url = self.issuer("master");
        while agent
            .get(&url)
            .call()
            .map(|answer| answer.status().as_u16())
            .ok()
            != Some(200)
        {
            let ended = self
                .watch
                .lock()
                .expect("no panic")
                .try_wait()
                .expect("a child");
            assert!(
                ended.is_none() && begun.elapsed() < START_LIMIT,
                "Keycloak did not start within {START_LIMIT:?} ({ended:?}):\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn log(&self) -> String {
        let mut log = String::new();
        if let Ok(mut file) = fs::File::open(self.dir.join("log")) {
            // What can be read of it is what there is to show.
            let _ = file.read_to_string(&mut log);
        }
        log
    }
}

fn launch(home: &Path, dir: &Path, port: u16, phones: &Phones) -> Child {
    let shown = |path: PathBuf| path.display().to_string();
    let database = format!(
        "jdbc:h2:file:{};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE",
        shown(dir.join("keycloakdb"))
    );
    let options = [
        "--optimized".to_owned(),
        "--cache=local".to_owned(),
        "--http-host=127.0.0.1".to_owned(),
        format!("--https-port={port}"),
        format!("--https-certificate-file={}", shown(dir.join("tls.pem"))),
        format!(
            "--https-certificate-key-file={}",
            shown(dir.join("tls.key"))
        ),
        format!("--hostname=https://127.0.0.1:{port}{PATH}"),
        format!("--db-url={database}"),
        format!("{CIBA_CHANNEL}={}", phones.url()),
    ];
    Command::new("sh")
        .args(["-c", WATCH, "watch"])
        .arg(dir)
        .arg("sh")
        .arg(home.join("bin/kc.sh"))
        .arg("start")
        .args(options)
        .env("LIFE", LIFE.to_string())
        .env("JAVA_OPTS_KC_HEAP", "-Xms96m -Xmx384m")
        .env("JAVA_OPTS_APPEND", "-XX:TieredStopAtLevel=1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell")
}
