//! Options that several subcommands share, and how they become types of the library.

mod access;
mod client;
mod kid;
mod request;
mod revocation;
mod scheme;
mod server;

use std::path::PathBuf;

use clap::Args;
use privyseal::keys::key::{AccessPolicy, KeySigner, KeyUri, OpenedKey};
use privyseal::{DeviceUri, PinSources, Prompt, UnixTime, base::clock};

use crate::error::CliError;
use crate::output::say;

pub(super) use access::AccessOptions;
pub(super) use client::ClientOptions;
pub(super) use kid::{KidOptions, kid_form_parser};
pub(super) use request::{Acr, RequestOptions};
pub(super) use revocation::{RevocationArgs, RevocationSource};
pub(super) use scheme::{scheme_parser, scheme_parser_for};
pub(super) use server::ServerOptions;

/// Which key, and how far to go to use it.
#[derive(Args)]
pub(super) struct KeyOptions {
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// The key: a URI such as pkcs11:token=T;object=K?module-path=M&pin-source=file:F
    #[arg(long, value_name = "URI", required = true)]
    pub(super) key: Option<String>,
    #[command(flatten)]
    access: AccessOptions,
}

impl KeyOptions {
    pub(super) fn uri(&self) -> Result<Option<KeyUri>, CliError> {
        Ok(self.key.as_deref().map(str::parse).transpose()?)
    }

    pub(super) fn policy(&self) -> AccessPolicy {
        self.access.policy()
    }

    pub(super) fn open(&self, uri: &KeyUri) -> Result<KeySigner, CliError> {
        self.access.open(uri)
    }

    /// Opens a key of any kind, for its public half.
    pub(super) fn open_any(&self, uri: &KeyUri) -> Result<OpenedKey, CliError> {
        self.access.open_any(uri)
    }

    /// A device has no PIN, and a policy of its own.
    pub(super) fn refuse_for_device(&self, uri: &DeviceUri) -> Result<(), CliError> {
        self.access.refuse_for_device(uri)
    }
}

/// Where the PIN of `key` comes from; warnings go to standard error.
pub(super) fn pins(key: &KeyUri) -> PinSources<'static> {
    key.pin_sources(Prompt::OnTerminal, |warning| {
        say!("warning: {warning}");
    })
}

/// The given moment, or the clock's.
pub(super) fn moment(now: Option<u64>) -> Result<UnixTime, CliError> {
    Ok(match now {
        Some(seconds) => UnixTime::from_secs(seconds)?,
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

pub(super) fn missing_key(reason: &str) -> CliError {
    CliError::missing("--key", reason)
}
