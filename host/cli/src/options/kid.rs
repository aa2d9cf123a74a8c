//! How a key is named where its header carries a `kid`.

use clap::Args;
use privyseal::jose::jwk::{KidChoice, KidForm};
use privyseal::profile::Value;

use super::named;

/// A `kid`, given or computed.
#[derive(Args)]
pub(crate) struct KidOptions {
    /// The kid by which the receiver knows the key
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "kid_form",
        allow_hyphen_values = true
    )]
    kid: Option<String>,
    /// How the kid is computed from the key, for schemes that have one; by default rfc7638
    #[arg(long, value_name = "FORM", value_parser = named(KidForm::ALL.map(KidForm::name), KidForm::by_name))]
    kid_form: Option<KidForm>,
}

impl KidOptions {
    /// Which option was given, if any.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let form = self.kid_form.map(|_| "--kid-form");
        self.kid.as_ref().map(|_| "--kid").or(form)
    }

    /// As members of a profile.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let form = self
            .kid_form
            .map(|form| ("kid-form", Value::Text(form.name().to_owned())));
        let kid = self.kid.clone().map(|kid| ("kid", Value::Text(kid)));
        kid.or(form).into_iter()
    }

    pub(crate) fn choice(&self) -> KidChoice {
        let computed = KidChoice::Computed(self.kid_form.unwrap_or_default());
        self.kid.clone().map_or(computed, KidChoice::Given)
    }
}
