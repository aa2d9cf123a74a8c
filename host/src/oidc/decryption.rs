//! What is encrypted to this client, and what can be known of that before it comes.

use privyseal_core::KeyEncryption;
use zeroize::Zeroizing;

use crate::base::runtime::Runtime;
use crate::jose::JoseError;
use crate::jose::jwe::{ContentEncryption, DecryptError, Jwe, JweFault, probe};
use crate::oidc::discovery::RS256;
use crate::oidc::provider::userinfo;
use crate::oidc::{OidcError, RelyingParty};

/// What the key of an id_token's encryption is encrypted with.
const KEYS: &str = "id_token_encryption_alg_values_supported";

impl RelyingParty {
    /// What is known before anybody is asked: the metadata fit what is done here, and `lists`; the decryption keys do what
    /// was agreed on, or some of what the provider may use, with `userinfo` for the UserInfo response, too; its keys can be
    /// read, and the clocks agree. Gives what the keys cannot do.
    pub(super) fn prepared(
        &self,
        runtime: &mut impl Runtime,
        lists: &[(&'static str, &[&str])],
        userinfo: bool,
    ) -> Result<Vec<KeyEncryption>, OidcError> {
        let (metadata, unwrappers) = (self.provider.metadata(), &self.unwrappers);
        let mut wanted = self
            .registered
            .map_or_else(|| KeyEncryption::ALL.to_vec(), |one| vec![one]);
        wanted.retain(|algorithm| metadata.may_support(KEYS, &[algorithm.name()]));
        let mut unusable = Vec::new();
        let mut failure = OidcError::Unfit(KEYS);
        for algorithm in &wanted {
            let mut keys = unwrappers.iter().cloned();
            if let Err(error) = keys.try_for_each(|mut key| probe(&mut key, *algorithm)) {
                unusable.push(*algorithm);
                failure = match error {
                    DecryptError::Jwe(_) => OidcError::DeafKey(algorithm.name()),
                    error => error.into(),
                };
            }
        }
        let has_keys = !unwrappers.is_empty();
        wanted.retain(|algorithm| !unusable.contains(algorithm));
        if has_keys && wanted.is_empty() {
            return Err(failure);
        }
        let keys: Vec<_> = wanted.iter().map(|algorithm| algorithm.name()).collect();
        let contents = ContentEncryption::ALL.map(ContentEncryption::name);
        let mut lists = lists.to_vec();
        if has_keys {
            lists.push(("id_token_encryption_enc_values_supported", &contents));
        }
        if has_keys && userinfo {
            lists.push(("userinfo_signing_alg_values_supported", RS256));
            lists.push(("userinfo_encryption_alg_values_supported", &keys));
            lists.push(("userinfo_encryption_enc_values_supported", &contents));
        }
        metadata.fits(&lists)?;
        if userinfo {
            metadata.offered(userinfo::ENDPOINT)?;
        }
        let backdate = self.assertion.backdate;
        self.provider.prepare(&self.http, runtime, backdate)?;
        Ok(unusable)
    }

    /// The JWS in `token`: what it was encrypted around, or `token` itself where no encryption was agreed on.
    ///
    /// With unwrappers, a token that is not encrypted is refused (OpenID Connect Core section 3.1.3.7, point
    /// 1); without, a token that is encrypted cannot be read. What is encrypted in another way than was `registered` is
    /// read all the same where that can be done.
    pub(super) fn decrypted(
        &self,
        what: &'static str,
        token: &str,
    ) -> Result<Zeroizing<String>, OidcError> {
        let refused = |fault: JweFault| JoseError::from(fault).of(what);
        let is_encrypted = token.split('.').take(6).count() == 5;
        match (self.unwrappers.is_empty(), is_encrypted) {
            (true, false) => return Ok(Zeroizing::new(token.to_owned())),
            (false, false) => return Err(refused(JweFault::NotEncrypted).into()),
            (true, true) => return Err(refused(JweFault::NoKey).into()),
            (false, true) => {}
        }
        let jwe = Jwe::parse(token).map_err(|error| error.of(what))?;
        let found = jwe.key_encryption();
        let other = self.registered.filter(|registered| *registered != found);
        let plain = jwe.decrypt_with_one_of(&mut self.unwrappers.clone());
        let plain = plain.map_err(|error| match (error, other) {
            (_, Some(registered)) => refused(JweFault::OtherAlg { found, registered }).into(),
            (DecryptError::Jwe(error), _) => error.of(what).into(),
            (error, _) => OidcError::from(error),
        })?;
        let text = core::str::from_utf8(&plain).ok();
        let nested = text.filter(|text| text.split('.').take(4).count() == 3);
        let nested = nested.ok_or_else(|| refused(JweFault::NotNested))?;
        Ok(Zeroizing::new(nested.to_owned()))
    }
}
