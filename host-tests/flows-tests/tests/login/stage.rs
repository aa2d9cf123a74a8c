//! A provider, and the library's client of it.

use std::sync::Arc;

use privyseal::http::Roots;
use privyseal::jose::jwk::{KidChoice, KidForm};
use privyseal::oidc::RelyingParty;
use privyseal::oidc::login::{LoginOptions, LoginState, Prompt};
use privyseal::{AssertionOptions, Http, HttpOptions, Provider, SigningClient};
use privyseal_core::ClientId;
use privyseal_core::kid::Kid;
use privyseal_core::scheme::ITSME;
use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_servers::oidc_provider::{OidcProvider, Registration};
use privyseal_test_suite::software_signer::SoftwareSigner;

pub(crate) const CLIENT: &str = "WXw9DMqkEv";
pub(crate) const REDIRECT: &str = "https://app.example/cb";
pub(crate) const SCOPE: &str = "openid offline_access profile email";

/// The provider's pages: anybody may be anybody.
pub(crate) const FORMS: &[&[(&str, &str)]] = &[&[("login", "alice"), ("password", "x")], &[]];

pub(crate) struct Stage {
    pub(crate) provider: OidcProvider,
    pub(crate) login: RelyingParty,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|http, issuer| Provider::discover(http, issuer).unwrap())
    }

    /// The same, where the client knows the provider so.
    pub(crate) fn with(known: impl FnOnce(&Http, &str) -> Provider) -> Self {
        Self::encrypting(None, known)
    }

    /// The same, where the provider encrypts in that way what it says to the client.
    pub(crate) fn encrypting(
        encryption: Option<(&'static str, &'static str)>,
        known: impl FnOnce(&Http, &str) -> Provider,
    ) -> Self {
        let mut set = privyseal::jose::jwk::JwkSetBuilder::default();
        let kid = KidChoice::Given("k1".to_owned());
        set.add(&key().public_key(), &kid, None).unwrap();
        if encryption.is_some() {
            let kid = KidChoice::Computed(KidForm::default());
            set.add_encryption(&opening_key().public_key(), &kid, None)
                .unwrap();
        }
        let provider = OidcProvider::start(&Registration {
            id: CLIENT,
            jwks: set.to_json(),
            callback: None,
            encryption,
            redirect_uri: Some(REDIRECT),
        });
        let roots = Roots::from_file(&provider.cacert()).unwrap();
        let http = Http::new(&HttpOptions::default().roots(roots));
        let (id, kid) = (ClientId::new(CLIENT).unwrap(), Kid::new("k1").unwrap());
        let signer = SoftwareSigner::new(&key());
        let source = SigningClient::with_kid(&ITSME, id, kid, signer).unwrap();
        let said = Arc::new(known(&http, provider.issuer()));
        let options = AssertionOptions::default().audience(provider.issuer());
        let login = RelyingParty::new(Arc::new(source), http, said).assertion(options);
        Self { provider, login }
    }

    /// What the browser of who logs in and allows comes back with.
    pub(crate) fn callback(&self) -> (String, LoginState) {
        // It gives refresh tokens only to who was asked.
        let mut asked = asked();
        asked.prompt = Some(Prompt::Consent);
        let (url, state) = self.login.start(&asked).unwrap();
        let callback = self.provider.browser().walk(url.as_str(), FORMS);
        (callback, state)
    }
}

pub(crate) fn key() -> TestKey {
    test_key("seal", 2048)
}

/// To which the provider encrypts.
pub(crate) fn opening_key() -> TestKey {
    test_key("opening", 2048)
}

pub(crate) fn asked() -> LoginOptions {
    let mut asked = LoginOptions::new(REDIRECT);
    SCOPE.clone_into(&mut asked.scope);
    asked
}
