//! What a caller that opens a key may decide.

use crate::fitness::KeyPolicy;
use crate::secret::LoginPolicy;

options! {
    /// How a signer is opened. The default is careful.
    pub struct SignerOptions {
        /// What a login may cost. A YubiHSM counts no tries.
        login: LoginPolicy = LoginPolicy::default(),
        /// What the key must be.
        key: KeyPolicy = KeyPolicy::default(),
        /// Keep the PIN in memory (wiped when the signer goes) and use it for later logins instead of asking
        /// again: after a lost login, and for each signature of a key with `CKA_ALWAYS_AUTHENTICATE`. A session
        /// with a YubiHSM keeps what it needs anyway.
        keep_pin: bool = false,
    }
}
