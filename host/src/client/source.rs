//! One way of asking, whoever signs.

use privyseal_core::{ClientId, CompactJws, RsaPublicKey, Scheme, Signer};

use super::{AssertionOptions, Client, exchange};
use crate::access_token::AccessToken;
use crate::error::Error;
use crate::http::{BaseUrl, Http};

/// "An assertion for this scheme and audience, please."
///
/// A [`Client`] builds it here and has a signer sign; a [`crate::device::DeviceClient`] has a device do
/// both, and checks the outcome. Either way what comes out was made by the core and verified.
pub trait AssertionSource {
    /// Under whose rules.
    fn scheme(&self) -> &'static Scheme;

    /// Who signs.
    fn client_id(&self) -> &ClientId;

    /// With which key.
    fn public_key(&self) -> &RsaPublicKey;

    /// A new assertion, good once for as long as the scheme says.
    fn assertion(&mut self, options: &AssertionOptions) -> Result<CompactJws<'_>, Error>;

    /// Asks the token endpoint below `base` for an access token, with a new assertion.
    fn access_token(
        &mut self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
    ) -> Result<AccessToken, Error> {
        let (scheme, client_id) = (self.scheme(), self.client_id().clone());
        let url = super::token_url(scheme, base)?;
        exchange(http, url, scheme, &client_id, self.assertion(options)?)
    }
}

impl<S> AssertionSource for Client<S>
where
    S: Signer,
    S::Error: Send + Sync + 'static,
{
    fn scheme(&self) -> &'static Scheme {
        self.credential().scheme()
    }

    fn client_id(&self) -> &ClientId {
        self.credential().client_id()
    }

    fn public_key(&self) -> &RsaPublicKey {
        self.credential().public_key()
    }

    fn assertion(&mut self, options: &AssertionOptions) -> Result<CompactJws<'_>, Error> {
        Self::assertion(self, options)
    }
}
