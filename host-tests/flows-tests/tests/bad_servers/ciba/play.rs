//! A flow whose waiting costs no time: the clock goes while it sleeps.

use core::time::Duration;

use std::sync::Arc;

use privyseal::base::BaseError;
use privyseal::base::runtime::Runtime;
use privyseal::jose::jwe::Recipient;
use privyseal::keys::key::KeyUnwrapper;
use privyseal::oauth::AuthenticationOptions;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::ciba::{Ciba, CibaFlow, Identity, QrImage, State, Watcher};
use privyseal::oidc::discovery::ProviderMetadata;
use privyseal::{
    AssertionOptions, Error, Provider, RetryPolicy, SigningClient, UnixTime, base::clock,
};
use privyseal_core::kid::Kid;
use privyseal_core::scheme::ITSME;
use privyseal_core::{ClientId, KeyEncryption};
use privyseal_test_pki::test_key;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::software_signer::SoftwareSigner;

use crate::stage::{LIMIT, http_retrying};

/// What an authentication request is known by: too short to be taken for a token by its look.
pub(super) const AUTH_REQ_ID: &str = "q7-Zk.4_w";

/// Who asks.
pub(super) const CLIENT_ID: &str = "partner";

/// A flow whose keys are in memory.
pub(super) type Flow<'f, 's> = Ciba<'f, &'f mut Played<'s>>;

/// A clock that goes while the flow sleeps, and sees when the server was asked.
pub(super) struct Played<'s> {
    server: &'s BadServer,
    elapsed: u64,
    /// In seconds, each request once.
    asked_at: Vec<u64>,
    /// What they show, each time.
    dice: u64,
}

impl Played<'_> {
    fn look(&mut self) {
        let asked = self.server.requests().len();
        self.asked_at.resize(asked, self.elapsed);
    }
}

impl Runtime for &mut Played<'_> {
    fn elapsed(&mut self) -> Duration {
        Duration::from_secs(self.elapsed)
    }

    fn now(&mut self) -> Result<UnixTime, BaseError> {
        Ok(clock::now()?.saturating_add(self.elapsed))
    }

    fn pause(&mut self, duration: Duration) {
        self.look();
        // Whoever waits for a person is told each second; keys are read again after half a minute at most.
        assert!(duration <= Duration::from_secs(32), "{duration:?}");
        self.elapsed += duration.as_secs();
    }

    fn random(&mut self) -> Result<u64, BaseError> {
        Ok(self.dice)
    }
}

/// Counts the states.
#[derive(Default)]
pub(super) struct Patient(pub(super) Vec<State>);

impl Watcher for Patient {
    fn qr_code(&mut self, _: &QrImage) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }

    fn waiting(&mut self, state: State, _: Duration) {
        self.0.push(state);
    }
}

/// What a provider like itsme says about itself.
pub(crate) fn metadata(issuer: &str) -> String {
    format!(
        r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token",
        "userinfo_endpoint":"{issuer}/userinfo",
        "backchannel_authentication_endpoint":"{issuer}/backchannel/authentication"}}"#
    )
}

/// The provider has taken the request.
pub(crate) fn acknowledged(expires_in: u64, interval: u64) -> Reply {
    let body = format!(
        r#"{{"auth_req_id":"{AUTH_REQ_ID}","expires_in":{expires_in},"interval":{interval}}}"#
    );
    Reply::json("200 OK", &body)
}

pub(super) fn not_yet(error: &str) -> Reply {
    Reply::json("400 No", &format!(r#"{{"error":"{error}"}}"#))
}

/// What a flow runs with.
pub(super) struct Setting<'s> {
    pub(super) server: &'s BadServer,
    /// What the provider says about itself.
    pub(super) metadata: String,
    pub(super) dice: u64,
    /// How long a request may take.
    pub(super) limit: Duration,
    /// How often something is read.
    pub(super) retry: RetryPolicy,
    /// What is said about every assertion.
    pub(super) assertion: AssertionOptions,
    /// To what the provider encrypts.
    pub(super) unwrappers: Vec<KeyUnwrapper>,
    pub(super) registered: Option<KeyEncryption>,
    /// To whom assertions are encrypted.
    pub(super) recipient: Option<Recipient>,
}

impl<'s> Setting<'s> {
    pub(super) fn usual(server: &'s BadServer) -> Self {
        Self {
            server,
            metadata: metadata(&server.base_url()),
            dice: 0,
            limit: LIMIT,
            retry: RetryPolicy::NEVER,
            assertion: AssertionOptions::default(),
            unwrappers: Vec::new(),
            registered: None,
            recipient: None,
        }
    }

    /// Plays `step`; gives its outcome, when the server was asked, and when it was over.
    pub(super) fn play<O>(&self, step: impl FnOnce(&mut Flow<'_, '_>) -> O) -> (O, Vec<u64>, u64) {
        let mut runtime = Played {
            server: self.server,
            elapsed: 0,
            asked_at: Vec::new(),
            dice: self.dice,
        };
        let http = http_retrying(self.server.certificate(), self.limit, self.retry);
        let metadata =
            ProviderMetadata::from_bytes(&self.server.base_url(), self.metadata.as_bytes());
        let provider = Arc::new(Provider::new(metadata.unwrap()));
        let (id, kid) = (ClientId::new(CLIENT_ID).unwrap(), Kid::new("k1").unwrap());
        let signer = SoftwareSigner::new(&test_key("seal", 2048));
        let client = SigningClient::with_kid(&ITSME, id, kid, signer).unwrap();
        let party = RelyingParty::new(Arc::new(client), http, provider);
        let mut party = party.assertion(self.assertion.clone());
        party.unwrappers.clone_from(&self.unwrappers);
        party.registered = self.registered;
        party.encrypt_assertions = self.recipient.clone().into();
        let outcome = step(&mut Ciba::new(&party, &mut runtime));
        runtime.look();
        (outcome, runtime.asked_at, runtime.elapsed)
    }
}

/// Plays `step` against the server; gives its outcome, and when the server was asked.
pub(super) fn play<O>(
    server: &BadServer,
    step: impl FnOnce(&mut Flow<'_, '_>) -> O,
) -> (O, Vec<u64>) {
    let (outcome, asked_at, _) = Setting::usual(server).play(step);
    (outcome, asked_at)
}

/// What is asked about somebody who is known.
pub(super) fn asked() -> AuthenticationOptions {
    let mut asked = AuthenticationOptions::default();
    "openid service:TEST".clone_into(&mut asked.scope);
    asked.user_identifier_token = "somebody".to_owned().into();
    asked
}

/// From the request to the tokens.
pub(super) fn tokens(flow: &mut Flow<'_, '_>) -> Result<CibaFlow, Error> {
    let mut person = CibaFlow::begin(&asked());
    let until = Some(State::Tokens);
    flow.run(&mut person, until, None, &mut Patient::default())?;
    Ok(person)
}

/// From the tokens to who it was.
pub(super) fn identity(
    flow: &mut Flow<'_, '_>,
    mut person: CibaFlow,
    userinfo: bool,
) -> Result<Identity, Error> {
    if !userinfo {
        person = person.without_userinfo();
    }
    let done = flow.run(&mut person, None, None, &mut Patient::default())?;
    Ok(*done.unwrap())
}

/// Until somebody has scanned the QR code.
pub(super) fn discover(flow: &mut Flow<'_, '_>, watcher: &mut Patient) -> Result<(), Error> {
    let mut person = CibaFlow::begin(&AuthenticationOptions::default());
    let until = Some(State::Authentication);
    flow.run(&mut person, until, None, watcher)?;
    Ok(())
}

/// From the request to the tokens, against that server.
pub(super) fn authenticated(server: &BadServer) -> (Result<CibaFlow, Error>, Vec<u64>) {
    play(server, tokens)
}
