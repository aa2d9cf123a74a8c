//! The names of attributes.

use std::fmt;

/// An attribute of a `yubihsm:` URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the attribute of its name")]
pub enum Attribute {
    Host,
    Port,
    Usb,
    Serial,
    AuthKey,
    KeyId,
    CertIds,
    CertLabel,
    PinSource,
    PinValue,
    Timeout,
    SessionWait,
    AuditDir,
}

impl Attribute {
    const ALL: [Self; 13] = [
        Self::Host,
        Self::Port,
        Self::Usb,
        Self::Serial,
        Self::AuthKey,
        Self::KeyId,
        Self::CertIds,
        Self::CertLabel,
        Self::PinSource,
        Self::PinValue,
        Self::Timeout,
        Self::SessionWait,
        Self::AuditDir,
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|attribute| attribute.name() == name)
    }

    /// The name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Port => "port",
            Self::Usb => "usb",
            Self::Serial => "serial",
            Self::AuthKey => "auth-key",
            Self::KeyId => "key-id",
            Self::CertIds => "cert-ids",
            Self::CertLabel => "cert-label",
            Self::PinSource => "pin-source",
            Self::PinValue => "pin-value",
            Self::Timeout => "timeout",
            Self::SessionWait => "session-wait",
            Self::AuditDir => "audit-dir",
        }
    }

    /// Whether it belongs to the query.
    pub(super) const fn is_of_query(self) -> bool {
        matches!(
            self,
            Self::PinSource | Self::PinValue | Self::Timeout | Self::SessionWait | Self::AuditDir
        )
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
