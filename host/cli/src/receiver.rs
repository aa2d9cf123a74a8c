//! `privyseal receiver`: the side that assertions come to.

use core::net::SocketAddr;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use privyseal::Certificates;
use privyseal_core::scheme::{KeyReference, SchemeRules};
use privyseal_receiver::replay::{RedisOptions, RedisStore};
use privyseal_receiver::server::TokenServer;
use privyseal_receiver::{
    CachePolicy, Receiver as Accepting, ReceiverBuilder, RegisteredClients, Rejection,
    VerifiedParty,
};

use tracing::field::display;

use crate::error::CliError;
use crate::input;
use crate::ishare::registry::RegistryOptions;
use crate::log::told;
use crate::options::{of_option, scheme_parser};

/// Accept client assertions: a token endpoint, introspection, and a judge for services in any language
#[derive(Subcommand)]
pub(super) enum Receiver {
    Serve(Box<Serve>),
}

/// Serve a token endpoint, until SIGTERM; SIGHUP has files read again. TLS ends at a proxy before it.
///
/// Parties of a scheme with a registry are looked up there, by this machine's own --key. Of any other scheme, clients are
/// those that --clients lists.
#[derive(Args)]
#[command(
    mut_arg("scheme", |scheme| scheme.value_name("SCHEME|FILE").value_parser(scheme_parser())),
    mut_arg("audience", |audience| audience
        .required(false)
        .help("The registry's party id; with --clients, what aud must be")),
    mut_arg("key", |key| key.required(false)),
    mut_arg("realm", |realm| realm.hide(false)),
    mut_arg("endpoint", |endpoint| endpoint.hide(false)),
    mut_arg("now", |now| now.hide(true).value_parser(for_one_assertion::<u64>)),
    mut_arg("jti", |jti| jti.hide(true).value_parser(for_one_assertion::<String>)),
    mut_arg("trust", |trust| trust
        .required(false)
        .help("Who vouches for the registry's seal, or for the certificates of clients: PEM or DER"))
)]
pub(super) struct Serve {
    #[command(flatten)]
    registry: RegistryOptions,
    /// The clients that there are, with their certificates or key sets: a TOML file with tables [client.ID]
    #[arg(long, value_name = "FILE", 
          conflicts_with_all = ["key", "client_id", "chain", "kid", "kid_form", "backdate", "lifetime", "stale_limit"])]
    clients: Option<PathBuf>,
    /// The address of the token endpoint
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// The address of introspection and of POST /v1/accept, on loopback
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8481")]
    internal: SocketAddr,
    /// Share what was seen, and the access tokens, with other receivers: a file with the URL of a Valkey or Redis server
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Whose certificate the server of --store must have, if it speaks TLS (rediss:), instead of the machine's: PEM
    #[arg(long, value_name = "FILE", requires = "store")]
    store_cacert: Option<PathBuf>,
    /// Seconds by which the clocks of clients may differ
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(0..=60))]
    leeway: u64,
    /// Use what the registry said no longer than that while it is away
    #[arg(long, value_name = "SECONDS", default_value_t = 3600,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    stale_limit: u64,
}

crate::runs! { Receiver: Serve }

impl Serve {
    fn run(self) -> Result<(), CliError> {
        let builder = match &self.clients {
            Some(path) => self.by_list(path)?,
            None => self.by_registry()?,
        };
        let builder = builder
            .revocation(self.registry.revocation()?)
            .leeway(self.leeway);
        let store = self.store(&builder)?;
        let builder = match &store {
            Some(store) => builder.replay(store.clone()),
            None => builder,
        };
        let receiver = builder.build();
        let receiver = receiver
            .map_err(|error| CliError::option("--audience", format!("does not fit: {error}")))?;
        let audience = receiver.audience().to_owned();
        let server = TokenServer::new(receiver).watched(log);
        let server = match store {
            Some(store) => server.tokens(store),
            None => server,
        };
        let paths = server.token_paths().to_owned();
        let (listen, internal) = (self.listen, self.internal);
        let server = server.reloaded(move |receiver| self.reload(receiver));
        let bound = server.bind(listen, internal).map_err(CliError::Serve)?;
        let (public, internal) = bound.addresses().map_err(CliError::Serve)?;
        tracing::info!("listening on http://{public}, and for services on http://{internal}");
        if paths.is_empty() {
            tracing::info!(
                "no token endpoint: the scheme names no path, or its tokens are for persons"
            );
        } else {
            tracing::info!("token endpoint: POST {}", paths.join(" or "));
        }
        tracing::info!("aud of an assertion: {audience}");
        bound.run().map_err(CliError::Serve)
    }

    /// Parties are looked up.
    fn by_registry(&self) -> Result<ReceiverBuilder, CliError> {
        let rules = self.registry.client().scheme;
        if rules.registry().is_none() {
            let reason = format!("{} has no registry that knows its clients", rules.title());
            return Err(CliError::missing("--clients", reason));
        }
        let scheme = self.registry.scheme()?;
        let (source, audience) = self.registry.source()?;
        let limit = Duration::from_secs(self.stale_limit);
        let policy = CachePolicy::default();
        let fresh = policy.refresh_after.min(limit / 3);
        let life = policy.life.min(limit / 2);
        Ok(Accepting::builder(scheme)
            .audience(audience)
            .registry(source)
            .cache(policy.refresh_after(fresh).limit(limit).life(life)))
    }

    /// Clients are those of a list.
    fn by_list(&self, path: &Path) -> Result<ReceiverBuilder, CliError> {
        let client = self.registry.client();
        let scheme = client.scheme;
        if scheme.registry().is_some() {
            let reason = format!(
                "is not for {}: its registry knows the parties",
                scheme.title()
            );
            return Err(CliError::option("--clients", reason));
        }
        let given = client.assertion()?.audience;
        let own = scheme.audience().value().default();
        let audience = given.or_else(|| own.map(str::to_owned));
        let audience =
            audience.ok_or_else(|| CliError::missing("--audience", "it says what aud must be"))?;
        let clients = clients(path, scheme)?;
        if clients.is_empty() {
            let reason = "lists no client, and who knows none accepts nobody";
            return Err(CliError::option("--clients", reason));
        }
        let builder = Accepting::builder(scheme)
            .audience(audience)
            .clients(clients);
        Ok(match scheme.key_reference().value() {
            KeyReference::X5cWithRoot => builder.trust(self.registry.trust()?),
            _ => builder,
        })
    }

    fn store(&self, receiver: &ReceiverBuilder) -> Result<Option<Arc<RedisStore>>, CliError> {
        let Some(path) = &self.store else {
            return Ok(None);
        };
        let url = input::secret(path).map_err(of_option("--store"))?;
        let mut options = receiver.share(RedisOptions::new(url.trim()));
        if let Some(path) = &self.store_cacert {
            let roots = Certificates::from_file(path).map_err(of_option("--store-cacert"))?;
            options.roots = Some(roots);
        }
        let store = RedisStore::new(options);
        let store = store
            .map_err(|error| CliError::option("--store", format!("{}: {error}", path.display())))?;
        if let Err(error) = store.check() {
            tracing::warn!(%error, "nobody is accepted: the store does not serve");
        }
        Ok(Some(Arc::new(store)))
    }

    /// What cannot be read leaves all as it is.
    fn reload(&self, receiver: &Accepting) {
        let clients = self.clients.as_deref();
        let clients = clients.map(|path| self::clients(path, receiver.scheme()));
        match (clients.transpose(), self.registry.lists()) {
            (Ok(clients), Ok(lists)) => {
                receiver.set_lists(lists);
                if clients.as_ref().is_some_and(RegisteredClients::is_empty) {
                    tracing::warn!("no client is listed");
                }
                if let Some(clients) = clients {
                    receiver.set_clients(clients);
                }
                tracing::info!("read again");
            }
            (Err(error), _) | (_, Err(error)) => tracing::error!(%error, "not read again"),
        }
    }
}

fn clients(path: &Path, scheme: &SchemeRules) -> Result<RegisteredClients, CliError> {
    let clients = RegisteredClients::from_file(path, scheme);
    clients.map_err(|error| CliError::option("--clients", error))
}

/// An option that nothing could be done with.
fn for_one_assertion<T>(_given: &str) -> Result<T, &'static str> {
    Err("it is for one assertion, and a server makes many")
}

/// One event for each assertion. A client writes its `jti` as it likes.
fn log(outcome: Result<&VerifiedParty, &Rejection>) {
    match outcome {
        Ok(party) => {
            let jti = told(party.jti());
            tracing::info!(client_id = %party.id(), %jti, "accepted");
        }
        Err(rejection) => {
            let claimed = rejection.claimed();
            let client_id = claimed.map(|(client_id, _)| display(told(client_id)));
            let jti = claimed.filter(|(_, jti)| !jti.is_empty());
            let jti = jti.map(|(_, jti)| display(told(jti)));
            let (rule, reason) = (rejection.rule().name(), rejection.text());
            if rejection.is_temporary() {
                tracing::warn!(%rule, claimed_client_id = client_id, claimed_jti = jti, %reason, "refused");
            } else {
                tracing::info!(%rule, claimed_client_id = client_id, claimed_jti = jti, %reason, "refused");
            }
        }
    }
}
