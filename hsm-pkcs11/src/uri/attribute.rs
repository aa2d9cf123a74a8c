//! The names of attributes.

use std::fmt;

/// An attribute of a `pkcs11:` URI that this crate knows (RFC 7512 sections 2.3 and 2.4,
/// `module-init-args` and `max-sessions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the attribute of its name")]
pub enum Attribute {
    Token,
    Manufacturer,
    Model,
    Serial,
    SlotId,
    SlotDescription,
    SlotManufacturer,
    LibraryDescription,
    LibraryManufacturer,
    LibraryVersion,
    Object,
    Id,
    Type,
    ModuleName,
    ModulePath,
    ModuleInitArgs,
    PinSource,
    PinValue,
    MaxSessions,
}

use Attribute::{
    Id, LibraryDescription, LibraryManufacturer, LibraryVersion, Manufacturer, MaxSessions, Model,
    ModuleInitArgs, ModuleName, ModulePath, Object, PinSource, PinValue, Serial, SlotDescription,
    SlotId, SlotManufacturer, Token, Type,
};

impl Attribute {
    const ALL: [Self; 19] = [
        Token,
        Manufacturer,
        Model,
        Serial,
        SlotId,
        SlotDescription,
        SlotManufacturer,
        LibraryDescription,
        LibraryManufacturer,
        LibraryVersion,
        Object,
        Id,
        Type,
        ModuleName,
        ModulePath,
        ModuleInitArgs,
        PinSource,
        PinValue,
        MaxSessions,
    ];

    /// The attribute of this name. Names are case-sensitive (RFC 7512 section 2.3).
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|attribute| attribute.name() == name)
    }

    /// The name as RFC 7512 spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Token => "token",
            Manufacturer => "manufacturer",
            Model => "model",
            Serial => "serial",
            SlotId => "slot-id",
            SlotDescription => "slot-description",
            SlotManufacturer => "slot-manufacturer",
            LibraryDescription => "library-description",
            LibraryManufacturer => "library-manufacturer",
            LibraryVersion => "library-version",
            Object => "object",
            Id => "id",
            Type => "type",
            ModuleName => "module-name",
            ModulePath => "module-path",
            ModuleInitArgs => "module-init-args",
            PinSource => "pin-source",
            PinValue => "pin-value",
            MaxSessions => "max-sessions",
        }
    }

    /// Whether it belongs to the query.
    pub(super) const fn is_of_query(self) -> bool {
        matches!(
            self,
            ModuleName | ModulePath | ModuleInitArgs | PinSource | PinValue | MaxSessions
        )
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
