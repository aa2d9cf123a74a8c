//! A buffer that shows other bytes than were written into it.

use privyseal_core::kid::Kid;
use privyseal_core::scheme::ITSME;
use privyseal_core::{ClientId, Credential, RsaPublicKey};

struct Liar([u8; 128]);

impl AsRef<[u8]> for Liar {
    fn as_ref(&self) -> &[u8] {
        b"other bytes than were written"
    }
}

impl AsMut<[u8]> for Liar {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

fn credential(id: ClientId, kid: Kid<'_>, key: &RsaPublicKey) {
    let _ = Credential::with_kid(&ITSME, id, kid, key, Liar([0; 128]));
}

fn main() {}
