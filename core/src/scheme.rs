//! What each scheme demands, as data. One engine reads it for emission; each line cites its source.
//!
//! A new scheme is one file of rules beside these, and its lines here; [`OwnScheme`] is one that a user
//! writes down. The names of the sources: `FIAM` is KPN's FIAM
//! documentation, `iSHARE` the iSHARE developer portal (2.1 unless said otherwise), `itsme` the itsme
//! CIBA API, `eHealth` the I.AM Connect cookbook.

use core::ops::Deref;

mod choose;
pub mod ehealth;
pub mod fiam;
pub mod ishare;
pub mod ishare_1;
pub mod itsme;
mod own;
mod rules;

pub use ehealth::EHEALTH;
pub use fiam::FIAM;
pub use ishare::ISHARE;
pub use ishare_1::ISHARE_1;
pub use itsme::ITSME;
pub use own::{OWN_FORMS, OwnAudience, OwnRules, OwnScheme, OwnTokenRequest};
use rules::SIGNING_PURPOSES;
pub use rules::{
    AudienceRule, Endpoint, KeyReference, Lifetime, NotBefore, PartyLookup, RequestObjectRules,
    Rule, SchemeRules, TokenRequestRules,
};

/// Every scheme, in the order in which they are listed to a person.
pub const ALL: &[&Scheme] = &[&FIAM, &ISHARE, &ISHARE_1, &ITSME, &EHEALTH];

/// A scheme that this software knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Its place in [`ALL`], where new ones come last: devices know it by that.
    code: u8,
    rules: SchemeRules,
}

impl Scheme {
    /// The scheme of that name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|scheme| scheme.name == name)
    }

    /// The number on the wire to a gateway and in its log; it stays.
    pub const fn code(&self) -> u8 {
        self.code
    }

    /// What it demands.
    pub const fn rules(&self) -> &SchemeRules {
        &self.rules
    }
}

impl Deref for Scheme {
    type Target = SchemeRules;

    fn deref(&self) -> &SchemeRules {
        &self.rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_unique() {
        let codes: std::vec::Vec<_> = ALL.iter().map(|scheme| scheme.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        for scheme in ALL {
            assert_eq!(Scheme::by_name(scheme.name), Some(*scheme));
            assert_eq!(
                ALL.iter().filter(|other| other.name == scheme.name).count(),
                1
            );
        }
        assert_eq!(Scheme::by_name("FIAM"), None);
        let path = |name| ITSME.endpoint(name).map(|endpoint| endpoint.audience_path);
        assert_eq!(path("discovery"), Some("/backchannel/authentication"));
        assert_eq!((path("token"), path("")), (Some("/token"), None));
    }

    #[test]
    fn defaults_obey_their_own_rules() {
        for scheme in ALL {
            let Lifetime { default, min, max } = scheme.lifetime.value;
            assert!((min..=max).contains(&default), "{}", scheme.name);
            if scheme.audience.value.default.is_some() {
                assert!(scheme.choose_audience(None).is_ok(), "{}", scheme.name);
            }
        }
    }
}
