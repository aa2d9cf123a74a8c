//! The references to the key that signs.

use core::time::Duration;

use clap::Args;
use privyseal::keys::key::KeyUnwrapper;
use privyseal::{Client, ClientBuilder, KeyUri, SchemeRules};
use privyseal_core::KeyEncryption;

use super::{AccessOptions, named};
use crate::error::CliError;
use crate::output::say;

/// One key, by as many references as there are tokens that have it.
#[derive(Args)]
pub(crate) struct KeysOptions {
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// The key: a URI such as pkcs11:token=T;object=K?module-path=M&pin-source=file:F. Given more than once: the
    /// same key on other tokens, for when one is away
    #[arg(id = "key", long = "key", value_name = "URI", required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    pub(crate) access: AccessOptions,
}

impl KeysOptions {
    pub(crate) fn uris(&self) -> Result<Vec<KeyUri>, CliError> {
        let uris = self.keys.iter().map(|key| Ok(key.parse()?));
        uris.collect()
    }

    /// A client of `scheme` that signs with the keys at `uris`.
    pub(crate) fn builder(&self, scheme: &'static SchemeRules, uris: Vec<KeyUri>) -> ClientBuilder {
        let access = self.access;
        let may_ask = |uri: &KeyUri| uri.pin_source().is_none() && uri.pin_value().is_none();
        let mut builder = Client::builder(scheme)
            .access_policy(access.policy())
            .pin_sources(move |uri| access.pins(uri));
        if uris.iter().any(may_ask) {
            // A person takes the time that it takes.
            builder = builder.opening_limit(Duration::MAX);
        }
        uris.into_iter().fold(builder, ClientBuilder::key)
    }
}

/// The keys that decrypt.
#[derive(Args)]
pub(crate) struct DecryptionOptions {
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// The key to which id_token and UserInfo response are encrypted; without it they must not be. While a key is
    /// replaced, both are given
    #[arg(long = "decryption-key", value_name = "URI")]
    decryption_keys: Vec<String>,
    /// How tokens are encrypted to it, as it was registered; by default each that the provider may use is checked
    #[arg(long, value_name = "ALG", value_parser = named(KeyEncryption::ALL.map(KeyEncryption::name), KeyEncryption::by_name), requires = "decryption_keys")]
    pub(crate) encryption_alg: Option<KeyEncryption>,
}

impl DecryptionOptions {
    pub(crate) fn open(&self, access: AccessOptions) -> Result<Vec<KeyUnwrapper>, CliError> {
        let keys = self.decryption_keys.iter();
        keys.map(|uri| access.open_unwrapper(&uri.parse()?))
            .collect()
    }

    /// Says what the keys cannot do.
    pub(crate) fn warn(unusable: &[KeyEncryption]) {
        for algorithm in unusable {
            say!(
                "warning: the decryption key cannot be used with {}, which the provider may use: if that is what was \
                 registered, nothing that comes can be read; --encryption-alg says what was",
                algorithm.name()
            );
        }
    }
}
