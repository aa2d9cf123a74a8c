//! Which registry is asked, by whom, and why it is believed.

use std::path::PathBuf;

use clap::Args;
use privyseal::certificates::Certificates;
use privyseal::crl::Crl;
use privyseal::ishare::{Expected, Registry};
use privyseal::pace::SystemPace;
use privyseal::retry::retrying;
use privyseal::{AccessToken, BaseUrl, Error, Http, Scheme};
use privyseal_core::scheme::{ISHARE, ISHARE_1};

use crate::command::options::{ClientOptions, ServerOptions};

/// The options of every question to a registry.
#[derive(Args)]
#[command(mut_arg("audience", |audience| audience
    .required(true)
    .help("The registry's party id: who must have signed what it says")))]
pub(super) struct RegistryOptions {
    #[command(flatten)]
    client: ClientOptions,
    #[command(flatten)]
    server: ServerOptions,
    /// Who vouches for the registry's seal: certificates, PEM or DER, of its root, its CA or itself
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Check revocation with the lists in this PEM or DER file; may be given more than once
    #[arg(long = "crl", value_name = "FILE")]
    crls: Vec<PathBuf>,
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
    /// Revocation lists.
    pub(super) crls: Vec<Crl>,
    /// Whether parties are looked up in the way of iSHARE 1.x.
    pub(super) is_version_1: bool,
}

impl RegistryOptions {
    /// Which version of iSHARE is meant.
    pub(super) fn scheme(&self) -> Result<&'static Scheme, Error> {
        let scheme = self.client.scheme();
        if scheme == &ISHARE || scheme == &ISHARE_1 {
            return Ok(scheme);
        }
        Err(Error::Option {
            option: "--scheme",
            reason: format!("is {}, which has no participant registry", scheme.title),
        })
    }

    /// Gets an access token. Everything is checked that can be, before a PIN is used.
    pub(super) fn open(&self) -> Result<Opened, Error> {
        let is_version_1 = self.scheme()? == &ISHARE_1;
        let base = self.client.server()?;
        let http = self.server.http()?;
        let trust = Certificates::from_file(&self.trust)?;
        let crls = self.crls.iter().map(|path| Crl::from_file(path));
        let crls = crls.collect::<Result<Vec<_>, _>>()?.concat();
        let options = self.client.assertion()?;
        let (mut client, tries) = self.client.source_for_tries()?;
        let token = retrying(&tries, &mut SystemPace::default(), |_| {
            client.access_token(&http, &base, &options)
        })?;
        if crls.is_empty() {
            eprintln!(
                "warning: whether the registry's seal is revoked is not checked: no --crl was given"
            );
        }
        Ok(Opened {
            http,
            base,
            token,
            registry_id: options.audience.unwrap_or_default(),
            trust,
            client_id: client.client_id().as_str().to_owned(),
            crls,
            is_version_1,
        })
    }
}

impl Opened {
    pub(super) fn registry(&self) -> Registry<'_> {
        Registry {
            http: &self.http,
            base: &self.base,
            token: &self.token,
            expected: Expected {
                registry_id: &self.registry_id,
                client_id: &self.client_id,
                trust: &self.trust,
                crls: &self.crls,
            },
            now: None,
        }
    }
}
