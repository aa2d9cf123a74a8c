//! The command `privyseal`: parse the command line, run, say how it ended. One file per subcommand; all that
//! they do is in the libraries.

#![warn(clippy::print_stderr)]

mod advice;
#[cfg(feature = "agent")]
mod agent;
mod chain;
mod check;
mod ciba;
mod completions;
mod csr;
mod device;
mod doctor;
mod error;
mod exit;
mod hardening;
mod input;
mod ishare;
mod jwks;
mod keys;
mod log;
mod login;
mod man;
mod options;
mod output;
mod profile;
mod progress;
mod receiver;
mod redact;
mod rotate;
mod scan;
mod session;
mod sign;
mod token;
mod verify;
mod yubihsm;

use core::error::Error as _;
use core::time::Duration;
use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use error::CliError;
use exit::Exit;
use options::ProfileChoice;
use output::say;
use privyseal_hsm::lock;
use privyseal_pkcs11::{ModuleTrouble, on_module_trouble, try_modules_by};
use redact::redacted;

const AFTER_HELP: &str = "\
Keys are named by URIs (RFC 7512):
  pkcs11:token=T;object=K?module-path=/usr/lib/M.so&pin-source=file:/run/pin
  yubihsm:host=127.0.0.1;port=12345;auth-key=2;key-id=100?pin-source=file:/run/pin
  device:/dev/ttyACM0 or device:unix:PATH, a gateway that builds its assertions itself;
    ?baud=N is its speed, ?key-sha256=HEX the one key that is expected there

The PIN comes from pin-source, from PRIVYSEAL_PIN, or is asked for on the terminal. A wrong PIN costs
one try; the last one is kept unless --spend-final-pin-try is given.

Exit codes: 0 done; 1 a rule is broken or a token was refused; 2 wrong usage; 3 trouble with the key,
its token or the PIN; 4 trouble with the server or the network; 5 check: no rule is broken, but trust was
not judged; 6 the result could not be written; 7 what came is printed, but UserInfo is
missing or an id_token could not be judged; 8 another program has the gateway's line, or its rate limit is reached.";

/// Client assertions signed by a key that never leaves its hardware.
#[derive(Parser)]
#[command(name = "privyseal", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Has each of these subcommands run itself.
macro_rules! runs {
    ($command:ident: $($(#[$meta:meta])* $one:ident)+) => {
        impl $command {
            pub(crate) fn run(self) -> Result<(), CliError> {
                match self {
                    $($(#[$meta])* Self::$one(it) => it.run(),)+
                }
            }
        }
    };
}
use runs;

runs! {
    Command: Sign Token Ishare Receiver Login Refresh Logout Revoke Introspect Ciba Chain Check Verify Keys Yubihsm Jwks
        Rotate Csr Device Doctor Profile #[cfg(feature = "agent")] Agent Completions Man
}

#[derive(Subcommand)]
enum Command {
    Sign(sign::Sign),
    Token(token::Token),
    #[command(subcommand)]
    Ishare(ishare::Ishare),
    #[command(subcommand)]
    Receiver(receiver::Receiver),
    Login(login::Login),
    Refresh(session::Refresh),
    Logout(session::Logout),
    Revoke(session::Revoke),
    Introspect(session::Introspect),
    Ciba(ciba::Ciba),
    Chain(chain::Chain),
    Check(check::Check),
    Verify(Box<verify::Verify>),
    Keys(keys::Keys),
    #[command(subcommand)]
    Yubihsm(yubihsm::Yubihsm),
    Jwks(jwks::Jwks),
    #[command(subcommand)]
    Rotate(rotate::Rotate),
    Csr(csr::Csr),
    #[command(subcommand)]
    Device(device::Device),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    #[cfg(feature = "agent")]
    Agent(agent::Agent),
    Completions(completions::Completions),
    Man(man::Man),
}

fn main() -> ExitCode {
    hardening::harden();
    let exit = exit_of_run();
    if privyseal_pkcs11::is_module_called() {
        // At the usual end the loader waits for it.
        hardening::end_at_once(exit);
    }
    exit.code().into()
}

fn exit_of_run() -> Exit {
    let arguments: Vec<_> = env::args_os().collect();
    let done = completions::answer().map_err(Failure::Usage);
    match done.and_then(|is_answered| if is_answered { Ok(()) } else { run(&arguments) }) {
        Ok(()) => Exit::Done,
        Err(Failure::Run(error)) => {
            report(&error);
            Exit::of(&error)
        }
        Err(Failure::Usage(error)) => {
            // Help and version go to standard output, what is wrong to standard error.
            if error.use_stderr() {
                say!("{}", redacted(error.render().to_string().trim_end()));
                Exit::Usage
            } else {
                let printed = output::output_is_open().and_then(|()| error.print());
                let printed = printed.and_then(|()| io::stdout().flush());
                printed.map_or(Exit::Output, |()| Exit::Done)
            }
        }
    }
}

/// How long a call of a module may take, where a person or a script waits for it.
const CALL_LIMIT: Duration = Duration::from_secs(300);

/// Says so of a module; where it ends the process, or nothing can come of the call any more, with the code for that.
fn module_trouble(trouble: &ModuleTrouble<'_>, limit: Duration) {
    match trouble {
        ModuleTrouble::SlowStart { path, left, .. } => {
            let (path, left) = (path.display(), left.as_secs());
            say!(
                "waiting for PKCS #11 module {path}, or another process that uses it, {left} s more at most"
            );
        }
        ModuleTrouble::SlowCall {
            path,
            function,
            waited,
            ..
        } => {
            let (path, seconds) = (path.display(), waited.as_secs());
            if *waited < limit || *function == "C_GenerateKeyPair" {
                say!(
                    "waiting for {function} of PKCS #11 module {path} for {seconds} s: for a PIN pad, a touch, or its server, perhaps"
                );
                return;
            }
            say!(
                "error: {function} of PKCS #11 module {path} did not end in {seconds} s; if it was C_Login, it may have cost a PIN try"
            );
            hardening::end_at_once(Exit::Key);
        }
        ModuleTrouble::Crash { path, reason, .. } => {
            static SAID: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
            if lock(&SAID).insert(path.to_path_buf()) {
                let path = path.display();
                say!("warning: PKCS #11 module {path} is left out: {reason}");
            }
        }
        ModuleTrouble::Exit { path, function, .. } => {
            let path = path.display();
            say!("error: the PKCS #11 module {path} ended this process in {function}");
            hardening::end_at_once(Exit::Key);
        }
        _ => {}
    }
}

enum Failure {
    /// The command line is wrong, or asks for help.
    Usage(clap::Error),
    Run(CliError),
}

fn run(arguments: &[OsString]) -> Result<(), Failure> {
    #[cfg(feature = "agent")]
    if agent::Asking::is_meant(arguments) {
        let command = log::with_options(agent::Asking::command());
        let matches = command.try_get_matches_from(arguments);
        let matches = matches.map_err(Failure::Usage)?;
        log::begin(&matches);
        let asking = agent::Asking::from_arg_matches(&matches).map_err(Failure::Usage)?;
        return asking.run().map_err(Failure::Run);
    }
    let (cli, matches) = parse(arguments)?;
    log::begin(&matches);
    on_module_trouble(if cli.command.serves() {
        |trouble| module_trouble(trouble, Duration::MAX)
    } else {
        |trouble| module_trouble(trouble, CALL_LIMIT)
    });
    try_modules_by(scan::try_out);
    hardening::keep_output_for_results();
    cli.command.run().map_err(Failure::Run)
}

fn parse(arguments: &[OsString]) -> Result<(Cli, ArgMatches), Failure> {
    let choice = ProfileChoice::of(arguments);
    let command = choice.apply(command()).map_err(Failure::Run)?;
    let matches = command
        .try_get_matches_from(arguments)
        .map_err(Failure::Usage)?;
    let cli = Cli::from_arg_matches(&matches).map_err(Failure::Usage)?;
    Ok((cli, matches))
}

/// The command line with all that it offers.
fn documented() -> clap::Command {
    options::with_profile_options(command())
}

/// The command line, without what a profile says.
fn command() -> clap::Command {
    log::with_options(Cli::command())
}

impl Command {
    /// Whether it answers others, who need not wait for a call that hangs.
    const fn serves(&self) -> bool {
        match self {
            Self::Receiver(_) => true,
            #[cfg(feature = "agent")]
            Self::Agent(_) => true,
            _ => false,
        }
    }
}

/// One cause per line, the nearest first.
fn report(error: &CliError) {
    let mut said = error.to_string();
    say!("error: {}", redacted(&said));
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Some errors name their cause already.
        if !said.contains(&text) {
            say!("caused by: {}", redacted(&text));
            said = text;
        }
        source = cause.source();
    }
    if let Some(advice) = advice::of(error) {
        say!("help: {advice}");
    }
}

#[cfg(test)]
mod tests;
