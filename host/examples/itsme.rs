//! itsme: who a person is, by their phone. A QR code is written to a file until it is scanned; then the
//! person confirms, and the claims about them come.
//!
//! ```console
//! $ cargo run --example itsme -- KEY_URI DECRYPTION_KEY_URI KID CLIENT_ID ISSUER SERVICE QR_FILE [CA_FILE]
//! ```
//! The PIN comes from the URI's `pin-source` or from `PRIVYSEAL_PIN`.

#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use privyseal::base::runtime::SystemRuntime;
use privyseal::jose::jwk::KidChoice;
use privyseal::oauth::AuthenticationOptions;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::ciba::{Ciba, CibaFlow, QrImage, State, Watcher};
use privyseal::oidc::provider::Provider;
use privyseal::{Client, Error, Http, HttpOptions, KeyUri, Prompt, Roots, SignerOptions};
use privyseal_core::scheme::ITSME;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [
        key,
        decryption_key,
        kid,
        client_id,
        issuer,
        service,
        qr,
        rest @ ..,
    ] = arguments.as_slice()
    else {
        eprintln!(
            "usage: itsme KEY_URI DECRYPTION_KEY_URI KID CLIENT_ID ISSUER SERVICE QR_FILE [CA_FILE]"
        );
        return ExitCode::from(2);
    };
    let mut asked = AuthenticationOptions::default();
    asked.scope = format!("openid service:{service}");
    let keys = [key.as_str(), decryption_key];
    match subject(keys, kid, client_id, issuer, &asked, qr, rest.first()) {
        Ok(subject) => {
            println!("{subject}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn subject(
    keys: [&str; 2],
    kid: &str,
    client_id: &str,
    issuer: &str,
    asked: &AuthenticationOptions,
    qr: &str,
    ca: Option<&String>,
) -> Result<String, Error> {
    let [key, decryption_key] = keys.map(str::parse::<KeyUri>);
    let (key, decryption_key) = (key?, decryption_key?);
    let client = Client::builder(&ITSME)
        .key(key)
        .client_id(client_id)
        .kid(KidChoice::Given(kid.to_owned()))
        .signing_client()?;
    let mut pins = decryption_key.pin_sources(Prompt::Never, |warning| eprintln!("{warning}"));
    let unwrapper = decryption_key.open_unwrapper(&mut pins, &SignerOptions::default())?;

    let roots = ca.map(|file| Roots::from_file(file.as_ref())).transpose()?;
    let http = Http::new(&HttpOptions::default().roots(roots.unwrap_or_default()));
    let provider = Arc::new(Provider::discover(&http, issuer)?);
    let mut party = RelyingParty::new(Arc::new(client), http, provider);
    party.unwrappers = vec![unwrapper];
    let mut flow = Ciba::new(&party, SystemRuntime::default());
    // What would fail after the person has confirmed fails now.
    flow.prepare(asked, true)?;
    let mut watcher = QrFile(qr.into());
    let mut person = CibaFlow::begin(asked);
    let done = flow.run(&mut person, None, None, &mut watcher)?;
    let subject = done.map(|person| person.subject().to_owned());
    Ok(subject.unwrap_or_default())
}

/// Where the QR code is written to.
struct QrFile(PathBuf);

impl Watcher for QrFile {
    fn qr_code(&mut self, image: &QrImage) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(fs::write(&self.0, image.as_bytes())?)
    }

    fn waiting(&mut self, _state: State, _left: Duration) {}
}
