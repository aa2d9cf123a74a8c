//! The JOSE header.

use super::{Text, X5c};
use crate::json::Object;
use crate::scratch::Scratch;

/// What the header says.
pub(crate) struct Header<'t> {
    pub(crate) object: Object<'t>,
    pub(crate) alg: Text<'t>,
    pub(crate) typ: Text<'t>,
    pub(crate) kid: Text<'t>,
    pub(crate) x5t_s256: Text<'t>,
    pub(crate) x5c: X5c<'t>,
}

impl<'t> Header<'t> {
    pub(super) fn read(object: Object<'t>, scratch: &mut Scratch<'t>) -> Self {
        Self {
            object,
            alg: Text::read(&object, "alg", scratch),
            typ: Text::read(&object, "typ", scratch),
            kid: Text::read(&object, "kid", scratch),
            x5t_s256: Text::read(&object, "x5t#S256", scratch),
            x5c: X5c::read(object.get("x5c"), scratch),
        }
    }

    /// Whether every member has one of these names.
    pub(crate) fn has_only(&self, names: &[&str]) -> bool {
        self.object
            .members()
            .all(|(name, _)| names.iter().any(|known| name.equals(known)))
    }
}
