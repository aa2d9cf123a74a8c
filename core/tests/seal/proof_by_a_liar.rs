//! A chain that signs, proved by who says yes to everything.

use privyseal_core::cert::{Certificate, Chain, LinkError, VerifyLink};
use privyseal_core::scheme::FIAM;
use privyseal_core::{ClientId, Credential, RsaPublicKey};

struct AlwaysYes;

impl VerifyLink for AlwaysYes {
    fn verify(&self, _: &Certificate<'_>, _: &Certificate<'_>) -> Result<(), LinkError> {
        Ok(())
    }
}

fn credential(chain: Chain<'_>, id: ClientId, key: &RsaPublicKey) {
    let chain = chain.prove(&AlwaysYes).unwrap();
    let _ = Credential::new(&FIAM, id, &chain, key, [0; 4096]);
}

fn main() {}
