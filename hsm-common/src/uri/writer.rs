//! URI to text, ready to paste between single quotes.
//!
//! More is escaped than the grammar demands: only unreserved characters stay bare, and in the query also
//! `/` and `:`, so that no shell and no other parser finds a meaning in the rest.

use std::fmt;

use super::percent::{encode, is_unreserved};
use super::{Attribute, Grammar, Place};

/// Writes a URI, attribute by attribute: those of the path first. A value that is `None` is left out.
pub struct UriWriter {
    text: String,
    separator: &'static str,
}

privyseal_core::opaque_debug! { [] UriWriter; }

impl UriWriter {
    /// A URI of this scheme, with `path` as it stands before the attributes.
    pub fn new(grammar: &Grammar, path: &str) -> Self {
        Self {
            text: format!("{}:{path}", grammar.scheme),
            separator: "",
        }
    }

    /// A value that is text.
    pub fn text(&mut self, attribute: Attribute, value: Option<&str>) -> &mut Self {
        let in_query = attribute.is_of_query();
        let plain = move |it| is_unreserved(it) || (in_query && matches!(it, b'/' | b':'));
        self.value(attribute, value.map(str::as_bytes), plain)
    }

    /// A value that is bytes. All of them are escaped, as RFC 7512 section 2.3 recommends for `id`.
    pub fn bytes(&mut self, attribute: Attribute, value: Option<&[u8]>) -> &mut Self {
        self.value(attribute, value, |_| false)
    }

    /// A value that needs no escapes.
    pub fn plain(&mut self, attribute: Attribute, value: Option<impl fmt::Display>) -> &mut Self {
        let value = value.map(|value| value.to_string());
        self.value(attribute, value.as_deref().map(str::as_bytes), |_| true)
    }

    /// An attribute without a value, if it is `set`.
    pub fn flag(&mut self, attribute: Attribute, set: bool) -> &mut Self {
        self.value(attribute, set.then_some(&[]), |_| true)
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn value(
        &mut self,
        attribute: Attribute,
        value: Option<&[u8]>,
        plain: impl Fn(u8) -> bool,
    ) -> &mut Self {
        let Some(value) = value else {
            return self;
        };
        let in_query = attribute.is_of_query();
        let separator = match (in_query, self.separator) {
            (true, "?" | "&") => "&",
            (true, _) => "?",
            (false, separator) => separator,
        };
        self.text.push_str(separator);
        self.separator = if in_query { separator } else { ";" };
        self.text.push_str(attribute.name);
        if attribute.place != Place::Flag {
            self.text.push('=');
            encode(value, plain, &mut self.text);
        }
        self
    }
}
