//! Which registry is asked, by which client, and why it is believed.

use std::path::PathBuf;

use clap::Args;
use privyseal::http::retry::retry;
use privyseal::pki::certificates::Certificates;
use privyseal::pki::crl::Crl;
use privyseal::schemes::ishare::{Expected, Registry};
use privyseal::{AccessToken, BaseUrl, Client, Http, Scheme, SchemeRules, Server};
use privyseal_receiver::{ClientRegistry, Revocation};

use crate::error::CliError;
use crate::options::{
    ClientOptions, RevocationArgs, RevocationSource, ServerOptions, of_option, scheme_parser_for,
};
use crate::output::say;
use crate::progress::Progress;

/// The options of every question to a registry. Those of other schemes are refused, and not offered.
#[derive(Args)]
#[command(
    mut_arg("audience", |audience| audience
        .required(true)
        .help("The registry's party id: who must have signed what it says")),
    mut_arg("scheme", |scheme| scheme
        .value_name("SCHEME")
        .help("Whose rules apply")
        .value_parser(scheme_parser_for(has_registry))),
    mut_arg("realm", |realm| realm.hide(true)),
    mut_arg("endpoint", |endpoint| endpoint.hide(true)),
    mut_arg("kid", |kid| kid.hide(true)),
    mut_arg("kid_form", |form| form.hide(true)),
    mut_arg("trust", |trust| trust.required(true))
)]
pub(crate) struct RegistryOptions {
    #[command(flatten)]
    client: ClientOptions,
    #[command(flatten)]
    server: ServerOptions,
    /// Who vouches for the registry's seal: certificates, PEM or DER, of its root, its CA or itself
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    #[command(flatten)]
    revocation: RevocationArgs,
}

fn has_registry(scheme: &SchemeRules) -> bool {
    scheme.registry().is_some()
}

/// A registry that has given us an access token.
pub(super) struct Opened {
    http: Http,
    base: BaseUrl,
    token: AccessToken,
    registry_id: String,
    trust: Certificates,
    /// Who asks.
    pub(super) client_id: String,
    /// By what revocation is judged.
    pub(super) revocation: RevocationSource,
    /// Whose registry it is.
    pub(super) scheme: &'static Scheme,
    /// What a person sees of it.
    pub(super) progress: Progress,
}

impl RegistryOptions {
    /// Which version of iSHARE is meant.
    pub(crate) fn scheme(&self) -> Result<&'static Scheme, CliError> {
        let scheme = self.client.scheme;
        let built_in = scheme.built_in().filter(|it| has_registry(it));
        built_in.ok_or_else(|| CliError::Option {
            option: "--scheme",
            reason: format!("is {}, which has no participant registry", scheme.title()),
        })
    }

    /// A registry to be asked for as long as a process runs, and who asks. Nothing is sent yet.
    pub(crate) fn source(&self) -> Result<(ClientRegistry, String), CliError> {
        self.scheme()?;
        let base = self.client.server()?;
        let trust = self.trust()?;
        let revocation = self.revocation.read()?.into_owned();
        let options = self.client.assertion()?;
        let registry_id = options.audience.clone();
        let registry_id =
            registry_id.ok_or_else(|| CliError::missing("--audience", "it names the registry"))?;
        let client = Client::from_source(self.client.source()?, self.server.http()?);
        let client_id = client.source().client_id().as_str().to_owned();
        let server = Server::new(base).assertion(options);
        let source = ClientRegistry::new(client, server, registry_id, trust);
        Ok((source.revocation(revocation), client_id))
    }

    /// What the options say of a client; of a receiver without a registry, what it must be.
    pub(crate) const fn client(&self) -> &ClientOptions {
        &self.client
    }

    /// The certificates of `--trust`.
    pub(crate) fn trust(&self) -> Result<Certificates, CliError> {
        let path = self.trust.as_deref().ok_or_else(|| {
            CliError::missing(
                "--trust",
                "somebody vouches for the certificates that come in",
            )
        })?;
        Certificates::from_file(path).map_err(of_option("--trust"))
    }

    /// By what revocation of the certificates of parties is judged.
    pub(crate) fn revocation(&self) -> Result<Revocation, CliError> {
        Ok(self.revocation.read()?.into_owned())
    }

    /// The lists by which it is judged, read again.
    pub(crate) fn lists(&self) -> Result<Vec<Crl>, CliError> {
        self.revocation.lists_again()
    }

    /// Gets an access token. Everything is checked that can be, before a PIN is used.
    pub(super) fn open(&self) -> Result<Opened, CliError> {
        let scheme = self.scheme()?;
        let base = self.client.server()?;
        let (http, progress) = self.server.watched_http()?;
        let trust = self.trust()?;
        let revocation = self.revocation.read()?;
        let options = self.client.assertion()?;
        let (client, tries) = self.client.source_for_tries()?;
        progress.step("for an access token");
        let token = retry(&tries, &mut http.runtime(), |_| {
            client.access_token(&http, &base, &options)
        })?;
        if !revocation.options().is_asked() && !self.revocation.is_off() {
            progress.aside(|| {
                say!(
                    "warning: whether the registry's seal is revoked is not checked: neither --crl nor --revocation was given"
                );
            });
        }
        Ok(Opened {
            http,
            base,
            token,
            registry_id: options.audience.unwrap_or_default(),
            trust,
            client_id: client.client_id().as_str().to_owned(),
            revocation,
            scheme,
            progress,
        })
    }
}

/// Which places of revocation gave nothing is said when all is done.
impl Drop for Opened {
    fn drop(&mut self) {
        self.revocation.warn();
    }
}

impl Opened {
    pub(super) fn registry(&self) -> Registry<'_> {
        let expected = Expected::new(&self.registry_id, &self.client_id, &self.trust);
        Registry::new(
            &self.http,
            &self.base,
            &self.token,
            expected.revocation(self.revocation.options()),
        )
    }
}
