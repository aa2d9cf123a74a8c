//! `privyseal receiver`: the side that assertions come to.

use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use privyseal::base::clock;
use privyseal_receiver::replay::{MemoryStore, RedisOptions, RedisStore, StoreError};
use privyseal_receiver::server::TokenServer;
use privyseal_receiver::{CachePolicy, Receiver as Accepting, Rejection, VerifiedParty};

use crate::error::CliError;
use crate::input;
use crate::ishare::registry::RegistryOptions;
use crate::options::of_option;
use crate::output::say;

/// Accept client assertions: a token endpoint, introspection, and a judge for services in any language
#[derive(Args)]
pub(super) struct Receiver {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Serve(Box<Serve>),
}

/// Serve a token endpoint for parties of iSHARE, until SIGTERM. TLS ends at a proxy before it.
#[derive(Args)]
struct Serve {
    #[command(flatten)]
    registry: RegistryOptions,
    /// The address of the token endpoint
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// The address of introspection and of POST /v1/accept, on loopback
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8481")]
    internal: SocketAddr,
    /// Share what was seen, and the access tokens, with other receivers: a file with the URL of a Valkey or Redis server
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Seconds by which the clocks of clients may differ
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(0..=60))]
    leeway: u64,
    /// Use what the registry said no longer than that while it is away
    #[arg(long, value_name = "SECONDS", default_value_t = 3600,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    stale_limit: u64,
}

impl Receiver {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Action::Serve(serve) => serve.run(),
        }
    }
}

impl Serve {
    fn run(self) -> Result<(), CliError> {
        let scheme = self.registry.scheme()?;
        let url = self.store.as_deref().map(input::secret).transpose();
        let url = url.map_err(of_option("--store"))?;
        let (source, audience) = self.registry.source()?;
        let limit = Duration::from_secs(self.stale_limit);
        let fresh = CachePolicy::default().refresh_after.min(limit / 2);
        let builder = Accepting::builder(scheme)
            .audience(audience)
            .registry(source)
            .revocation(self.registry.revocation()?)
            .cache(CachePolicy::default().refreshed(fresh, limit))
            .leeway(self.leeway);
        let shared = || match &url {
            Some(url) => RedisStore::new(RedisOptions::new(url.trim())).map(Some),
            None => Ok(None),
        };
        let of_store = |error: StoreError| CliError::option("--store", error);
        let builder = match shared().map_err(of_store)? {
            Some(store) => builder.replay(store),
            // What was accepted before this process began is forgotten.
            None => builder.replay(MemoryStore::new(MAX_REMEMBERED).beginning(clock::now()?)),
        };
        let receiver = builder.build();
        let receiver = receiver.map_err(|error| CliError::option("--client-id", error))?;
        let server = TokenServer::new(receiver).watched(log);
        let server = match shared().map_err(of_store)? {
            Some(store) => server.tokens(store),
            None => server,
        };
        let bound = server
            .bind(self.listen, self.internal)
            .map_err(CliError::Serve)?;
        let (public, internal) = bound.addresses().map_err(CliError::Serve)?;
        say!("listening on http://{public}, and for services on http://{internal}");
        bound.run().map_err(CliError::Serve)
    }
}

/// How many assertions are remembered in memory.
const MAX_REMEMBERED: usize = 1_000_000;

/// One line for each assertion.
fn log(outcome: Result<&VerifiedParty, &Rejection>) {
    match outcome {
        Ok(party) => say!("accepted {} jti {}", party.id(), shown(party.jti())),
        Err(rejection) => say!("refused {rejection}"),
    }
}

/// A client writes its `jti` as it likes.
fn shown(text: &str) -> String {
    privyseal::base::display::sanitize_for_display(text, None)
}
