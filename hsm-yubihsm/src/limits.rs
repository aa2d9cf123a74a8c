//! Every maximum of this crate, in one place. Sizes are in bytes unless a name says otherwise.

use std::time::Duration;

/// A `yubihsm:` URI, written out. Two file paths of 4 KiB, fully percent-encoded, fit.
pub(crate) const MAX_URI: usize = 32 * 1024;

/// A password. The device keeps only keys derived from it; `yubihsm-shell` reads at most 256 bytes.
pub(crate) const MAX_PASSWORD: usize = 256;

/// A host name (RFC 1035 section 2.3.4), or an IPv6 address in brackets.
pub(crate) const MAX_HOST: usize = 255;

/// The label of an object on the device.
pub(crate) const MAX_LABEL: usize = 40;

/// Certificates of one chain that are read from the device: as many as the core takes.
pub(crate) const MAX_CERTIFICATES: usize = privyseal_core::limits::MAX_CERTIFICATES;

/// A certificate from an opaque object, after decompression: what the core takes for a whole chain.
pub(crate) const MAX_CERTIFICATE: usize = privyseal_core::limits::MAX_CHAIN_DER;

/// Bytes of an object that one message can store: a message has 2048 for firmware older than 2.4, and for the `yubihsm` crate.
pub(crate) const MAX_STORED: usize = 1968;

/// How long one command may take. RSA-4096 takes a device half a second.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The shortest and the longest `timeout` of a URI.
pub(crate) const CALL_TIMEOUTS: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(60));

/// How long the generation of a key may take. The `yubihsm` crate itself gives up after 20 s.
pub(crate) const GENERATE_TIMEOUT: Duration = Duration::from_secs(25);

/// How long to wait for one of the device's 16 sessions: it frees one that was idle for 30 s.
pub(crate) const SESSION_WAIT: Duration = Duration::from_secs(31);

/// The shortest and the longest `session-wait` of a URI.
pub(crate) const SESSION_WAITS: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(60));

/// Commands that may hang at the same time before new ones are refused at once. Each holds a thread and
/// perhaps a session.
pub(crate) const MAX_STUCK: usize = 4;

/// Entries of the device's log.
pub(crate) const LOG_CAPACITY: usize = 62;

/// Signatures after which the log is drained, if there is an audit directory. One is at most three
/// entries; the other two thirds of the log are for other users of the device.
pub(crate) const DRAIN_EVERY: u32 = 8;

/// A file of the audit directory. An entry is 81 bytes, so this is 800,000 of them.
pub(crate) const MAX_AUDIT_FILE: usize = 64 * 1024 * 1024;
