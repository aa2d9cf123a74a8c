//! A copy of a scheme with another lifetime.

use privyseal_core::scheme::{FIAM, ITSME, Scheme};

fn changed() -> &'static Scheme {
    let mut scheme = FIAM;
    scheme.lifetime = ITSME.lifetime();
    Box::leak(Box::new(scheme))
}

fn main() {}
