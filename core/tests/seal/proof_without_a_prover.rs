//! A chain that nobody proved, called proven, and one as the name of a key.

use privyseal_core::cert::{Chain, ProvenChain, RsaLinks};
use privyseal_core::credential::KeyName;

fn called_proven(chain: Chain<'_>) -> ProvenChain<'_> {
    ProvenChain(chain, std::marker::PhantomData::<RsaLinks>)
}

fn name<'a>(chain: &'a Chain<'a>) -> KeyName<'a> {
    KeyName::chain(chain)
}

fn main() {}
