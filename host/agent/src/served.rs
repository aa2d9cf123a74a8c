//! A profile that is served: its key, who may ask, and what is done for those who may.

mod audited;
mod desk;

use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use hyper::StatusCode;
use privyseal::base::{clock, file};
use privyseal::jose::jwk::{KidChoice, KidForm};
use privyseal::keys::SignerFailure;
use privyseal::keys::key::KeyUri;
use privyseal::oauth::OAuthError;
use privyseal::profile::Profile;
use privyseal::{AccessToken, Assertion, AssertionSource, Client, Error, Server, TokenSource};
use privyseal_core::{ClientId, SignerError as _, SignerErrorKind, UnixTime};
use privyseal_hsm::{Prompt, lock};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::audit::AuditLog;
use crate::metrics::Metrics;
use crate::pins::{PinRefusals, Pins};
use crate::problem::{Problem, may_come};
use crate::stream::Connection;
use audited::Audited;
use desk::Waiting;
use desk::{ANSWER_LIMIT, Desk, Kind, SILENCE_LIMIT, no_answer};

/// How long a self-test counts, and how long one may take.
const SELF_TEST_COUNTS: Duration = Duration::from_secs(5);
const SELF_TEST_LIMIT: Duration = Duration::from_secs(10);

/// The largest file of certificates, in bytes, as the library reads them.
const MAX_FILE: usize = 1024 * 1024;

/// How often the log tells what strangers do.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How long a key that was away is left alone.
const COOLDOWN: Duration = Duration::from_secs(5);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Requester {
    /// A user of this machine, by the word of its kernel.
    User(u32),
    /// A caller with the bearer token.
    Bearer,
}

/// What all profiles share.
pub(crate) struct Shared {
    pub(crate) audit: AuditLog,
    pub(crate) metrics: Metrics,
    pub(crate) refused_pins: Arc<PinRefusals>,
    pub(crate) waiting: Waiting,
    /// Whether the agent ends.
    pub(crate) is_ending: AtomicBool,
    /// Who tests the audit log has it: of those who wait for a disk that hangs one has a thread.
    pub(crate) log_test: Arc<tokio::sync::Mutex<()>>,
    /// When a line of the log was told last, by what it is about.
    pub(crate) told: Mutex<BTreeMap<&'static str, Instant>>,
}

impl Shared {
    pub(crate) fn new(audit: AuditLog) -> Self {
        Self {
            audit,
            metrics: Metrics::default(),
            refused_pins: Arc::default(),
            waiting: Waiting::default(),
            is_ending: AtomicBool::default(),
            log_test: Arc::default(),
            told: Mutex::default(),
        }
    }

    /// Whether to tell what anybody can cause as often as they like: once a second. The metrics count them all.
    pub(crate) fn may_tell(&self, about: &'static str) -> bool {
        let mut told = lock(&self.told);
        let is_new = told.get(about).is_none_or(|at| at.elapsed() >= TELL_EVERY);
        if is_new {
            told.insert(about, Instant::now());
        }
        is_new
    }
}

const ASSERTION: Kind = Kind {
    desk: |served| &served.assertions,
    given_up: |served| served.found(&Err::<(), _>(no_answer())),
};

const TOKEN: Kind = Kind {
    desk: |served| &served.tokens,
    given_up: |served| served.shared.metrics.token(&served.name, no_answer().kind),
};

/// One profile.
pub(crate) struct Served {
    name: String,
    profile: Profile,
    strict_pin_files: bool,
    /// What was in its files of certificates.
    certificates: Vec<Option<Vec<u8>>>,
    server: Result<Server, Problem>,
    shared: Arc<Shared>,
    /// Apart, so that a server that hangs takes no assertions with it.
    assertions: Desk,
    tokens: Desk,
    key: Mutex<Key>,
    tested: tokio::sync::Mutex<Option<(Instant, Result<(), Problem>)>>,
}

enum Key {
    Open(Arc<Opened>),
    /// It is away; it may come.
    Away(Option<(Instant, Problem)>),
    /// Trying again may cost a PIN try, or helps nobody, until somebody says that it is mended.
    Unusable(Problem),
}

struct Opened {
    client: Client,
    tokens: Result<TokenSource, Problem>,
    key_digest: String,
    is_gateway: bool,
}

impl Opened {
    fn check_validity(&self, now: UnixTime) -> Result<(), Problem> {
        let validity = self.client.source().validity(now);
        let checked = validity.map_or(Ok(()), |validity| validity.check(now));
        Ok(checked.map_err(privyseal_core::Error::from)?)
    }
}

impl Served {
    pub(crate) fn new(profile: Profile, strict_pin_files: bool, shared: &Arc<Shared>) -> Self {
        Self {
            name: profile.name().unwrap_or_default().to_owned(),
            server: profile.server().map_err(Problem::from),
            certificates: certificates(&profile),
            profile,
            strict_pin_files,
            shared: Arc::clone(shared),
            assertions: Desk::new(SILENCE_LIMIT),
            tokens: Desk::new(ANSWER_LIMIT),
            key: Mutex::new(Key::Away(None)),
            tested: tokio::sync::Mutex::default(),
        }
    }

    /// Whether it says the same of its key, wherever it is said, and the same is in its files of certificates.
    pub(crate) fn is_of(&self, profile: &Profile, strict_pin_files: bool) -> bool {
        let said = |profile: &Profile| -> Vec<_> {
            let members = profile.members();
            members
                .filter(|(name, ..)| *name != "allow-uids")
                .map(|(name, value, _)| (name, value.clone()))
                .collect()
        };
        said(&self.profile) == said(profile)
            && self.profile.scheme().ok() == profile.scheme().ok()
            && self.strict_pin_files == strict_pin_files
            && self.certificates == certificates(profile)
    }

    /// Whether the key signs, or is being opened or tested.
    pub(crate) fn may_sign(&self) -> bool {
        let key = self.key.try_lock();
        let tested = self.tested.try_lock();
        let is_failing = tested.is_ok_and(|it| matches!(&*it, Some((_, Err(_)))));
        !key.is_ok_and(|key| match &*key {
            // Perhaps its PIN is another one now.
            Key::Open(_) => is_failing,
            Key::Away(outcome) => outcome.is_some(),
            Key::Unusable(_) => true,
        })
    }

    /// Whether its key can be opened while another has it open: the line of a gateway is for one.
    pub(crate) fn can_be_opened_twice(&self) -> bool {
        let keys = self.profile.keys();
        keys.is_ok_and(|keys| !keys.iter().any(|key| matches!(key, KeyUri::Device(_))))
    }

    /// The same, with its key to be opened again, where the token has other certificates for it now.
    pub(crate) async fn renewed(self: &Arc<Self>) -> Option<Self> {
        let opened = self.open_now()?;
        let look = self.apart(move |_| Ok(opened.client.has_other_certificates()));
        let has_others = timeout(SELF_TEST_LIMIT, look).await;
        matches!(has_others, Ok(Ok(true)))
            .then(|| Self::new(self.profile.clone(), self.strict_pin_files, &self.shared))
    }

    /// How long until its certificates are valid, where its key is open; nothing where they are, or were.
    pub(crate) fn begins_in(&self) -> Option<Duration> {
        let (opened, now) = (self.open_now()?, clock::now().ok()?);
        let begin = opened.client.source().validity(now)?.not_before;
        let left = begin.as_secs().saturating_sub(now.as_secs());
        Some(Duration::from_secs(left))
    }

    /// It stays, though another one was tried.
    pub(crate) fn stays(&self) {
        self.shared.metrics.key_state(&self.name, "open");
        self.shared.metrics.ready(&self.name, true);
    }

    /// Its key, if it is open and not in the middle of it.
    fn open_now(&self) -> Option<Arc<Opened>> {
        match &*self.key.try_lock().ok()? {
            Key::Open(opened) => Some(Arc::clone(opened)),
            _ => None,
        }
    }

    /// A new assertion, for `audience` where the profile leaves that open, and how long it still lives.
    pub(crate) async fn assertion(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        requester: Requester,
        audience: Option<String>,
    ) -> Result<(Assertion, ClientId, u64), Problem> {
        let options = match audience {
            Some(audience) => self.profile.assertion_options_for(&audience)?,
            // What else it may say was checked at the start.
            None => self.profile.assertion_options().map_err(|error| Problem {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                kind: "audience",
                ..Problem::from(error)
            })?,
        };
        let scheme = self.profile.scheme()?;
        let rule = scheme.lifetime();
        let lifetime = rule.value().choose(options.lifetime, rule.source());
        let lifetime = lifetime
            .map_err(OAuthError::from)?
            .saturating_sub(options.backdate);
        let outcome = self.at_once(connection, ASSERTION, || {
            let opened = self.opened()?;
            let source = self.audited(&opened, requester);
            let begun = Instant::now();
            let assertion = source.assertion(&options)?;
            // The key may have taken longer than the assertion lives.
            let left = lifetime.saturating_sub(begun.elapsed().as_secs());
            if left == 0 {
                return Err(no_answer());
            }
            Ok((assertion, source.client_id().clone(), left))
        });
        let outcome = outcome.await.ok_or_else(no_answer)?;
        self.found(&outcome);
        outcome
    }

    /// An access token, and the seconds for which it is good.
    pub(crate) async fn token(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        requester: Requester,
    ) -> Result<(Arc<AccessToken>, u64), Problem> {
        let outcome = self.at_once(connection, TOKEN, || {
            let opened = self.opened()?;
            let tokens = opened.tokens.as_ref().map_err(Problem::clone)?;
            let (token, until) = tokens.token_until(&self.audited(&opened, requester))?;
            let now = clock::now()?;
            Ok((token, until.as_secs().saturating_sub(now.as_secs())))
        });
        let outcome = outcome.await.ok_or_else(no_answer)?;
        let outcome_word = outcome
            .as_ref()
            .map_or_else(|problem| problem.kind, |_| "ok");
        self.shared.metrics.token(&self.name, outcome_word);
        outcome
    }

    /// Whether it signs: its certificates are valid now, and the key makes a signature, which is discarded. What was found
    /// of the key a moment ago counts.
    pub(crate) async fn self_test(self: &Arc<Self>) -> Result<(), Problem> {
        // Those who ask at once wait for one test.
        let mut tested = self.tested.lock().await;
        let before = tested.take();
        let before = before.filter(|(at, _)| at.elapsed() < SELF_TEST_COUNTS);
        let is_new = before.is_none();
        let (at, of_key) = if let Some(before) = before {
            before
        } else {
            let test = self.apart(|served| Ok(served.opened()?.client.self_test()?));
            let outcome = timeout(SELF_TEST_LIMIT, test).await;
            let outcome = outcome.unwrap_or_else(|_| Err(no_answer()));
            (Instant::now(), outcome)
        };
        *tested = Some((at, of_key.clone()));
        drop(tested);
        self.found(&of_key);
        let outcome = of_key.and_then(|()| match self.open_now() {
            Some(opened) => opened.check_validity(clock::now()?),
            None => Ok(()),
        });
        self.shared.metrics.ready(&self.name, outcome.is_ok());
        if let Err(problem) = &outcome
            && is_new
        {
            tracing::warn!(profile = self.name, detail = %problem.detail, "the profile does not sign");
        }
        outcome
    }

    /// Has the metrics show what an assertion or a self-test tells of the key.
    fn found<T>(&self, outcome: &Result<T, Problem>) {
        let state = match outcome {
            Ok(_) => Some("open"),
            Err(problem) => problem.key_state,
        };
        if let Some(state) = state {
            self.shared.metrics.key_state(&self.name, state);
            self.shared.metrics.ready(&self.name, state == "open");
        }
    }

    /// Somebody says that what could not be used of its key is mended.
    pub(crate) fn try_again(&self) {
        if let Some(opened) = self.open_now() {
            opened.client.try_again();
        }
    }

    /// Has the metrics show how its key is now.
    pub(crate) fn observe(&self) {
        // Otherwise it is being opened.
        let Ok(key) = self.key.try_lock() else {
            return;
        };
        let opened = match &*key {
            Key::Open(opened) => Some(opened),
            _ => None,
        };
        let metrics = &self.shared.metrics;
        let sessions = opened.map_or(0, |opened| opened.client.open_sessions());
        metrics.sessions(&self.name, sessions);
        if let (Some(opened), Ok(now)) = (opened, clock::now()) {
            if let Some(validity) = opened.client.source().validity(now) {
                metrics.certificate_end(&self.name, validity.not_after, now);
            }
            if opened.check_validity(now).is_err() {
                metrics.ready(&self.name, false);
            }
        }
    }

    /// Work for a request, on its own thread: no other need be woken. Nothing, if it took so long that another one has
    /// answered.
    async fn at_once<T>(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        kind: Kind,
        work: impl FnOnce() -> Result<T, Problem>,
    ) -> Option<Result<T, Problem>> {
        let in_use = self.shared.metrics.in_use(&self.name);
        match (kind.desk)(self).turn(in_use, work).await {
            Ok(work) => self.shared.waiting.during(connection, self, kind, work),
            Err(problem) => Some(Err(problem)),
        }
    }

    /// Work that somebody waits for no longer than they like.
    async fn apart<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (served, in_use) = (Arc::clone(self), self.shared.metrics.in_use(&self.name));
        let work = self.assertions.turn(in_use, move || work(&served)).await?;
        spawn_blocking(work)
            .await
            .unwrap_or_else(|_| Err(no_answer()))
    }

    fn audited<'a>(&'a self, opened: &'a Opened, requester: Requester) -> Audited<'a> {
        let requester = match requester {
            Requester::User(uid) => format!("uid {uid}"),
            Requester::Bearer => "bearer".to_owned(),
        };
        Audited {
            served: self,
            opened,
            requester,
        }
    }

    /// The open key; opened now where it was not.
    fn opened(&self) -> Result<Arc<Opened>, Problem> {
        let mut key = self.key();
        match &*key {
            Key::Open(opened) => return Ok(Arc::clone(opened)),
            Key::Unusable(problem) => return Err(problem.clone()),
            Key::Away(Some((at, problem))) if at.elapsed() < COOLDOWN => {
                return Err(problem.clone());
            }
            Key::Away(_) => {}
        }
        let metrics = &self.shared.metrics;
        let mut outcome = self.open();
        // A token that refused its PIN is offered none again, and another reference may sign.
        for _ in 1..self.profile.keys()?.len() {
            let Some(error) = outcome.as_ref().err().filter(|it| is_pin_wrong(it)) else {
                break;
            };
            tracing::error!(profile = self.name, %error, "a reference to the key does not open");
            outcome = self.open();
        }
        match outcome {
            Ok(opened) => {
                tracing::info!(profile = self.name, "the key is open");
                metrics.key_state(&self.name, "open");
                let opened = Arc::new(opened);
                *key = Key::Open(Arc::clone(&opened));
                Ok(opened)
            }
            Err(error) => {
                tracing::error!(profile = self.name, %error, "the key cannot be opened");
                let may_come = may_come(&error);
                let problem = Problem::from(error);
                metrics.key_state(&self.name, problem.key_state.unwrap_or("unusable"));
                *key = if may_come {
                    Key::Away(Some((Instant::now(), problem.clone())))
                } else {
                    Key::Unusable(problem.clone())
                };
                Err(problem)
            }
        }
    }

    fn open(&self) -> Result<Opened, Error> {
        let (name, strict) = (self.name.clone(), self.strict_pin_files);
        let known = Arc::clone(&self.shared.refused_pins);
        let builder = self.profile.client_builder()?.pin_sources(move |uri| {
            let name = name.clone();
            let warn = move |warning: &str| tracing::warn!(profile = name, "{warning}");
            let sources = uri.pin_sources(Prompt::Never, warn).strict(strict);
            Pins::new(sources, Arc::clone(&known))
        });
        let client = builder.open()?;
        let digest = KidChoice::Computed(KidForm::Keycloak).text(client.source().public_key());
        let http = client.http().clone();
        Ok(Opened {
            tokens: match &self.server {
                Ok(server) => Ok(server.token_source(http)),
                Err(problem) => Err(problem.clone()),
            },
            // A computed one is always a kid.
            key_digest: digest.unwrap_or_default(),
            is_gateway: !self.can_be_opened_twice(),
            client,
        })
    }

    fn key(&self) -> MutexGuard<'_, Key> {
        lock(&self.key)
    }
}

fn certificates(profile: &Profile) -> Vec<Option<Vec<u8>>> {
    let files = profile.certificate_files();
    // Whoever opens the key says why one cannot be read.
    files.map(|path| file::read(path, MAX_FILE).ok()).collect()
}

fn is_pin_wrong(error: &Error) -> bool {
    error.find().map(SignerFailure::kind) == Some(SignerErrorKind::PinIncorrect)
}
