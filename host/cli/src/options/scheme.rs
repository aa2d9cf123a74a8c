//! Whose rules apply: a scheme by its name, or the file that defines one.

use std::ffi::OsStr;
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use privyseal::SchemeRules;
use privyseal::schemes::own;
use privyseal_core::scheme::{self, OwnScheme};

/// Which schemes a command has something to do with.
type IsOffered = fn(&'static SchemeRules) -> bool;

/// A scheme's name, or the file of a scheme of one's own.
#[derive(Clone)]
struct SchemeParser {
    names: Vec<PossibleValue>,
    own: Vec<&'static OwnScheme>,
}

/// Any scheme.
pub(crate) fn scheme_parser() -> impl TypedValueParser<Value = &'static SchemeRules> {
    scheme_parser_for(|_| true)
}

/// The same, which offers some of them. The others are taken, so that a command can say what is for them.
pub(crate) fn scheme_parser_for(
    is_offered: IsOffered,
) -> impl TypedValueParser<Value = &'static SchemeRules> {
    let names = scheme::ALL.iter();
    let names = names.map(|scheme| PossibleValue::new(scheme.name()).hide(!is_offered(scheme)));
    SchemeParser {
        names: names.collect(),
        own: Vec::new(),
    }
}

/// The same argument, which also takes the schemes of configuration files by name.
pub(super) fn with_own_schemes(arg: Arg, own: &[&'static OwnScheme]) -> Arg {
    let mut names = arg.get_possible_values();
    names.extend(own.iter().map(|own| PossibleValue::new(own.name())));
    let own = own.to_vec();
    arg.value_parser(SchemeParser { names, own })
}

impl TypedValueParser for SchemeParser {
    type Value = &'static SchemeRules;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let path = Path::new(value);
        if path.components().count() < 2 && path.extension().is_none() {
            let name =
                PossibleValuesParser::new(self.names.clone()).parse_ref(command, arg, value)?;
            let rules = own::rules(&self.own, &name);
            return rules.ok_or_else(|| clap::Error::new(ErrorKind::InvalidValue));
        }
        own::from_file(path).map(|own| &**own).map_err(|error| {
            let message = format!("--scheme {error}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.clone().into_iter()))
    }
}
