//! Options that several subcommands share, and how they become types of the library.

mod access;
mod certificate;
mod client;
mod keys;
mod kid;
mod profile;
mod request;
mod revocation;
mod scheme;
mod server;
mod wait;

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use privyseal::keys::key::{KeyUri, SignerOptions};
use privyseal::{PinSources, UnixTime, base::clock};

use crate::error::CliError;

pub(super) use access::{AccessOptions, pins};
pub(super) use certificate::{CertificateOptions, OWN_CERTIFICATE, WarnOptions};
pub(super) use client::ClientOptions;
pub(super) use keys::{DecryptionOptions, KeysOptions};
pub(super) use kid::KidOptions;
pub(super) use profile::{ProfileChoice, with_profile_options};
pub(super) use request::{AuthenticationArgs, RequestOptions};
pub(super) use revocation::{RevocationArgs, RevocationSource};
pub(super) use scheme::{scheme_parser, scheme_parser_for};
pub(super) use server::ServerOptions;
pub(super) use wait::Wait;

/// Which key, and how far to go to use it.
#[derive(Args)]
pub(super) struct KeyOptions {
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// The key: a URI such as pkcs11:token=T;object=K?module-path=M&pin-source=file:F
    #[arg(long, value_name = "URI", required = true)]
    pub(super) key: Option<String>,
    #[command(flatten)]
    pub(super) access: AccessOptions,
}

impl KeyOptions {
    pub(super) fn uri(&self) -> Result<Option<KeyUri>, CliError> {
        Ok(self.key.as_deref().map(str::parse).transpose()?)
    }

    /// The key, where one is needed, and why.
    pub(super) fn required(&self, reason: &str) -> Result<KeyUri, CliError> {
        self.uri()?.ok_or_else(|| missing_key(reason))
    }

    pub(super) fn policy(&self) -> SignerOptions {
        self.access.policy()
    }

    /// Where its PIN comes from; warnings go to standard error.
    pub(super) fn pins(&self, uri: &KeyUri) -> PinSources<'static> {
        self.access.pins(uri)
    }
}

/// One of these names, and what it stands for.
pub(super) fn named<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = &'static str>,
    by_name: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(move |name| by_name(&name).ok_or("is no such name"))
}

/// The moment that an option gives, or the clock's.
pub(super) fn moment(option: &'static str, given: Option<u64>) -> Result<UnixTime, CliError> {
    Ok(match given {
        Some(seconds) => UnixTime::from_secs(seconds).map_err(|_| {
            let reason = format!("is {seconds}: seconds since 1970 are meant, up to the year 9999");
            CliError::option(option, reason)
        })?,
        None => clock::now()?,
    })
}

/// The file behind `--chain`; `None` for `token`.
pub(super) fn chain_file(chain: &str) -> Option<PathBuf> {
    (chain != "token").then(|| PathBuf::from(chain))
}

/// Names the option that named a file, where that file is of no use.
pub(super) fn of_option<E: Into<privyseal::Error>>(
    option: &'static str,
) -> impl Fn(E) -> CliError + Copy {
    move |error| match error.into() {
        error if error.find::<privyseal_core::Error>().is_some() => error.into(),
        error @ (privyseal::Error::Base(_)
        | privyseal::Error::Pki(_)
        | privyseal::Error::Jwk(_)) => {
            let advice = crate::advice::file::of(&error)
                .map_or_else(String::new, |advice| format!("; {advice}"));
            CliError::option(option, format!("{error}{advice}"))
        }
        other => other.into(),
    }
}

/// Refuses options that are given and would be ignored.
pub(super) fn refuse(
    given: impl IntoIterator<Item = (&'static str, bool)>,
    why: &str,
) -> Result<(), CliError> {
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(CliError::option(option, why)),
        None => Ok(()),
    }
}

pub(super) fn missing_key(reason: &str) -> CliError {
    CliError::missing("--key", reason)
}
