//! URI to text, ready to paste between single quotes.
//!
//! The order is p11tool's (model to type, then the query). More is escaped than the grammar demands:
//! only unreserved characters stay bare, and in the query also `/` and `:`, so that no shell and no
//! other parser finds a meaning in the rest. All bytes of `id` are escaped, as section 2.3 recommends.

use std::fmt;

use super::attribute::Attribute;
use super::{Pkcs11Uri, percent};

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Writer {
            text: String::from("pkcs11:"),
            separator: "",
        };
        out.text(
            Attribute::LibraryDescription,
            self.library_description.as_deref(),
        );
        out.text(
            Attribute::LibraryManufacturer,
            self.library_manufacturer.as_deref(),
        );
        if let Some((major, minor)) = self.library_version {
            out.plain(Attribute::LibraryVersion, &format!("{major}.{minor}"));
        }
        out.text(Attribute::SlotDescription, self.slot_description.as_deref());
        out.text(
            Attribute::SlotManufacturer,
            self.slot_manufacturer.as_deref(),
        );
        if let Some(slot_id) = self.slot_id {
            out.plain(Attribute::SlotId, &slot_id.to_string());
        }
        out.text(Attribute::Model, self.model.as_deref());
        out.text(Attribute::Manufacturer, self.manufacturer.as_deref());
        out.text(Attribute::Serial, self.serial.as_deref());
        out.text(Attribute::Token, self.token.as_deref());
        if let Some(id) = &self.id {
            out.value(Attribute::Id, id, |_| false);
        }
        out.text(Attribute::Object, self.object.as_deref());
        if let Some(kind) = self.object_type {
            out.plain(Attribute::Type, kind.as_str());
        }
        out.separator = "?";
        out.path(Attribute::ModuleName, self.module_name.as_deref());
        out.path(Attribute::ModulePath, self.module_path.as_deref());
        out.path(Attribute::ModuleInitArgs, self.module_init_args.as_deref());
        out.path(Attribute::PinSource, self.pin_source.as_deref());
        if let Some(max) = self.max_sessions {
            out.plain(Attribute::MaxSessions, &max.to_string());
        }
        f.write_str(&out.text)
    }
}

struct Writer {
    text: String,
    separator: &'static str,
}

impl Writer {
    fn text(&mut self, attribute: Attribute, value: Option<&str>) {
        if let Some(value) = value {
            self.value(attribute, value.as_bytes(), percent::is_unreserved);
        }
    }

    fn path(&mut self, attribute: Attribute, value: Option<&str>) {
        if let Some(value) = value {
            let plain = |byte| percent::is_unreserved(byte) || matches!(byte, b'/' | b':');
            self.value(attribute, value.as_bytes(), plain);
        }
    }

    /// A value that needs no escapes.
    fn plain(&mut self, attribute: Attribute, value: &str) {
        self.value(attribute, value.as_bytes(), |_| true);
    }

    fn value(&mut self, attribute: Attribute, value: &[u8], plain: fn(u8) -> bool) {
        self.text.push_str(self.separator);
        self.text.push_str(attribute.name());
        self.text.push('=');
        percent::encode(value, plain, &mut self.text);
        self.separator = match self.separator {
            "?" | "&" => "&",
            _ => ";",
        };
    }
}
