//! eHealth I.AM Connect: an access token of a realm, for a key that the realm knows by its `kid`.
//!
//! ```console
//! $ cargo run --example ehealth -- KEY_URI CLIENT_ID ROOT_URL REALM KID [CA_FILE]
//! ```
//! The PIN comes from the URI's `pin-source` or from `PRIVYSEAL_PIN`.

#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;
use std::process::ExitCode;

use privyseal::{
    AccessPolicy, AssertionOptions, BaseUrl, Error, Http, HttpOptions, KeyUri, PinSources, Prompt,
    Roots, SigningClient, TokenSource, pki::party_id,
};
use privyseal_core::id::AudienceBuf;
use privyseal_core::kid::Kid;
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
            error.exit().code().into()
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
    let key: KeyUri = key.parse()?;
    let mut pins = PinSources::new(&key, Prompt::Never, |warning| eprintln!("{warning}"));
    let signer = key.open(&mut pins, &AccessPolicy::default())?;
    let client_id = party_id::given(&EHEALTH, client_id)?;
    let client = SigningClient::with_kid(&EHEALTH, client_id, Kid::new(kid)?, signer)?;

    // The issuer of the realm is the audience, and what the paths are below.
    let issuer = AudienceBuf::realm(root, realm)?;
    let issuer = issuer.as_audience().as_str();
    let base: BaseUrl = issuer.parse().map_err(privyseal::oauth::OAuthError::from)?;
    let roots = ca.map(|file| Roots::from_file(file.as_ref())).transpose()?;
    let http = Http::new(&HttpOptions {
        roots: roots.unwrap_or_default(),
        ..HttpOptions::default()
    });
    let options = AssertionOptions::default().audience(issuer);
    // Make one and keep it: it has a token until shortly before that expires.
    let tokens = TokenSource::new(http, base, options);
    let token = tokens.token(&client)?;
    Ok(token.expires_in().unwrap_or(0))
}
