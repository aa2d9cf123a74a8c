//! Every maximum of this crate, in one place. Sizes are in bytes unless a name says otherwise.

use std::time::Duration;

/// A `pkcs11:` URI, written out. The longest sensible one (every attribute at its PKCS #11 maximum and
/// fully percent-encoded, two file paths of 4 KiB) is shorter.
pub(crate) const MAX_URI: usize = 16 * 1024;

/// A PIN. `CK_TOKEN_INFO` names the token's own maximum; SoftHSM's 255 is the largest seen.
pub(crate) const MAX_PIN: usize = 255;

/// `CKA_ID` in a URI. PKCS #11 sets no maximum; identifiers in use are 1 to 32 bytes, hashes up to 64.
pub(crate) const MAX_ID: usize = 256;

/// Certificates in the chain that is read from a token: as many as a chain of the core may hold.
pub(crate) const MAX_CERTIFICATES: usize = privyseal_core::limits::MAX_CERTIFICATES;

/// Sessions that `max-sessions` of a URI may ask for. Network HSMs allow a client a few hundred.
pub(crate) const MAX_SESSIONS: u32 = 1024;

/// Sessions of a pool where neither the URI nor the caller says how many.
pub(crate) const DEFAULT_SESSIONS: u32 = 8;

/// How long a pool waits for a free session where the caller does not say.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// How long a re-initialization of the module waits for calls that are under way, and calls for a
/// re-initialization.
pub(crate) const REINITIALIZE_WAIT: Duration = Duration::from_secs(5);

/// How often it is looked whether a lock is free.
pub(crate) const LOCK_POLL: Duration = Duration::from_millis(1);

/// How long the module is not initialized once more where that did not help.
pub(crate) const RECOVERY_COOLDOWN: Duration = Duration::from_secs(30);

/// p11-kit's file about a module, which has a few lines.
pub(crate) const MAX_MODULE_FILE: u64 = 64 * 1024;

/// How long the certificates that were read when a key was opened are not read again.
pub(crate) const CERTIFICATES_FRESH: Duration = Duration::from_secs(5);

/// How long a library may take to be loaded and initialized: smartcard readers and network HSMs are looked for.
pub(crate) const INITIALIZE_WAIT: Duration = Duration::from_secs(20);

/// After which it is said that one takes its time.
pub(crate) const SLOW_AFTER: Duration = Duration::from_secs(1);

/// After which it is said that a call takes its time: a card signs in a second or two, a PIN pad waits for a person.
pub(crate) const CALL_SLOW_AFTER: Duration = Duration::from_secs(5);

/// How often it is looked for such a call.
pub(crate) const SLOW_POLL: Duration = Duration::from_secs(1);

/// How long a call waits for another of a module that takes one at a time.
pub(crate) const CALL_WAIT: Duration = Duration::from_secs(10);

/// How long a start waits for other processes that initialize the module, look for tokens or log in.
pub(crate) const START_WAIT: Duration = Duration::from_secs(5);

/// How long a login does. The one that it waits for hangs then, and costs one try at most.
pub(crate) const LOGIN_WAIT: Duration = Duration::from_secs(10);

/// How long a change of a token waits for another: a card makes an RSA key in half a minute.
pub(crate) const CHANGE_WAIT: Duration = Duration::from_secs(60);

/// How long to wait before SoftHSM is initialized again, which misread its tokens because another process wrote to them.
/// In milliseconds.
pub(crate) const RACE_PAUSES: [u64; 6] = [10, 20, 40, 80, 160, 320];

/// Mechanisms of a token that are read. NSS has the most, 200.
pub(crate) const MAX_MECHANISMS: usize = 1024;

/// Slots of a module that are looked at.
pub(crate) const MAX_SLOTS: usize = 1024;

/// Objects that one search gives.
pub(crate) const MAX_OBJECTS: usize = 65_536;

/// The value of one attribute. The largest is a certificate.
pub(crate) const MAX_ATTRIBUTE: usize = 64 * 1024;

/// Tokens, keys or certificates that a message lists.
pub(crate) const MAX_LISTED: usize = 10;
