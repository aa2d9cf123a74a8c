//! What is under test: a pool, opened again for each cell, and one signer of it at a time.

use std::fs;

use privyseal_core::RsaPublicKey;
use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{Error, Pkcs11Pool, Pkcs11Uri, PoolOptions};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::target::Target;

pub(crate) struct Subject {
    pool: Pkcs11Pool,
}

impl Subject {
    pub(crate) fn open(target: &Target) -> Result<Self, Error> {
        let uri: Pkcs11Uri = target.uri(&FaultShim::module()).parse().expect("a URI");
        let file = target.pin_file().to_owned();
        let pins = move |_: &SecretRequest| -> Result<Secret, SecretUnavailable> {
            let pin = fs::read_to_string(&file).expect("the PIN file");
            Secret::new(pin.trim_end())
        };
        let pool = Pkcs11Pool::open(&uri, pins, PoolOptions::default())?;
        Ok(Self { pool })
    }

    pub(crate) fn public_key(&self) -> &RsaPublicKey {
        self.pool.public_key()
    }

    /// The message of an error: what a person gets to see.
    pub(crate) fn mint(&mut self, minter: &Minter, jti: &str) -> Result<String, String> {
        let mut signer = self.pool.signer().map_err(|error| error.to_string())?;
        minter
            .mint(&mut signer, jti)
            .map_err(|error| error.to_string())
    }
}
