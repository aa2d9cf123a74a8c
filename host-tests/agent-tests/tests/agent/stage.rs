//! An agent, its token, and a server that gives tokens.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use privyseal_test_base::privyseal;
use privyseal_test_base::tool::{command, run};
use privyseal_test_servers::fiam_server::{AUDIENCE, FiamServer};
use privyseal_test_suite::flow;
use privyseal_test_suite::softhsm::SoftHsmToken;
use serde_json::Value;

use crate::http::{Answer, connect, exchange, request};

pub(crate) const CLIENT_ID: &str = "EU.EORI.NL123456789";

/// Of nobody: a user's number that no test has.
pub(crate) const NOBODY: u32 = 4242;

/// A token with a key, a server, and a folder for an agent's files.
pub(crate) struct Stage {
    pub(crate) client: flow::Client,
    pub(crate) server: FiamServer,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) socket: PathBuf,
    pub(crate) environment: Vec<(String, std::ffi::OsString)>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let client = flow::Client::new();
        let server = FiamServer::trusting(&client.pki.root.certificate);
        // Short, for a socket's path, and open to other users.
        let folder = tempfile::Builder::new()
            .prefix("pa-")
            .tempdir_in("/tmp")
            .unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        client.file("tls-ca.pem", server.tls_ca_pem());
        let environment = vec![("SOFTHSM2_CONF".into(), client.token.configuration().into())];
        Self {
            client,
            server,
            socket: folder.path().join("agent.sock"),
            folder,
            environment,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    pub(crate) fn audit(&self) -> PathBuf {
        self.path("audit.jsonl")
    }

    /// A profile of the key at `uri`, for these users.
    pub(crate) fn profile_of(&self, name: &str, uri: &str, uids: &str) -> String {
        format!(
            "[profile.{name}]\nscheme = 'fiam'\nkey = '{uri}'\nclient-id = '{CLIENT_ID}'\n\
             base-url = '{}'\ncacert = '{}'\nallow-uids = {uids}\n",
            self.server.base_url(),
            self.client.token.dir().join("tls-ca.pem").display()
        )
    }

    /// The profile `kpn` for this user.
    pub(crate) fn profile(&self) -> String {
        self.profile_of(
            "kpn",
            &self.client.token.uri(flow::KEY),
            &format!("[{}]", own_uid()),
        )
    }

    /// Writes the configuration: `[agent]` with `more`, and `profiles`.
    pub(crate) fn configure(&self, more: &str, profiles: &str) -> PathBuf {
        let path = self.path("config.toml");
        let text = format!(
            "[agent]\nsocket = '{}'\naudit-log = '{}'\n{more}\n{profiles}",
            self.socket().display(),
            self.audit().display()
        );
        fs::write(&path, text).unwrap();
        path
    }

    /// The file of a bearer token, with that mode.
    pub(crate) fn bearer(&self, text: &str, mode: u32) -> String {
        let path = self.path("bearer");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The agent's command line.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let (program, words) = words.split_first().unwrap();
        let mut command = command(program, words);
        command
            .env_remove("PRIVYSEAL_PIN")
            .envs(self.environment.iter().cloned());
        command
    }

    /// An agent for `kpn`.
    pub(crate) fn agent(&self) -> Agent {
        let config = self.configure("", &self.profile());
        self.start(&config)
    }

    pub(crate) fn start(&self, config: &Path) -> Agent {
        self.start_as(config, &[])
    }

    /// Starts it by another program, and waits until it says that it is ready.
    pub(crate) fn start_as(&self, config: &Path, by: &[&str]) -> Agent {
        self.start_command(self.agent_command(config, by))
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn starting(&self, config: &Path) -> Agent {
        self.spawned(self.agent_command(config, &[]))
    }

    fn agent_command(&self, config: &Path, by: &[&str]) -> Command {
        let program = privyseal::path();
        let words = [
            program.to_str().unwrap(),
            "agent",
            "-vv",
            "--log-format",
            "json",
        ];
        let mut command = self.command(&[by, &words].concat());
        command.arg("--config").arg(config);
        command
    }

    /// Starts an agent, and waits until it says that it is ready.
    pub(crate) fn start_command(&self, command: Command) -> Agent {
        let agent = self.spawned(command);
        agent.hears("READY=1");
        agent
    }

    fn spawned(&self, mut command: Command) -> Agent {
        let notify = self.path("notify");
        let _ = fs::remove_file(&notify);
        let heard = UnixDatagram::bind(&notify).unwrap();
        let limit = Some(Duration::from_secs(120));
        heard.set_read_timeout(limit).unwrap();
        command.env("NOTIFY_SOCKET", &notify);
        let log = fs::File::create(self.path("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Agent {
            child: child.unwrap(),
            socket: self.socket(),
            log: self.path("log"),
            heard,
        }
    }

    /// The lines of the audit log, its chain judged by a program in Python.
    pub(crate) fn audited(&self) -> Vec<Value> {
        audited(&self.audit())
    }

    /// What a program prints that goes well.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        String::from_utf8(run(&mut self.command(words))).unwrap()
    }

    /// Whether the server gives a token for an assertion of `kpn`.
    pub(crate) fn judge(&self, assertion: &str) -> String {
        use privyseal_test_judges::assertion_judge::{TrustedRoot, judge};
        let root = TrustedRoot::new(&self.client.pki.root.certificate).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let judged = judge(assertion.trim(), &root, AUDIENCE, now.unwrap().as_secs()).unwrap();
        judged.jti
    }
}

pub(crate) fn audited(path: &Path) -> Vec<Value> {
    let script = privyseal_test_base::scratch::host_tests("python/audit_log.py");
    let mut python = command("python3", [script]);
    let lines = String::from_utf8(run(python.arg(path))).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A port of loopback where nobody listens.
pub(crate) fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// Whether it comes to hold within two minutes, however busy the machine is.
fn wait(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > Duration::from_secs(120) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    true
}

/// Waits until it holds.
#[track_caller]
pub(crate) fn poll(what: &str, holds: impl FnMut() -> bool) {
    assert!(wait(holds), "never: {what}");
}

/// The user that runs this.
pub(crate) fn own_uid() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").unwrap().uid()
}

/// A running agent, ended with the test.
pub(crate) struct Agent {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
    heard: UnixDatagram,
}

impl Agent {
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        exchange(connect(&self.socket), &request(method, path, "", body))
    }

    pub(crate) fn assertion(&self) -> Answer {
        self.ask("POST", "/v1/kpn/assertion", "")
    }

    /// Asks until the answer has that status.
    #[track_caller]
    pub(crate) fn comes_to(&self, status: u16, method: &str, path: &str) {
        let mut last = String::new();
        let is_there = wait(|| {
            let answer = self.ask(method, path, "");
            last = format!("{answer:?}");
            answer.status == status
        });
        assert!(is_there, "{path} never {status}: {last}\n{}", self.log());
    }

    /// Waits for a message to the service manager.
    #[track_caller]
    pub(crate) fn hears(&self, wanted: &str) {
        let mut message = [0; 1024];
        loop {
            let len = match self.heard.recv(&mut message) {
                Ok(len) => len,
                // A process that is stopped and goes on sees it, whatever handlers it has.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("no {wanted}: {error}\n{}", self.log()),
            };
            if String::from_utf8_lossy(&message[..len])
                .lines()
                .any(|line| line == wanted)
            {
                return;
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        run(&mut command(
            "kill",
            [&format!("-{name}"), &self.child.id().to_string()],
        ));
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        wait(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap_or_else(|| panic!("it does not end: {}", self.log()))
    }

    /// Ends it as a service manager does.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended();
        assert_eq!(
            (status.code(), status.signal()),
            (Some(0), None),
            "{}",
            self.log()
        );
        assert!(!self.socket.exists());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The URI of the key behind another module.
pub(crate) fn behind(uri: &str, module: &Path) -> String {
    let real = SoftHsmToken::module();
    uri.replace(&real.display().to_string(), &module.display().to_string())
}
