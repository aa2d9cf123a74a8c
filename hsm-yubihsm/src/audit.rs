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

use privyseal_hsm::SecretProvider;

use crate::device::Device;
pub use crate::error::AuditError;
use crate::error::Error;
use crate::uri::YubihsmUri;
pub use directory::{AuditDir, Drained};
pub use entry::{LogDigest, LogEntry, verify};
pub use reconcile::{AuditFinding, Reconciliation, reconcile};
pub use signatures::{PendingSignature, SignatureCount};

/// Opens the device that `uri` names, and its audit directory if it names one. The log is drained there before any command
/// that is logged: with force-audit a full one would refuse all of them.
///
/// # Errors
/// As [`Device::open`] and [`AuditDir::drain`].
pub fn open(
    uri: &YubihsmUri,
    passwords: &mut dyn SecretProvider,
) -> Result<(Device, Option<AuditDir>), Error> {
    let audit = uri.audit_dir().map(AuditDir::open).transpose()?;
    let device = Device::open(uri, passwords)?;
    if let Some(audit) = &audit {
        audit.drain(&device)?;
    }
    Ok((device, audit))
}
