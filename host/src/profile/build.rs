//! From a profile to what it describes.

use core::str::FromStr as _;
use core::time::Duration;
use std::path::Path;

use privyseal_core::SchemeRules;
use privyseal_core::id::AudienceBuf;
use privyseal_hsm::KeyPolicy;

use super::{Profile, ProfileError, Value};
use crate::client::{Client, ClientBuilder, Server};
use crate::http::{BaseUrl, Http, HttpOptions, Roots};
use crate::jose::jwk::{KidChoice, KidForm};
use crate::keys::key::{KeyUri, SignerOptions};
use crate::oauth::{AssertionOptions, AudienceParts, OAuthError, has_realms};
use crate::pki::PkiError;
use crate::pki::certificates::Certificates;

impl Profile {
    /// Whose rules apply.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`].
    pub fn scheme(&self) -> Result<&'static SchemeRules, ProfileError> {
        self.scheme.ok_or_else(|| self.missing("scheme"))
    }

    /// The references to the key.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`].
    pub fn keys(&self) -> Result<Vec<KeyUri>, ProfileError> {
        let Some(Value::Texts(uris)) = self.value("key") else {
            return Err(self.missing("key"));
        };
        // They were read once.
        Ok(uris.iter().filter_map(|uri| uri.parse().ok()).collect())
    }

    /// What each of its assertions says.
    ///
    /// # Errors
    ///
    /// [`ProfileError::OAuth`]: the audience, or the lifetime.
    pub fn assertion_options(&self) -> Result<AssertionOptions, ProfileError> {
        self.options(None)
    }

    /// The same for this audience, in place of what the profile says of it.
    ///
    /// # Errors
    ///
    /// As [`Profile::assertion_options`].
    pub fn assertion_options_with(&self, audience: &str) -> Result<AssertionOptions, ProfileError> {
        self.options(Some(audience))
    }

    /// The same for this audience, where neither the profile nor the scheme has one.
    ///
    /// # Errors
    ///
    /// Also [`ProfileError::OtherAudience`] where it does not.
    pub fn assertion_options_for(&self, audience: &str) -> Result<AssertionOptions, ProfileError> {
        if self.leaves_audience_open()? {
            return self.assertion_options_with(audience);
        }
        let options = self.assertion_options()?;
        let said = options.checked_audience()?;
        let said = self
            .scheme()?
            .choose_audience(said)
            .map_err(OAuthError::from)?;
        if said.as_str() == audience {
            return Ok(options);
        }
        Err(ProfileError::OtherAudience)
    }

    /// Whether each assertion names its receiver.
    fn leaves_audience_open(&self) -> Result<bool, ProfileError> {
        let mut said = ["audience", "endpoint", "realm"].iter();
        let is_said = said.any(|member| self.values.contains_key(member));
        Ok(!is_said && self.scheme()?.choose_audience(None).is_err())
    }

    fn options(&self, audience: Option<&str>) -> Result<AssertionOptions, ProfileError> {
        let scheme = self.scheme()?;
        let said = |member| self.text(member).filter(|_| audience.is_none());
        let parts = AudienceParts {
            audience: audience.or(self.text("audience")),
            endpoint: said("endpoint"),
            base_url: said("base-url"),
            realm: said("realm"),
        };
        let options = AssertionOptions {
            audience: parts.choose(scheme).map_err(OAuthError::from)?,
            lifetime: self.number("lifetime"),
            backdate: self.number("backdate").unwrap_or_default(),
            ..AssertionOptions::default()
        };
        options.check(scheme)?;
        Ok(options)
    }

    /// The server that gives it tokens.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`] where the scheme has a server for each participant; [`ProfileError::OAuth`].
    pub fn server(&self) -> Result<Server, ProfileError> {
        let scheme = self.scheme()?;
        let public = scheme.token_request().base_url().map(|rule| rule.value());
        let url = self.text("base-url").or(public);
        let url = url.ok_or_else(|| self.missing("base-url"))?;
        let realm = self.text("realm").filter(|_| has_realms(scheme));
        let realm = realm.map(|realm| AudienceBuf::realm(url, realm));
        let realm = realm.transpose().map_err(OAuthError::from)?;
        let url = realm
            .as_ref()
            .map_or(url, |realm| realm.as_audience().as_str());
        let mut base = BaseUrl::from_str(url).map_err(OAuthError::from)?;
        if let Some(path) = self.text("token-path") {
            base = base.token_path(path).map_err(OAuthError::from)?;
        }
        let server = Server::new(base).assertion(self.assertion_options()?);
        Ok(match self.text("scope") {
            Some(scope) => server.scope(scope),
            None => server,
        })
    }

    /// How servers are reached.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Certificates`].
    pub fn http(&self) -> Result<Http, ProfileError> {
        let mut options = HttpOptions::default();
        if let Some(roots) = self.certificates("cacert", Roots::from_file)? {
            options = options.roots(roots);
        }
        if let Some(seconds) = self.number("timeout") {
            options = options.timeout(Duration::from_secs(seconds));
        }
        Ok(Http::new(&options))
    }

    /// All that makes a client, before its key is opened; for a caller that adds something, such as other PINs.
    ///
    /// # Errors
    ///
    /// [`ProfileError`]: a member is missing, or a file that one names cannot be used.
    pub fn client_builder(&self) -> Result<ClientBuilder, ProfileError> {
        let mut builder = Client::builder(self.scheme()?)
            .access_policy(self.access_policy())
            .http(self.http()?);
        for key in self.keys()? {
            builder = builder.key(key);
        }
        if let Some(client_id) = self.text("client-id") {
            builder = builder.client_id(client_id);
        }
        let form = self.text("kid-form").and_then(KidForm::by_name);
        let kid = self.text("kid").map(|kid| KidChoice::Given(kid.to_owned()));
        if let Some(kid) = kid.or(form.map(KidChoice::Computed)) {
            builder = builder.kid(kid);
        }
        if self.chain_file().is_some()
            && let Some(chain) = self.certificates("chain", Certificates::from_file)?
        {
            builder = builder.chain(chain);
        }
        Ok(builder)
    }

    /// The client: [`Profile::client_builder`], opened.
    ///
    /// # Errors
    ///
    /// As [`Profile::client_builder`] and [`ClientBuilder::open`].
    pub fn open(&self) -> Result<Client, ProfileError> {
        Ok(self.client_builder()?.open()?)
    }

    /// Checks all that can be checked without the key.
    ///
    /// # Errors
    ///
    /// As [`Profile::client_builder`], [`ClientBuilder::check`], [`Profile::assertion_options`] and [`Profile::server`].
    pub fn check(&self) -> Result<(), ProfileError> {
        self.client_builder()?.check()?;
        if self.leaves_audience_open()? {
            let rule = self.scheme()?.lifetime();
            let lifetime = rule.value().choose(self.number("lifetime"), rule.source());
            return lifetime
                .map(drop)
                .map_err(|error| OAuthError::from(error).into());
        }
        match self.text("base-url") {
            Some(_) => self.server().map(drop),
            None => self.assertion_options().map(drop),
        }
    }

    /// The file of its chain, where it names one.
    pub fn chain_file(&self) -> Option<&Path> {
        let chain = self.text("chain").filter(|chain| *chain != "token");
        chain.map(Path::new)
    }

    /// The files of certificates that it names: its chain, and the roots of its server.
    pub fn certificate_files(&self) -> impl Iterator<Item = &Path> {
        let roots = self.text("cacert").map(Path::new);
        self.chain_file().into_iter().chain(roots)
    }

    /// The users of this machine who may ask the agent for this client's assertions; `None` where nothing is said.
    pub fn allowed_uids(&self) -> Option<&[u32]> {
        match self.value("allow-uids") {
            Some(Value::Numbers(uids)) => Some(uids),
            _ => None,
        }
    }

    fn access_policy(&self) -> SignerOptions {
        let key = KeyPolicy::default()
            .refuse_extractable(self.flag("refuse-extractable"))
            .require_certificate(self.flag("require-certificate"))
            .allow_public_object(self.flag("allow-public-object"))
            .allow_not_sensitive(self.flag("allow-not-sensitive"))
            .allow_other_certificate(self.flag("allow-other-certificate"));
        let bits = self
            .number("min-key-bits")
            .and_then(|bits| bits.try_into().ok());
        let key = bits.map_or(key, |bits| key.min_bits(bits));
        SignerOptions::default().key(key)
    }

    fn value(&self, member: &str) -> Option<&Value> {
        self.values.get(member).map(|(value, _)| value)
    }

    pub(super) fn text(&self, member: &str) -> Option<&str> {
        match self.value(member) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn number(&self, member: &str) -> Option<u64> {
        match self.value(member) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn flag(&self, member: &str) -> bool {
        matches!(self.value(member), Some(Value::Flag(true)))
    }

    fn certificates<T>(
        &self,
        member: &'static str,
        read: impl Fn(&Path) -> Result<T, PkiError>,
    ) -> Result<Option<T>, ProfileError> {
        let Some((Value::Text(path), origin)) = self.values.get(member) else {
            return Ok(None);
        };
        read(Path::new(path)).map(Some).map_err(|error| {
            let origin = origin.clone();
            ProfileError::Certificates {
                origin,
                member,
                error,
            }
        })
    }

    fn missing(&self, member: &'static str) -> ProfileError {
        let profile = match &self.name {
            Some(name) => format!("the profile {name}"),
            None => "the environment, without a profile,".to_owned(),
        };
        ProfileError::Missing { profile, member }
    }
}
