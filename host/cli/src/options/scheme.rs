//! Whose rules apply: a scheme by its name, or the file that defines one.

use std::ffi::OsStr;
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use privyseal::schemes::own;
use privyseal::{Scheme, SchemeRules};
use privyseal_core::scheme;

/// Which schemes a command has something to do with.
type IsOffered = fn(&'static SchemeRules) -> bool;

/// A scheme's name, or the file of a scheme of one's own.
#[derive(Clone)]
struct SchemeParser(IsOffered);

/// Any scheme.
pub(crate) fn scheme_parser() -> impl TypedValueParser<Value = &'static SchemeRules> {
    scheme_parser_for(|_| true)
}

/// The same, which offers some of them. The others are taken, so that a command can say what is for them.
pub(crate) fn scheme_parser_for(
    is_offered: IsOffered,
) -> impl TypedValueParser<Value = &'static SchemeRules> {
    SchemeParser(is_offered)
}

fn names(is_offered: IsOffered) -> PossibleValuesParser {
    let names = scheme::ALL
        .iter()
        .map(|scheme| PossibleValue::new(scheme.name()).hide(!is_offered(scheme)));
    PossibleValuesParser::new(names)
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
            let parser = names(self.0).try_map(|name| Scheme::by_name(&name).ok_or("is no scheme"));
            return Ok(parser.parse_ref(command, arg, value)?.rules());
        }
        own::from_file(path).map(|own| &**own).map_err(|error| {
            let message = format!("--scheme {error}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names: Vec<_> = names(self.0).possible_values()?.collect();
        Some(Box::new(names.into_iter()))
    }
}
