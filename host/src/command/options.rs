//! Options that several subcommands share, and how they become types of the library.

mod access;
mod client;
mod kid;
mod request;
mod server;

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use privyseal::key::{AccessPolicy, KeySigner, KeyUri, OpenedKey};
use privyseal::{DeviceUri, Error, PinSources, Prompt, Scheme, UnixTime, clock};
use privyseal_core::scheme;

pub(super) use access::AccessOptions;
pub(super) use client::ClientOptions;
pub(super) use kid::{KidOptions, kid_form_parser};
pub(super) use request::RequestOptions;
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
    pub(super) fn uri(&self) -> Result<Option<KeyUri>, Error> {
        Ok(self.key.as_deref().map(str::parse).transpose()?)
    }

    pub(super) fn policy(&self) -> AccessPolicy {
        self.access.policy()
    }

    pub(super) fn open(&self, uri: &KeyUri) -> Result<KeySigner, Error> {
        self.access.open(uri)
    }

    /// Opens whatever it is, for its public half.
    pub(super) fn open_any(&self, uri: &KeyUri) -> Result<OpenedKey, Error> {
        self.access.open_any(uri)
    }

    /// A device has no PIN, and a policy of its own.
    pub(super) fn refuse_for_device(&self, uri: &DeviceUri) -> Result<(), Error> {
        self.access.refuse_for_device(uri)
    }
}

/// Where the PIN of `key` comes from; warnings go to standard error.
pub(super) fn pins(key: &KeyUri) -> PinSources<'static> {
    PinSources::new(key, Prompt::OnTerminal, |warning| {
        eprintln!("warning: {warning}");
    })
}

/// The name of a scheme.
pub(super) fn scheme_parser() -> impl TypedValueParser<Value = &'static Scheme> {
    let names = scheme::ALL.iter().map(|scheme| scheme.name);
    PossibleValuesParser::new(names).try_map(|name| Scheme::by_name(&name).ok_or("is no scheme"))
}

/// The given moment, or the clock's.
pub(super) fn moment(now: Option<u64>) -> Result<UnixTime, Error> {
    now.map_or_else(clock::now, |seconds| Ok(UnixTime::from_secs(seconds)?))
}

/// The file behind `--chain`; `None` for `token`.
pub(super) fn chain_file(chain: &str) -> Option<PathBuf> {
    (chain != "token").then(|| PathBuf::from(chain))
}

pub(super) fn missing_key(reason: &str) -> Error {
    Error::Missing {
        option: "--key",
        reason: reason.to_owned(),
    }
}
