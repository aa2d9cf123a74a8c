//! A scheme with the rules of two, and a lifetime of ten years.

use privyseal_core::scheme::{FIAM, ITSME, Lifetime, Scheme};

const LOOSE: Scheme = Scheme {
    lifetime: ITSME.lifetime(),
    ..FIAM
};

const TEN_YEARS: Lifetime = Lifetime {
    default: 30,
    min: 30,
    max: 315_360_000,
};

fn main() {}
