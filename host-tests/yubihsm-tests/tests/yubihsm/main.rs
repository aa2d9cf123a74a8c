//! The YubiHSM signer against the simulator, and the simulator against Yubico's own client.

#![allow(
    clippy::unwrap_used,
    clippy::type_complexity,
    reason = "a test that cannot go on fails"
)]

mod audit;
mod connectors;
mod faults;
mod hangs;
mod memory;
mod provision;
mod python;
mod sessions;
mod signing;
mod unwrapping;

use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_test_simulators::yubihsm_sim::{
    FACTORY_PASSWORD, SEAL_CHAIN as CHAIN, SEAL_KEY as KEY, SEAL_LABEL as LABEL, YubihsmSim,
};
use privyseal_yubihsm::{Error, YubihsmSigner, YubihsmUri};

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
