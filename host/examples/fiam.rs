//! KPN FIAM: an access token, and the contracts of a data consumer, page by page.
//!
//! ```console
//! $ cargo run --example fiam -- KEY_URI CLIENT_ID [BASE_URL [CA_FILE]]
//! ```
//! The PIN comes from the URI's `pin-source` or from `PRIVYSEAL_PIN`; the chain lies beside the key.

#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;
use std::process::ExitCode;

use privyseal::{
    AccessPolicy, AssertionOptions, BaseUrl, Error, Http, HttpOptions, KeyUri, PinSources, Prompt,
    Roots, SigningClient, TokenSource, pki::party_id, schemes::fiam, self_test,
};
use privyseal_core::scheme::FIAM;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [key, client_id, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: fiam KEY_URI CLIENT_ID [BASE_URL [CA_FILE]]");
        return ExitCode::from(2);
    };
    match contracts(key, client_id, rest) {
        Ok(count) => {
            eprintln!("{count} contracts");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            error.exit().code().into()
        }
    }
}

fn contracts(key: &str, client_id: &str, rest: &[String]) -> Result<usize, Error> {
    // Once, at the start of the application: key, PIN, chain.
    let key: KeyUri = key.parse()?;
    let mut pins = PinSources::new(&key, Prompt::Never, |warning| eprintln!("{warning}"));
    let mut signer = key.open(&mut pins, &AccessPolicy::default())?;
    self_test(&mut signer)?;
    let certificates = signer.certificates()?;
    let client_id = party_id::given(&FIAM, client_id)?;
    let client = SigningClient::new(&FIAM, client_id, certificates.chain()?, signer)?;

    // The public server and the machine's roots, or those that were named.
    let public = FIAM.token_request.base_url.map_or("", |rule| rule.value);
    let base = rest.first().map_or(public, String::as_str);
    let base: BaseUrl = base.parse().map_err(privyseal::oauth::OAuthError::from)?;
    let roots = rest.get(1).map(|file| Roots::from_file(file.as_ref()));
    let http = Http::new(&HttpOptions {
        roots: roots.transpose()?.unwrap_or_default(),
        ..HttpOptions::default()
    });

    // Kept like the client: it has a token until shortly before that expires, and asks for another with a new
    // assertion; of a server that is busy, again.
    let tokens = TokenSource::new(http.clone(), base.clone(), AssertionOptions::default());
    let token = tokens.token(&client)?;
    let mut count = 0;
    for page in fiam::contracts(&http, &base, &token)? {
        for contract in page?.records {
            println!("{contract}");
            count += 1;
        }
    }
    Ok(count)
}
