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
        // In one pass: it is long.
        let mut found = [None; 5];
        for (name, value) in object.members() {
            let names = ["alg", "typ", "kid", "x5t#S256", "x5c"].iter();
            for (known, place) in names.zip(&mut found) {
                if name.equals(known) {
                    place.get_or_insert(value);
                }
            }
        }
        let [alg, typ, kid, x5t_s256, x5c] = found;
        Self {
            object,
            alg: Text::of(alg, scratch),
            typ: Text::of(typ, scratch),
            kid: Text::of(kid, scratch),
            x5t_s256: Text::of(x5t_s256, scratch),
            x5c: X5c::read(x5c, scratch),
        }
    }

    /// Whether every member has one of these names.
    pub(crate) fn has_only(&self, names: &[&str]) -> bool {
        self.object
            .members()
            .all(|(name, _)| names.iter().any(|known| name.equals(known)))
    }
}
