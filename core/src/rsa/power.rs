//! RSAVP1's power (RFC 8017 section 5.2.2), in portable arithmetic or with special instructions.

use crypto_bigint::{Limb, Uint};

use super::montgomery;

/// Powers modulo a public key's modulus of `L` limbs, with the key's exponent.
pub(super) trait Power<const L: usize> {
    fn modulus(&self) -> Uint<L>;

    /// `base` to the exponent, modulo the modulus; `base` must be below it.
    fn power(&self, base: &[Limb; L]) -> [Limb; L];
}

impl<const L: usize, const W: usize> Power<L> for montgomery::Modulus<L, W> {
    fn modulus(&self) -> Uint<L> {
        Uint::new(*self.limbs())
    }

    fn power(&self, base: &[Limb; L]) -> [Limb; L] {
        self.power(base)
    }
}

#[cfg(target_arch = "x86_64")]
impl Power<{ privyseal_ifma::LIMBS }> for privyseal_ifma::Modulus {
    fn modulus(&self) -> Uint<{ privyseal_ifma::LIMBS }> {
        Uint::from_words(*self.limbs())
    }

    fn power(&self, base: &[Limb; privyseal_ifma::LIMBS]) -> [Limb; privyseal_ifma::LIMBS] {
        self.power(&base.map(|limb| limb.0)).map(Limb)
    }
}
