//! All modules of this machine, each looked at by a process of its own: one that hangs or crashes keeps nobody from the
//! others.

use std::io::{self, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use privyseal::base::clock;
use privyseal::keys::KeyUriError;
use privyseal::report::ModuleScan;
use privyseal_pkcs11::{Pkcs11Uri, configured_modules, module_info};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::exit::Exit;
use crate::hardening::end_at_once;
use crate::output::{print_line, say};

/// How long one module may take.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// How long a module is tried before it is loaded, which may take as long again.
const TRIAL_LIMIT: Duration = Duration::from_secs(5);

/// After which it is said who is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// How [`load`] ends where the module left it alone.
const LOADED: i32 = 113;

/// The most that is read of a report.
const MAX_REPORT: u64 = 64 * 1024 * 1024;

/// What one module showed.
pub(super) struct Scanned {
    pub(super) name: String,
    /// What the module is, its `tokens` and `errors`, as JSON.
    pub(super) report: Value,
    /// The same for people.
    pub(super) text: String,
}

/// Looks at one module and prints what was found, for [`all`].
pub(super) fn one(name: &str) -> Result<(), CliError> {
    end_with_parent();
    let scan = ModuleScan::of(&Pkcs11Uri::of_module(name), clock::now()?);
    let text = scan.to_string();
    print_line(json!({"report": scan, "text": text}).to_string().as_bytes())
}

/// Loads the module that `uri` names, for [`survives`]. What it says is not of interest.
#[expect(
    clippy::exit,
    reason = "a module may print what it likes, and end the process as if all were well"
)]
pub(super) fn load(uri: &str) -> Result<(), CliError> {
    end_with_parent();
    let uri: Pkcs11Uri = uri.parse().map_err(KeyUriError::Uri)?;
    let _ = module_info(&uri);
    std::process::exit(LOADED)
}

/// What [`survives`] says, for [`privyseal_pkcs11::try_modules_by`]. What takes its time, or cannot be tried, may be good.
pub(super) fn try_out(uri: &Pkcs11Uri) -> Result<(), String> {
    match survives(uri, TRIAL_LIMIT, None) {
        Err(error) if error.kind() == io::ErrorKind::Other => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Whether a process that loads and initializes the module is still there afterwards. No PIN is used.
pub(super) fn survives(
    uri: &Pkcs11Uri,
    limit: Duration,
    mut patience: Option<Duration>,
) -> io::Result<()> {
    let uri = uri.to_string();
    let mut child = start(["keys", "--load-module", &uri])?;
    let status = wait("of this key", &mut child, limit, &mut patience)?;
    if status.code() == Some(LOADED) {
        Ok(())
    } else {
        Err(crashed(status))
    }
}

/// Looks at all modules that p11-kit knows.
pub(super) fn all() -> Result<Vec<Scanned>, CliError> {
    let names = configured_modules();
    if names.is_empty() {
        let reason =
            "p11-kit knows no module on this machine; name one: pkcs11:?module-path=/usr/lib/M.so";
        return Err(CliError::missing("--key", reason));
    }
    Ok(each(names, LIMIT, Some(PATIENCE)))
}

/// The same, which says nothing and leaves out what takes longer than `limit`.
pub(super) fn quietly(limit: Duration) -> Vec<Scanned> {
    each(configured_modules(), limit, None)
}

fn each(names: Vec<String>, limit: Duration, patience: Option<Duration>) -> Vec<Scanned> {
    let scan = |name| thread::spawn(move || scan(name, limit, patience));
    let scans: Vec<_> = names.into_iter().map(scan).collect();
    scans.into_iter().filter_map(|it| it.join().ok()).collect()
}

fn scan(name: String, limit: Duration, mut patience: Option<Duration>) -> Scanned {
    let found = start(["keys", "--scan-module", &name])
        .and_then(|child| finish(&name, child, limit, &mut patience));
    let (report, text) = found.unwrap_or_else(|error| {
        let error = error.to_string();
        let text = format!("it cannot be used\n  {error}");
        (
            json!({"library": null, "tokens": [], "errors": [error]}),
            text,
        )
    });
    Scanned { name, report, text }
}

fn start(words: [&str; 3]) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// A module that hangs keeps no process alive that nobody waits for: standard input ends with who started it.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        end_at_once(Exit::Key)
    });
}

fn finish(
    name: &str,
    mut child: Child,
    limit: Duration,
    patience: &mut Option<Duration>,
) -> io::Result<(Value, String)> {
    let stdout = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.map(|it| it.take(MAX_REPORT).read_to_end(&mut text));
        read.transpose().map(|_| text)
    });
    let status = wait(name, &mut child, limit, patience)?;
    let text = reader.join().map_err(|_| crashed(status))??;
    let mut found: Value = serde_json::from_slice(&text).map_err(|_| crashed(status))?;
    let text = found["text"].as_str().unwrap_or_default().to_owned();
    Ok((found["report"].take(), text))
}

fn crashed(status: ExitStatus) -> io::Error {
    io::Error::other(format!("it ended the process that looked at it ({status})"))
}

/// Waits for the end of a process that looks at a module, and ends one that hangs.
fn wait(
    name: &str,
    child: &mut Child,
    limit: Duration,
    patience: &mut Option<Duration>,
) -> io::Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            let seconds = limit.as_secs();
            let text = format!("it hangs: nothing came of it in {seconds} s");
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        if patience
            .take_if(|patience| start.elapsed() > *patience)
            .is_some()
        {
            let seconds = limit.as_secs();
            say!("waiting for PKCS #11 module {name}, {seconds} s at most");
        }
        thread::sleep(Duration::from_millis(10));
    }
}
