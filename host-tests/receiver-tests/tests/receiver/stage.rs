//! A party that signs, a registry that says what a test wants, and who receives.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use privyseal::base::clock;
use privyseal::pki::crl::Crl;
use privyseal::schemes::ishare::{
    Expected, IshareError, Party, PartyFault, PartyQuery, TrustedList,
};
use privyseal::{
    AssertionOptions, BaseUrl, Certificates, Client, Http, HttpOptions, Roots, Scheme, Server,
    SigningClient, UnixTime,
};
use privyseal_core::ClientId;
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::replay::MemoryStore;
use privyseal_receiver::{
    CachePolicy, ClientRegistry, Receiver, ReceiverBuilder, RegistrySource, Rejection, TokenForm,
    VerifiedParty,
};
use privyseal_test_judges::decode::{to_base64, to_base64url};
use privyseal_test_pki::{CertificateSpec, TestKey, TestPki, test_key};
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Map, Value, json};

/// Who receives, and asks the registry.
pub(crate) const PROVIDER: &str = "did:ishare:EU.NL.NTRNL-90000009";

/// Who sends; the seal says so.
pub(crate) const CONSUMER: &str = "did:ishare:EU.NL.NTRNL-12345678";

pub(crate) struct World {
    pub(crate) pki: TestPki,
    pub(crate) key: TestKey,
    pub(crate) chain: Vec<Vec<u8>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let (pki, key, chain) = TestPki::with_seal();
        Self { pki, key, chain }
    }

    pub(crate) fn root(&self) -> Certificates {
        Certificates::from(vec![self.pki.root.certificate.clone()])
    }

    /// The list of each CA; the one that issues seals revokes these.
    pub(crate) fn lists(&self, revoked: &[&[u8]]) -> Vec<Crl> {
        self.lists_with(&self.pki.issuing.revocation_list(revoked))
    }

    /// The same, with that list of the CA that issues seals.
    pub(crate) fn lists_with(&self, list: &[u8]) -> Vec<Crl> {
        [Crl::from_bytes(list).unwrap(), self.lists_above()].concat()
    }

    /// Those of the CAs above that one.
    pub(crate) fn lists_above(&self) -> Vec<Crl> {
        let TestPki { root, sub, .. } = &self.pki;
        let lists = [sub.revocation_list(&[]), root.revocation_list(&[])];
        let lists = lists.iter().flat_map(|der| Crl::from_bytes(der).unwrap());
        lists.collect()
    }

    /// A registry that knows the consumer as active.
    pub(crate) fn honest(&self) -> Config {
        self.registry_of(party_info(CONSUMER, "Active", &self.chain))
    }

    pub(crate) fn registry_of(&self, party: Value) -> Config {
        Config::honest(&self.pki, vec![party]).with_member(PROVIDER)
    }

    /// The provider's own seal.
    pub(crate) fn provider(&self) -> SigningClient<SoftwareSigner> {
        let key = test_key("registry", 2048);
        let mut leaf = CertificateSpec::seal();
        leaf.subject = String::from("CN=Provider,2.5.4.97=NTRNL-90000009,O=Provider,C=NL");
        let certificates = Certificates::from(self.pki.chain(&key.spki_der(), &leaf));
        let id = ClientId::new(PROVIDER).unwrap();
        let signer = SoftwareSigner::new(&key);
        SigningClient::new(&ISHARE, id, certificates.chain().unwrap(), signer).unwrap()
    }

    /// A registry in this process.
    pub(crate) fn told(&self, config: Config) -> impl RegistrySource + use<> {
        let trust = self.root();
        Told { config, trust }
    }

    /// The same, and a receiver.
    pub(crate) fn play(&self, config: Config) -> Stage {
        self.play_with(&ISHARE, config, |builder| builder)
    }

    pub(crate) fn play_with(
        &self,
        scheme: &'static Scheme,
        config: Config,
        change: impl FnOnce(ReceiverBuilder) -> ReceiverBuilder,
    ) -> Stage {
        Stage::new(scheme, self.told(config), change)
    }

    /// The same, whose registry is a server that is asked by HTTPS.
    pub(crate) fn play_online(&self, config: Config) -> Stage {
        let server = IshareServer::start(config);
        let roots = Certificates::from_bytes(server.tls_ca_pem().as_bytes()).unwrap();
        let http = Http::new(&HttpOptions::default().roots(Roots::Only(roots)));
        let base: BaseUrl = server.base_url().parse().unwrap();
        let assertion = AssertionOptions::default().audience(REGISTRY);
        let client = Client::from_source(Box::new(self.provider()), http);
        let asked = Server::new(base).assertion(assertion);
        let source = ClientRegistry::new(client, asked, REGISTRY, self.root());
        Stage {
            server: Some(server),
            ..Stage::new(&ISHARE, source, |builder| builder)
        }
    }

    /// Claims of a good assertion.
    #[expect(clippy::unused_self, reason = "they are of this world")]
    pub(crate) fn claims(&self) -> Value {
        let now = now().as_secs();
        json!({
            "iss": CONSUMER, "sub": CONSUMER, "aud": PROVIDER,
            "iat": now, "exp": now + 30, "jti": jti(),
        })
    }

    pub(crate) fn header(&self) -> Value {
        let x5c: Vec<_> = self.chain.iter().map(|der| to_base64(der)).collect();
        json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c })
    }

    /// Signed by the consumer's key, whatever it says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        sign(&self.key, header, claims)
    }

    /// A good assertion.
    pub(crate) fn assertion(&self) -> String {
        self.sign(&self.header(), &self.claims())
    }

    /// Another organization with a seal of the same CA.
    pub(crate) fn of_another(&self, number: &str) -> Self {
        self.sealed_as(number, CertificateSpec::seal())
    }

    /// The same with that seal.
    pub(crate) fn sealed_as(&self, number: &str, mut leaf: CertificateSpec) -> Self {
        leaf.subject =
            format!("CN=Test eSeal,2.5.4.97={number},O=Privyseal Test Organization,C=NL");
        let key = test_key("registry", 2048);
        let chain = self.pki.chain(&key.spki_der(), &leaf);
        let pki = self.pki.clone();
        Self { pki, key, chain }
    }

    /// A good assertion of that party.
    pub(crate) fn assertion_of(&self, id: &str) -> String {
        self.with_claims(|claims| {
            claims["iss"] = json!(id);
            claims["sub"] = json!(id);
        })
    }

    /// One whose claims are changed before it is signed.
    pub(crate) fn with_claims(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        self.sign(&self.header(), &claims)
    }
}

pub(crate) fn sign(key: &TestKey, header: &Value, claims: &Value) -> String {
    sign_text(key, &header.to_string(), &claims.to_string())
}

/// The same of any texts.
pub(crate) fn sign_text(key: &TestKey, header: &str, claims: &str) -> String {
    let encode = |text: &str| to_base64url(text.as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = SoftwareSigner::sign_message(key.private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

pub(crate) fn jti() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("jti-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

pub(crate) fn now() -> UnixTime {
    clock::now().unwrap()
}

/// Waits until it is so, however long a busy machine takes.
#[track_caller]
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "it never was so"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// Counts what a registry is asked, and takes it away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switch {
    away: Arc<AtomicBool>,
    held: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Switch {
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// While it is held, nobody gets an answer.
    pub(crate) fn set_held(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }

    /// Waits while it is held.
    pub(crate) fn wait(&self) {
        eventually(|| !self.held.load(Ordering::SeqCst));
    }

    /// How much was asked since it was taken last.
    pub(crate) fn count_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Waits until so much was asked; what it was.
    #[track_caller]
    pub(crate) fn wait_for_asked(&self, count: usize) -> Vec<String> {
        eventually(|| self.count_asked() >= count);
        self.take_asked()
    }

    /// What was asked since this was called last.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn note(&self, what: String) -> Result<(), IshareError> {
        self.asked.lock().unwrap().push(what);
        self.wait();
        if self.away.load(Ordering::SeqCst) {
            let error = "http://x".parse::<BaseUrl>().unwrap_err();
            return Err(IshareError::OAuth(error.into()));
        }
        Ok(())
    }
}

/// What a registry says, and nobody else.
#[derive(Debug)]
struct Told {
    config: Config,
    trust: Certificates,
}

impl Told {
    fn claims(&self, target: &str) -> Result<Map<String, Value>, IshareError> {
        let said = self.config.said(PROVIDER, target);
        let (name, token) = said.map_err(|_| PartyFault::Unknown)?;
        let claims = Expected::new(REGISTRY, PROVIDER, &self.trust).claims(&token, now());
        claims.map_err(|fault| IshareError::Response { name, fault })
    }
}

impl RegistrySource for Told {
    fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        Ok(TrustedList::from_claims(&self.claims("/trusted_list")?).unwrap())
    }

    fn party(&self, query: PartyQuery<'_>) -> Result<Party, IshareError> {
        let party = Party::from_claims(&self.claims(&query.path())?)?;
        party.check_id(query.id())?;
        Ok(party)
    }
}

#[derive(Debug)]
struct Watched<S> {
    source: S,
    switch: Switch,
}

impl<S: RegistrySource> RegistrySource for Watched<S> {
    fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        self.switch.note("list".to_owned())?;
        self.source.trusted_list()
    }

    fn party(&self, query: PartyQuery<'_>) -> Result<Party, IshareError> {
        self.switch.note(query.path())?;
        self.source.party(query)
    }
}

pub(crate) struct Stage {
    pub(crate) receiver: Receiver,
    pub(crate) switch: Switch,
    /// The registry, where it is one.
    pub(crate) server: Option<IshareServer>,
}

impl Stage {
    fn new(
        scheme: &'static Scheme,
        source: impl RegistrySource + 'static,
        change: impl FnOnce(ReceiverBuilder) -> ReceiverBuilder,
    ) -> Self {
        let switch = Switch::default();
        let watched = Watched {
            source,
            switch: switch.clone(),
        };
        // A busy machine takes its time.
        let policy = CachePolicy::default().wait(Duration::from_secs(600));
        let builder = Receiver::builder(scheme)
            .replay(Arc::new(MemoryStore::new(1000)))
            .audience(PROVIDER)
            .cache(policy);
        Self {
            receiver: change(builder.registry(watched)).build().unwrap(),
            switch,
            server: None,
        }
    }

    pub(crate) fn accept(&self, assertion: &str) -> Result<VerifiedParty, Rejection> {
        self.receiver
            .accept(&TokenForm::of_assertion(assertion).client_id(CONSUMER))
    }

    /// It is refused by that rule, in words with these.
    #[track_caller]
    pub(crate) fn refuses(&self, assertion: &str, rule: &str, words: &str) {
        let rejection = self.accept(assertion).unwrap_err();
        assert_eq!(rejection.rule().name(), rule, "{rejection}");
        assert!(rejection.to_string().contains(words), "{rejection}");
    }
}
