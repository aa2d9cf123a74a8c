//! What a new key should be, on any kind of token.

options! {
    /// A new key: RSA, signs only, and never leaves its token.
    pub struct NewKey {
        /// Bits of the modulus.
        bits: u32 = 2048,
        /// Whether the token wants the PIN for every signature (`CKA_ALWAYS_AUTHENTICATE`).
        always_authenticate: bool = false,
        /// YubiHSM: its one domain, from 1 to 16. Key, authentication key and certificates must share it.
        domain: u8 = 1,
    }
}
