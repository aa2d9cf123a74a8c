//! iSHARE: ask a participant registry about a party, and believe nothing that is not proved.
//!
//! ```console
//! $ cargo run --example ishare -- KEY_URI REGISTRY_ID BASE_URL TRUST_FILE PARTY_ID [CA_FILE]
//! ```
//! The PIN comes from the URI's `pin-source` or from `PRIVYSEAL_PIN`; the chain lies beside the key, and the
//! client's party id is in its first certificate.

#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;
use std::process::ExitCode;

use privyseal::schemes::ishare::{Expected, IshareError, PartyQuery, Registry};
use privyseal::{AssertionOptions, Certificates, Client, Error, Http, HttpOptions, Roots, Server};
use privyseal_core::scheme::ISHARE;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [key, registry_id, base, trust, party, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: ishare KEY_URI REGISTRY_ID BASE_URL TRUST_FILE PARTY_ID [CA_FILE]");
        return ExitCode::from(2);
    };
    match look_up(key, registry_id, base, trust, party, rest.first()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn look_up(
    key: &str,
    registry_id: &str,
    base: &str,
    trust: &str,
    party: &str,
    ca: Option<&String>,
) -> Result<(), Error> {
    let roots = ca.map(|file| Roots::from_file(file.as_ref())).transpose()?;
    let http = HttpOptions::default().roots(roots.unwrap_or_default());
    // The party id is in the leaf certificate.
    let client = Client::builder(&ISHARE)
        .key(key.parse()?)
        .http(Http::new(&http))
        .open()?;

    // The registry is the audience of the assertion, and the issuer of what it says.
    let options = AssertionOptions::default().audience(registry_id);
    let server = Server::new(base.parse()?).assertion(options);
    let token = client.token(&server)?;

    let trust = Certificates::from_file(trust.as_ref())?;
    let client_id = client.source().client_id().as_str();
    let expected = Expected::new(registry_id, client_id, &trust);
    let registry = Registry::new(client.http(), server.base(), &token, expected);
    let party = registry.party(PartyQuery::Id(party))?;
    println!("{party}");
    party.check_active().map_err(IshareError::Party)?;
    println!("{}", registry.trusted_list()?);
    Ok(())
}
