//! Options that several subcommands share, and how they become types of the library.

mod client;
mod kid;
mod request;
mod server;

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use privyseal::key::{KeySigner, KeyUnwrapper, KeyUri, OpenedKey};
use privyseal::{DeviceUri, Error, LoginPolicy, PinSources, Prompt, Scheme, UnixTime, clock};
use privyseal_core::scheme;

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
    login: LoginOptions,
}

/// How far to go to use a key.
#[derive(Args)]
pub(super) struct LoginOptions {
    /// Give the PIN even if it is the last try before the token locks
    #[arg(long)]
    spend_final_pin_try: bool,
}

impl KeyOptions {
    pub(super) fn uri(&self) -> Result<Option<KeyUri>, Error> {
        Ok(self.key.as_deref().map(str::parse).transpose()?)
    }

    pub(super) const fn policy(&self) -> LoginPolicy {
        self.login.policy()
    }

    pub(super) fn open(&self, uri: &KeyUri) -> Result<KeySigner, Error> {
        self.login.open(uri)
    }

    /// Opens whatever it is, for its public half.
    pub(super) fn open_any(&self, uri: &KeyUri) -> Result<OpenedKey, Error> {
        self.login.open_any(uri)
    }

    /// A device has no PIN.
    pub(super) fn refuse_login_options(&self, uri: &DeviceUri) -> Result<(), Error> {
        self.login.refuse(uri)
    }
}

impl LoginOptions {
    const fn policy(&self) -> LoginPolicy {
        LoginPolicy {
            spend_final_try: self.spend_final_pin_try,
        }
    }

    /// Opens the key for decryption, asking for its PIN where one is needed.
    pub(super) fn open_unwrapper(&self, uri: &KeyUri) -> Result<KeyUnwrapper, Error> {
        uri.open_unwrapper(&mut pins(uri), self.policy())
    }

    /// Opens the key, asking for its PIN where one is needed.
    pub(super) fn open(&self, uri: &KeyUri) -> Result<KeySigner, Error> {
        uri.open(&mut pins(uri), self.policy())
    }

    /// Opens whatever it is, for its public half.
    pub(super) fn open_any(&self, uri: &KeyUri) -> Result<OpenedKey, Error> {
        uri.open_any(&mut pins(uri), self.policy())
    }

    fn refuse(&self, uri: &DeviceUri) -> Result<(), Error> {
        if self.spend_final_pin_try {
            let reason = format!("is for keys with a PIN, and {uri} has none");
            return Err(Error::Option {
                option: "--spend-final-pin-try",
                reason,
            });
        }
        Ok(())
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
