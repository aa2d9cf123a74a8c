//! Several ways to a key: connectors of one device, or devices with the same key.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use privyseal::{AssertionOptions, Client, ClientBuilder};
use privyseal_core::scheme::FIAM;
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};

use super::password;

/// A port on which nobody listens.
fn nobody() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn another_connector_serves_when_one_is_away_or_dies() {
    let [first, second] = [(); 2].map(|()| YubihsmSim::with_seal(Duration::from_secs(30)).0);
    let ports = [nobody(), first.port(), second.port()];
    let uris = ports.map(|port| format!("yubihsm:host=127.0.0.1;port={port};key-id=100"));
    let keys = uris.iter().map(|uri| uri.parse().unwrap());
    let client = keys
        .fold(Client::builder(&FIAM), ClientBuilder::key)
        .client_id("EU.EORI.NL123456789")
        .pins(password(FACTORY_PASSWORD))
        .open()
        .unwrap();
    let sign = || client.assertion(&AssertionOptions::default()).unwrap();
    (0..4).for_each(|_| drop(sign()));
    assert!(first.signatures() > 0);
    drop(first);
    let before = second.signatures();
    (0..4).for_each(|_| drop(sign()));
    assert_eq!(second.signatures(), before + 4);
}
