//! A gateway as a source of assertions, like any other key.

use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::{ClientId, RsaPublicKey, SchemeRules, SignerErrorKind};
use privyseal_gateway::{ClientError, DeviceClient};
use zeroize::Zeroizing;

use crate::keys::SignerFailure;
use crate::oauth::{Assertion, AssertionOptions, AssertionSource, OAuthError};

impl AssertionSource for DeviceClient {
    fn scheme(&self) -> &'static SchemeRules {
        self.credential().scheme()
    }

    fn client_id(&self) -> &ClientId {
        self.credential().client_id()
    }

    fn public_key(&self) -> &RsaPublicKey {
        self.credential().public_key()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        if options.jti.is_some() {
            return Err(OAuthError::JtiGiven);
        }
        options.check(self.credential().scheme())?;
        let (audience, now) = (options.checked_audience()?, options.moment()?);
        let (backdate, lifetime) = (options.backdate, options.lifetime);
        let mut buffer = Zeroizing::new(vec![0; MAX_COMPACT_JWS]);
        Self::assertion(self, audience, now, backdate, lifetime, &mut buffer)
            .map(Assertion::from)
            .map_err(|error| match error {
                ClientError::Device(error) => SignerFailure::new(error).into(),
                ClientError::Core(error) => error.into(),
                other => SignerFailure::because(SignerErrorKind::Configuration, other).into(),
            })
    }
}
