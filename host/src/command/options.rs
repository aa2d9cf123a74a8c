//! Options that several subcommands share, and how they become types of the library.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use privyseal::certificates::Certificates;
use privyseal::key::{KeySigner, KeyUri};
use privyseal::{
    AssertionOptions, Client, Error, LoginPolicy, PinSources, Prompt, Scheme, UnixTime, clock,
    party_id,
};
use privyseal_core::cert::RsaLinks;
use privyseal_core::scheme::{self, KeyReference};

/// Which key, and how far to go to use it.
#[derive(Args)]
pub(super) struct KeyOptions {
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// The key: a URI such as pkcs11:token=T;object=K?module-path=M&pin-source=file:F
    #[arg(long, value_name = "URI", required = true)]
    pub(super) key: Option<String>,
    /// Give the PIN even if it is the last try before the token locks
    #[arg(long)]
    pub(super) spend_final_pin_try: bool,
}

impl KeyOptions {
    pub(super) fn uri(&self) -> Result<Option<KeyUri>, Error> {
        Ok(self.key.as_deref().map(str::parse).transpose()?)
    }

    pub(super) const fn policy(&self) -> LoginPolicy {
        LoginPolicy {
            spend_final_try: self.spend_final_pin_try,
        }
    }

    /// Opens the key, asking for its PIN where one is needed.
    pub(super) fn open(&self, uri: &KeyUri) -> Result<KeySigner, Error> {
        uri.open(&mut pins(uri), self.policy())
    }
}

/// Where the PIN of `key` comes from; warnings go to standard error.
pub(super) fn pins(key: &KeyUri) -> PinSources<'static> {
    PinSources::new(key, Prompt::OnTerminal, |warning| {
        eprintln!("warning: {warning}");
    })
}

/// One of the schemes that `offered` accepts, by its name.
pub(super) fn scheme_parser(
    offered: impl Fn(&Scheme) -> bool,
) -> impl TypedValueParser<Value = &'static Scheme> {
    let names = scheme::ALL
        .iter()
        .filter(|scheme| offered(scheme))
        .map(|scheme| scheme.name);
    PossibleValuesParser::new(names).try_map(|name| Scheme::by_name(&name).ok_or("is no scheme"))
}

/// Schemes whose assertions carry their chain; those with a kid are not signed here yet.
fn carries_chain(scheme: &Scheme) -> bool {
    scheme.key_reference.value == KeyReference::X5cWithRoot
}

/// The given moment, or the clock's.
pub(super) fn moment(now: Option<u64>) -> Result<UnixTime, Error> {
    now.map_or_else(clock::now, |seconds| Ok(UnixTime::from_secs(seconds)?))
}

/// The file behind `--chain`; `None` for `token`.
pub(super) fn chain_file(chain: &str) -> Option<PathBuf> {
    (chain != "token").then(|| PathBuf::from(chain))
}

/// What an assertion says, and whose it is.
#[derive(Args)]
pub(super) struct ClientOptions {
    /// Whose rules apply
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser(carries_chain))]
    scheme: &'static Scheme,
    #[command(flatten)]
    key: KeyOptions,
    /// The client id, or party id; by default what the leaf certificate says, where the scheme
    /// derives it from there
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The audience; by default the scheme's own, where it has one
    #[arg(long, value_name = "ID")]
    audience: Option<String>,
    /// The certificate chain: a PEM or DER file, or the word token for the one beside the key
    #[arg(long, value_name = "FILE|token", default_value = "token")]
    chain: String,
    /// The time of issue, in seconds since 1970; by default the clock's
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    /// The jti, which must never have been used before; by default a random one
    #[arg(long, value_name = "TEXT")]
    jti: Option<String>,
    /// Date iat and nbf back, for servers whose clock is behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    backdate: u64,
}

impl ClientOptions {
    pub(super) const fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// What the options say about the assertion.
    pub(super) fn assertion(&self) -> Result<AssertionOptions, Error> {
        let options = AssertionOptions {
            audience: self.audience.clone(),
            now: self.now.map(UnixTime::from_secs).transpose()?,
            backdate: self.backdate,
            jti: self.jti.clone(),
        };
        options.check(self.scheme)?;
        Ok(options)
    }

    /// Everything is checked that can be, before a PIN is used.
    pub(super) fn client(&self) -> Result<Client<KeySigner>, Error> {
        let uri = self
            .key
            .uri()?
            .ok_or_else(|| missing_key("an assertion is signed with a key"))?;
        let given = self
            .client_id
            .as_deref()
            .map(|id| party_id::given(self.scheme, id))
            .transpose()?;
        let from_file = match chain_file(&self.chain) {
            Some(path) => {
                let certificates = Certificates::from_file(&path)?;
                certificates.chain()?.prove(&RsaLinks)?;
                Some(certificates)
            }
            None => None,
        };
        let signer = self.key.open(&uri)?;
        let certificates = from_file.map_or_else(|| signer.certificates(), Ok)?;
        let chain = certificates.chain()?;
        let client_id = given.map_or_else(|| party_id::derived(self.scheme, &chain), Ok)?;
        Client::new(self.scheme, client_id, chain, signer)
    }
}

pub(super) fn missing_key(reason: &str) -> Error {
    Error::Missing {
        option: "--key",
        reason: reason.to_owned(),
    }
}
