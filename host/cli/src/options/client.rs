//! What an assertion says, and whose it is.

use clap::Args;
use privyseal::client::BuildError;
use privyseal::keys::key::KeyUri;
use privyseal::keys::{KeyUriError, SignerFailure};
use privyseal::oauth::{AudienceError, AudienceParts, SigningClient};
use privyseal::pki::certificates::Certificates;
use privyseal::{
    AssertionOptions, AssertionSource, RetryPolicy, SchemeRules, UnixTime, pki::party_id,
};
use privyseal_core::Signer;
use privyseal_core::scheme::KeyReference;
use privyseal_gateway::{ClientError, DeviceClient, DeviceKey, DeviceUri, Expected};

use super::certificate::CertificateOptions;
use super::kid::KidOptions;
use super::{KeysOptions, Wait, chain_file, of_option, scheme_parser};
use crate::error::CliError;
use crate::output::say;

/// The options of everything that signs for a client.
#[derive(Args)]
pub(crate) struct ClientOptions {
    /// Whose rules apply; or the TOML file of a scheme of one's own
    #[arg(long, value_name = "SCHEME|FILE", value_parser = scheme_parser())]
    pub(crate) scheme: &'static SchemeRules,
    #[command(flatten)]
    pub(crate) keys: KeysOptions,
    #[command(flatten)]
    kid: KidOptions,
    /// The client id, or party id; by default what the leaf certificate says, where the scheme
    /// derives it from there
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The audience; by default the scheme's own, where it has one
    #[arg(long, value_name = "ID", conflicts_with_all = ["endpoint", "realm"])]
    audience: Option<String>,
    /// The endpoint that is called, where each has its audience (itsme): discovery, backchannel, token,
    /// or request for a signed authentication request
    #[arg(long, value_name = "ENDPOINT")]
    pub(crate) endpoint: Option<String>,
    /// The realm whose issuer is the audience (eHealth)
    #[arg(long, value_name = "REALM")]
    pub(crate) realm: Option<String>,
    /// The server, such as https://as.example/api/v1; by default the scheme's own, where it has one
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The certificate chain: a PEM or DER file, or the word token for the one beside the key (the
    /// default); for schemes that send it
    #[arg(long, value_name = "FILE|token")]
    chain: Option<String>,
    #[command(flatten)]
    certificate: CertificateOptions,
    #[command(flatten)]
    wait: Wait,
    /// The time of issue, in seconds since 1970; by default the clock's
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    /// The jti, which must never have been used before; by default a random one
    #[arg(long, value_name = "TEXT")]
    jti: Option<String>,
    /// Date iat and nbf back, for servers whose clock is behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    backdate: u64,
    /// How long the assertion lives; by default as long as the scheme says
    #[arg(long, value_name = "SECONDS")]
    lifetime: Option<u64>,
}

impl ClientOptions {
    /// What the options say about the assertion.
    pub(crate) fn assertion(&self) -> Result<AssertionOptions, CliError> {
        self.assertion_for(None)
    }

    /// The same, for `audience` where the options name none.
    pub(crate) fn assertion_for(
        &self,
        audience: Option<&str>,
    ) -> Result<AssertionOptions, CliError> {
        let mut parts = AudienceParts::default();
        parts.audience = self.audience.as_deref().or(audience);
        parts.endpoint = self.endpoint.as_deref();
        parts.base_url = self.base_url.as_deref();
        parts.realm = self.realm.as_deref();
        let mut options = AssertionOptions::default().backdate(self.backdate);
        options.audience = parts.choose(self.scheme).map_err(of_audience)?;
        let own = self.scheme.audience().value().default();
        if let (Some(own), Some(given)) = (own, &self.audience)
            && own != given
        {
            let title = self.scheme.title();
            say!(
                "warning: --audience is not that of {title}, {own}: tell the one who judges the assertion"
            );
        }
        options.now = self.now.map(UnixTime::from_secs).transpose()?;
        options.lifetime = self.lifetime;
        options.jti.clone_from(&self.jti);
        options.check(self.scheme)?;
        Ok(options)
    }

    /// Everything is checked that can be, before a PIN is used.
    fn client(
        &self,
    ) -> Result<
        SigningClient<impl Signer<Error = SignerFailure> + Clone + Send + Sync + use<>>,
        CliError,
    > {
        if self.scheme.key_reference().value() == KeyReference::Kid {
            let given = self.chain.as_ref().map(|_| "--chain");
            let named = self.certificate.sha256()?.map(|_| "--certificate");
            if let Some(option) = given.or(named) {
                return Err(self.needless(option, "names its key by kid and sends no certificate"));
            }
        }
        if self.wait.seconds > 0 {
            let reason = "is for a gateway, whose line is for one program at a time, and whose policy has a rate";
            return Err(CliError::option("--wait", reason));
        }
        let uris = self.keys.uris()?;
        if uris.iter().any(|uri| matches!(uri, KeyUri::Device(_))) {
            return Err(KeyUriError::NoSigner.into());
        }
        let mut builder = self.keys.builder(self.scheme, uris);
        if let Some(id) = &self.client_id {
            builder = builder.client_id(id);
        }
        if self.kid.given().is_some() {
            builder = builder.kid(self.kid.choice());
        }
        if let Some(chain) = self.chain_from_file()? {
            builder = builder.chain(chain);
        }
        if let Some(sha256) = self.certificate.sha256()? {
            builder = builder.certificate(sha256);
        }
        builder.signing_client().map_err(|error| match error {
            BuildError::NeedlessKid { .. } => self.needless(
                self.kid.given().unwrap_or("--kid"),
                "sends its certificate chain and no kid",
            ),
            error => error.into(),
        })
    }

    fn chain_from_file(&self) -> Result<Option<Certificates>, CliError> {
        let path = self.chain.as_deref().and_then(chain_file);
        let read = path.map(|path| Certificates::from_file(&path)).transpose();
        read.map_err(of_option("--chain"))
    }

    /// What makes the assertions: a signer's client, or a device.
    pub(crate) fn source(&self) -> Result<Box<dyn AssertionSource>, CliError> {
        self.source_for_tries().map(|(source, _)| source)
    }

    /// The same, and how often an assertion of it may be made: once where a `jti` is given, which is good
    /// once, or where a person presses a button for each.
    pub(crate) fn source_for_tries(
        &self,
    ) -> Result<(Box<dyn AssertionSource>, RetryPolicy), CliError> {
        if let [KeyUri::Device(uri)] = &*self.keys.uris()? {
            let client = self.device_client(uri)?;
            let tries = client.presence().map(|_| RetryPolicy::NEVER);
            return Ok((Box::new(client), tries.unwrap_or_default()));
        }
        let tries = self.jti.as_ref().map(|_| RetryPolicy::NEVER);
        Ok((Box::new(self.client()?), tries.unwrap_or_default()))
    }

    fn device_client(&self, uri: &DeviceUri) -> Result<DeviceClient, CliError> {
        if self.jti.is_some() {
            let reason = "is not for a device, which makes each jti itself and never one twice";
            return Err(CliError::option("--jti", reason));
        }
        if self.certificate.sha256()?.is_some() {
            let reason = "is not for a device, which has one certificate";
            return Err(CliError::option("--certificate", reason));
        }
        self.keys.access.refuse_for_device(uri)?;
        let mut expected = Expected::default();
        let client_id = self.client_id.as_deref();
        expected.client_id = client_id
            .map(|id| party_id::given(self.scheme, id))
            .transpose()?;
        let chain = self.chain_from_file()?;
        expected.chain = chain.map(|chain| chain.iter().map(<[u8]>::to_vec).collect());
        let key = DeviceKey::open_within(uri, self.wait.limits())?;
        if self.kid.given().is_some() {
            expected.kid = Some(self.kid.choice().text(key.public_key())?);
        }
        let client = DeviceClient::new(key, self.scheme, &expected).map_err(of_device)?;
        if let Some(seconds) = client.presence() {
            say!("press the device's button within {seconds} s");
        }
        Ok(client)
    }

    fn needless(&self, option: &'static str, why: &str) -> CliError {
        let reason = format!("is not for {}, which {why}", self.scheme.title());
        CliError::option(option, reason)
    }
}

/// Names the option that contradicts the device.
fn of_device(error: ClientError) -> CliError {
    let option = match error {
        ClientError::Scheme { .. } => "--scheme",
        ClientError::Several { .. } | ClientError::ClientId { .. } => "--client-id",
        ClientError::Kid { .. } | ClientError::NeedlessKid { .. } => "--kid",
        ClientError::Chain | ClientError::NeedlessChain { .. } => "--chain",
        other => return other.into(),
    };
    CliError::option(option, format!("does not fit: {error}"))
}

/// Which option the audience lacks, or has for nothing.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a conversion")]
fn of_audience(error: AudienceError) -> CliError {
    let reason = error.to_string();
    let refused = |option| CliError::option(option, format!("is refused: {reason}"));
    match error {
        AudienceError::Core(error) => error.into(),
        AudienceError::NeedlessRealm { .. } => refused("--realm"),
        AudienceError::NeedlessEndpoint { .. } | AudienceError::UnknownEndpoint { .. } => {
            refused("--endpoint")
        }
        AudienceError::MissingRealm { .. } => CliError::missing("--realm", reason),
        AudienceError::MissingBaseUrl { .. } => CliError::missing("--base-url", reason),
        _ => CliError::missing("--endpoint", reason),
    }
}
