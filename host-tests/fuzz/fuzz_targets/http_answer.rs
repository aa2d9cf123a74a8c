//! What a server answers, from its first byte: head and body, for a list of revoked certificates and for OCSP.
#![no_main]

use std::sync::LazyLock;
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use privyseal::HttpOptions;
use privyseal::http::RevocationFetcher;
use privyseal::pki::revocation::{FetchRevocation as _, RevocationPlaces};
use privyseal_core::UnixTime;
use privyseal_fuzz::server::Server;

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|data: &[u8]| {
    SERVER.answer_with(data.to_vec());
    let fetcher = RevocationFetcher::new(&HttpOptions::default());
    let mut places = RevocationPlaces::default();
    places.lists.push(format!("http://{}/list", SERVER.address()));
    let now = UnixTime::from_secs(1_780_272_000).expect("a moment");
    let lists = fetcher.lists(&places, now, Instant::now());
    let faults = fetcher.take_faults();
    assert!(lists.is_empty() != faults.is_empty(), "a list, or a word why there is none");
    for fault in faults {
        assert!(!fault.contains(char::is_control), "one line, and no more: {fault:?}");
    }
});
