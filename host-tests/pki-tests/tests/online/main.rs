//! Revocation as a CA publishes it: fetched from the certificate's own places, and from nobody who lies.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ca;
mod lists;
mod pinned;
mod responders;
mod server;

use core::time::Duration;

use privyseal::http::RevocationFetcher;
use privyseal::pki::path::{PathError, PathOptions, PathRule};
use privyseal::pki::revocation::{RevocationOptions, Unknown};
use privyseal::{Certificates, HttpOptions};

use ca::Ca;

fn fetcher() -> RevocationFetcher {
    RevocationFetcher::new(&HttpOptions::default().timeout(Duration::from_secs(2)))
}

/// How `leaf` is judged by what `fetcher` gets.
fn judge(ca: &Ca, leaf: &Certificates, fetcher: &RevocationFetcher) -> Result<(), PathRule> {
    let mut revocation = RevocationOptions::default();
    revocation.fetch = Some(fetcher);
    judge_by(ca, leaf, revocation)
}

fn judge_by(
    ca: &Ca,
    leaf: &Certificates,
    revocation: RevocationOptions<'_>,
) -> Result<(), PathRule> {
    let options = PathOptions::at(privyseal::base::clock::now().unwrap());
    match leaf.prove(&ca.root(), &options, revocation) {
        Ok(_) => Ok(()),
        Err(PathError::Broken { position: 0, rule }) => Err(rule),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn assert_unknown(outcome: Result<(), PathRule>) -> Unknown {
    match outcome {
        Err(PathRule::RevocationUnknown(why)) => why,
        other => panic!("{other:?}"),
    }
}
