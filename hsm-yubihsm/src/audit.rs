//! The device's log, and whether it agrees with what we did.
//!
//! A YubiHSM 2 writes an entry for each command into a log of 62 entries, chained by digests; with
//! *force-audit* it refuses commands once the log is full, until a client has read it and confirmed that. This
//! module reads it ("drains"), proves the chain, keeps the entries in a directory of ours, and compares:
//! each signature that we made is one `SignPkcs1` entry for our key, and each such entry is a signature of
//! ours. The directory holds two text files, both only ever appended to:
//!
//! - `device-log`: one line for each entry of the device;
//! - `signatures`: a line before a signature is asked for and one when its outcome is known, so that a
//!   crash or a time-out leaves an open one and not a wrong count.

mod directory;
mod entry;
mod reconcile;
mod signatures;

pub use crate::error::AuditError;
pub use directory::{AuditDir, Drained};
pub use entry::{LogDigest, LogEntry, verify};
pub use reconcile::{AuditFinding, Reconciliation, reconcile};
pub use signatures::{PendingSignature, SignatureCount};
