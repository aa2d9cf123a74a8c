//! A scheme with the rules of two, and a lifetime of ten years.

use privyseal_core::scheme::{FIAM, ITSME, Lifetime, SchemeRules};

const LOOSE: SchemeRules = SchemeRules {
    lifetime: ITSME.rules().lifetime(),
    ..*FIAM.rules()
};

const TEN_YEARS: Lifetime = Lifetime {
    default: 30,
    min: 30,
    max: 315_360_000,
};

fn main() {}
