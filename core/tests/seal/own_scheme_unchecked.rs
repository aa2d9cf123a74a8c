//! A scheme of one's own with rules that nobody checked.

use privyseal_core::scheme::{ITSME, OwnScheme, SchemeRules};

fn unchecked(rules: SchemeRules) -> OwnScheme {
    OwnScheme(rules)
}

fn loosened(mut own: OwnScheme) -> OwnScheme {
    own.lifetime = ITSME.lifetime();
    own
}

fn main() {}
