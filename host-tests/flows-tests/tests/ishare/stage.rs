//! A registry, and a client of it.

use privyseal::pki::crl::Crl;
use privyseal::pki::revocation::RevocationOptions;
use privyseal::schemes::ishare::{Expected, Party, PartyQuery, Registry, TrustedList};
use privyseal::{
    AccessToken, AssertionOptions, AssertionSource as _, BaseUrl, Certificates, Error, Http,
    HttpOptions, Roots, SigningClient, UnixTime,
};
use privyseal_core::ClientId;
use privyseal_core::scheme::ISHARE;
use privyseal_test_pki::{TestKey, TestPki};
use privyseal_test_servers::ishare_server::{Config, IshareServer, REGISTRY, party_info};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::Value;

/// The client's party id, as its certificate says.
pub(crate) const CLIENT: &str = "did:ishare:EU.NL.NTRNL-12345678";

/// Another party.
pub(crate) const PARTY: &str = "did:ishare:EU.NL.NTRNL-20000002";

pub(crate) struct Stage {
    _server: IshareServer,
    pub(crate) http: Http,
    base: BaseUrl,
    token: AccessToken,
    pub(crate) trust: Certificates,
    pub(crate) crls: Vec<Crl>,
    pub(crate) now: Option<UnixTime>,
}

/// Who is who.
pub(crate) struct World {
    pub(crate) pki: TestPki,
    pub(crate) key: TestKey,
    /// The client's chain.
    pub(crate) chain: Vec<Vec<u8>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let (pki, key, chain) = TestPki::with_seal();
        Self { pki, key, chain }
    }

    /// A registry that knows the client as active.
    pub(crate) fn registry(&self) -> Config {
        self.registry_of(party_info(CLIENT, "Active", &self.chain))
    }

    pub(crate) fn registry_of(&self, party: Value) -> Config {
        Config::honest(&self.pki, vec![party]).with_member(CLIENT)
    }

    pub(crate) fn client(&self) -> SigningClient<SoftwareSigner> {
        let certificates = Certificates::from(self.chain.clone());
        let id = ClientId::new(CLIENT).unwrap();
        let signer = SoftwareSigner::new(&self.key);
        SigningClient::new(&ISHARE, id, certificates.chain().unwrap(), signer).unwrap()
    }

    pub(crate) fn root(&self) -> Certificates {
        Certificates::from(vec![self.pki.root.certificate.clone()])
    }

    /// Starts the registry and gets an access token.
    pub(crate) fn play(&self, config: Config) -> Stage {
        let server = IshareServer::start(config);
        let roots = Certificates::from_bytes(server.tls_ca_pem().as_bytes()).unwrap();
        let http = Http::new(&HttpOptions::default().roots(Roots::Only(roots)));
        let base: BaseUrl = server.base_url().parse().unwrap();
        let options = AssertionOptions::default().audience(REGISTRY);
        let token = self.client().access_token(&http, &base, &options).unwrap();
        Stage {
            _server: server,
            http,
            base,
            token,
            trust: self.root(),
            crls: Vec::new(),
            now: None,
        }
    }
}

impl Stage {
    pub(crate) fn registry(&self) -> Registry<'_> {
        let expected = Expected::new(REGISTRY, CLIENT, &self.trust);
        let expected = expected.revocation(RevocationOptions::files(&self.crls));
        let registry = Registry::new(&self.http, &self.base, &self.token, expected);
        self.now.map_or(registry, |now| registry.at(now))
    }

    pub(crate) fn list(&self) -> Result<TrustedList, Error> {
        Ok(self.registry().trusted_list()?)
    }

    pub(crate) fn party(&self, id: &str) -> Result<Party, Error> {
        Ok(self.registry().party(PartyQuery::Id(id))?)
    }
}

/// What an error says, with everything below it.
pub(crate) fn said(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}; {cause}");
        source = cause.source();
    }
    text
}
