//! A scheme of one's own where one that this software knows is demanded.

use privyseal_core::scheme::{OwnScheme, Scheme, SchemeRules};

fn known(own: &'static OwnScheme) -> &'static Scheme {
    own
}

fn of_its_rules(own: &'static OwnScheme) -> &'static Scheme {
    let rules: &SchemeRules = own;
    rules
}

fn main() {}
