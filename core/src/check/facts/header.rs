//! The JOSE header.

use super::{Text, X5c};
use crate::check::json::Object;
use crate::check::scratch::Scratch;

/// What the header says.
pub(in crate::check) struct Header<'t> {
    pub(in crate::check) object: Object<'t>,
    pub(in crate::check) alg: Text<'t>,
    pub(in crate::check) typ: Text<'t>,
    pub(in crate::check) kid: Text<'t>,
    pub(in crate::check) x5c: X5c<'t>,
}

impl<'t> Header<'t> {
    pub(super) fn read(object: Object<'t>, scratch: &mut Scratch<'t>) -> Self {
        Self {
            object,
            alg: Text::read(&object, "alg", scratch),
            typ: Text::read(&object, "typ", scratch),
            kid: Text::read(&object, "kid", scratch),
            x5c: X5c::read(object.get("x5c"), scratch),
        }
    }

    /// Whether every member has one of these names.
    pub(in crate::check) fn has_only(&self, names: &[&str]) -> bool {
        self.object
            .members()
            .all(|(name, _)| names.iter().any(|known| name.equals(known)))
    }
}
