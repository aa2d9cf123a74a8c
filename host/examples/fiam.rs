//! KPN FIAM: an access token, and the contracts of a data consumer, page by page.
//!
//! ```console
//! $ cargo run --example fiam -- KEY_URI CLIENT_ID [BASE_URL [CA_FILE]]
//! ```
//! The PIN comes from the URI's `pin-source` or from `PRIVYSEAL_PIN`; the chain lies beside the key.

#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;
use std::process::ExitCode;

use privyseal::{BaseUrl, Client, Error, Http, HttpOptions, Roots, Server, schemes::fiam};
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
            ExitCode::FAILURE
        }
    }
}

fn contracts(key: &str, client_id: &str, rest: &[String]) -> Result<usize, Error> {
    // The public server and the machine's roots, or those that were named.
    let public = FIAM
        .token_request()
        .base_url()
        .map_or("", |rule| rule.value());
    let base: BaseUrl = rest.first().map_or(public, String::as_str).parse()?;
    let roots = rest.get(1).map(|file| Roots::from_file(file.as_ref()));
    let http = HttpOptions::default().roots(roots.transpose()?.unwrap_or_default());

    // Once, at the start of the application: key, PIN, chain. Clones of it serve all threads.
    let client = Client::builder(&FIAM)
        .key(key.parse()?)
        .client_id(client_id)
        .http(Http::new(&http))
        .open()?;
    let server = Server::new(base);

    // Kept until shortly before it expires; then there is another one, by a new assertion.
    let token = client.token(&server)?;
    let mut count = 0;
    for page in fiam::contracts(client.http(), server.base(), &token)? {
        for contract in page?.records {
            println!("{contract}");
            count += 1;
        }
    }
    Ok(count)
}
