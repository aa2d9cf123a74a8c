//! The YubiHSM signer against the simulator, and the simulator against Yubico's own client.

#![allow(
    clippy::unwrap_used,
    clippy::type_complexity,
    reason = "a test that cannot go on fails"
)]

mod audit;
mod command;
mod commands;
mod faults;
mod hangs;
mod provision;
mod python;
mod sessions;
mod signing;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use privyseal_host_tests::pki::{TestKey, TestPki, test_key};
use privyseal_host_tests::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};
use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_yubihsm::{Error, YubihsmSigner, YubihsmUri};

const KEY: u16 = 100;
const CHAIN: u16 = 101;
const LABEL: &str = "eSeal";

/// The factory's password, or whichever the test wants.
fn password(text: &str) -> impl FnMut(&SecretRequest) -> Result<Secret, SecretUnavailable> {
    move |_| Secret::new(text)
}

fn uri(sim: &YubihsmSim, rest: &str) -> YubihsmUri {
    sim.uri(rest).parse().unwrap()
}

fn open(uri: &YubihsmUri) -> Result<YubihsmSigner, Error> {
    YubihsmSigner::open(uri, &mut password(FACTORY_PASSWORD))
}

/// A simulator with a key and its chain; the key and the chain.
fn stage(idle: Duration) -> (YubihsmSim, TestKey, Vec<Vec<u8>>) {
    let key = test_key("seal", 2048);
    let chain = TestPki::new().seal_chain(&key);
    let sim = YubihsmSim::with_idle(idle);
    sim.import_key(KEY, LABEL, &key);
    sim.store_certificates(CHAIN, LABEL, &chain);
    (sim, key, chain)
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
