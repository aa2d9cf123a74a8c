//! An authorization server in the shape of KPN FIAM's, on loopback HTTPS; its judgement shares no code with
//! the core ([`privyseal_test_judges::assertion_judge`]).
//!
//! # What it answers
//! `POST {base}/oauth/token` gives a bearer token for 360 s, `GET {base}/service-consumers/contracts`
//! a page of contracts for it. Every HTTP error that FIAM's documentation lists can be had:
//!
//! | status | how |
//! |---|---|
//! | 400 | a form member missing, repeated or wrong; a JWS that cannot be read |
//! | 401 | a wrong signature, another certificate than before, a header member too many, a wrong audience, time or a repeated `jti`; a bearer token unknown or expired |
//! | 403 | party `EU.EORI.NL000000403` at the token endpoint, `EU.EORI.NL100000403` at contracts |
//! | 404 | a party id that is none; `EU.EORI.NL000000404`, `EU.EORI.NL100000404`; an unknown path |
//! | 429 | `EU.EORI.NL000000429`, `EU.EORI.NL100000429`, with `Retry-After` |
//! | 500 | `EU.EORI.NL000000500`, `EU.EORI.NL100000500` |
//!
//! Which certificate a party has, it learns from the party's first assertion (FIAM knows it from onboarding). What it
//! does not know: revocation.

mod contracts;
mod routes;

use std::io;
use std::sync::Arc;

use crate::loopback::{Loopback, refusal};
use crate::token_desk::TokenDesk;

pub use crate::loopback::{Clock, system_clock};

use contracts::Contracts;

/// The audience of FIAM's production, which this server plays.
pub const AUDIENCE: &str = "EU.EORI.NLKPNFIAMPROD";

/// The path below which everything is served.
pub const BASE_PATH: &str = "/fiam/api/v1";

/// Seconds that an access token is good for.
pub const TOKEN_LIFETIME: u64 = 360;

/// How a server is started.
pub struct Config {
    /// The one root that is trusted, DER.
    pub trust: Vec<u8>,
    /// Loopback port; 0 takes a free one.
    pub port: u16,
    /// What time it is.
    pub clock: Clock,
    /// How many contracts each party has.
    pub contracts: usize,
    /// How many of them a page has.
    pub page_size: usize,
}

impl Config {
    /// A server that trusts `root` (DER), on a free port, with the system's clock and two contracts.
    pub fn trusting(root: &[u8]) -> Self {
        Self {
            trust: root.to_vec(),
            port: 0,
            clock: system_clock(),
            contracts: 2,
            page_size: 100,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A server that runs in a thread of this process until it is dropped.
#[derive(Debug)]
pub struct FiamServer(Loopback);

impl FiamServer {
    /// Starts a server that trusts `root` (DER), on a free port, with the system's clock.
    ///
    /// # Panics
    /// If it cannot start.
    pub fn trusting(root: &[u8]) -> Self {
        Self::start(Config::trusting(root)).expect("a server on loopback")
    }

    /// Starts a server. When this returns, it answers.
    pub fn start(config: Config) -> io::Result<Self> {
        let desk = TokenDesk::new(&config.trust, AUDIENCE, TOKEN_LIFETIME, config.clock)?;
        let contracts = Contracts {
            count: config.contracts,
            page_size: config.page_size,
        };
        let handler = Arc::new(move |request: &_| {
            routes::route(&desk, contracts, request).unwrap_or_else(|refused| refusal(&refused))
        });
        Loopback::start(config.port, handler).map(Self)
    }

    /// `https://127.0.0.1:PORT/fiam/api/v1`
    pub fn base_url(&self) -> String {
        format!("{}{BASE_PATH}", self.0.origin())
    }

    /// The certificate of the throw-away CA that a client must trust, PEM.
    pub fn tls_ca_pem(&self) -> &str {
        self.0.tls_ca_pem()
    }
}
