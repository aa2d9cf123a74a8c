//! eHealth I.AM Connect: an access token of a realm, for a key that the realm knows by its `kid`.
//!
//! ```console
//! $ cargo run --example ehealth -- KEY_URI CLIENT_ID ROOT_URL REALM KID [CA_FILE]
//! ```
//! The PIN comes from the URI's `pin-source` or from `PRIVYSEAL_PIN`.

#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;
use std::process::ExitCode;

use privyseal::jose::jwk::KidChoice;
use privyseal::{AssertionOptions, Client, Error, Http, HttpOptions, Roots, Server};
use privyseal_core::id::AudienceBuf;
use privyseal_core::scheme::EHEALTH;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [key, client_id, root, realm, kid, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: ehealth KEY_URI CLIENT_ID ROOT_URL REALM KID [CA_FILE]");
        return ExitCode::from(2);
    };
    match lifetime(key, client_id, root, realm, kid, rest.first()) {
        Ok(seconds) => {
            println!("an access token for {seconds} s");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn lifetime(
    key: &str,
    client_id: &str,
    root: &str,
    realm: &str,
    kid: &str,
    ca: Option<&String>,
) -> Result<u64, Error> {
    let roots = ca.map(|file| Roots::from_file(file.as_ref())).transpose()?;
    let http = HttpOptions::default().roots(roots.unwrap_or_default());
    let client = Client::builder(&EHEALTH)
        .key(key.parse()?)
        .client_id(client_id)
        .kid(KidChoice::Given(kid.to_owned()))
        .http(Http::new(&http))
        .open()?;

    // The issuer of the realm is the audience, and what the paths are below.
    let issuer = AudienceBuf::realm(root, realm)?;
    let issuer = issuer.as_audience().as_str();
    let server =
        Server::new(issuer.parse()?).assertion(AssertionOptions::default().audience(issuer));
    let token = client.token(&server)?;
    Ok(token.expires_in().unwrap_or(0))
}
