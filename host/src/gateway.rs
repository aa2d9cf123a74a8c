//! A gateway as a source of assertions, like any other key.

use std::thread::sleep;
use std::time::Instant;

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
        let audience = options.checked_audience()?;
        let (backdate, lifetime) = (options.backdate, options.lifetime);
        let mut buffer = Zeroizing::new(vec![0; MAX_COMPACT_JWS]);
        let end = Instant::now() + self.wait();
        loop {
            let now = options.moment()?;
            let made = Self::assertion(self, audience, now, backdate, lifetime, &mut buffer);
            match made.map(Assertion::from) {
                Err(ClientError::Device(error)) => match error.retry_after() {
                    Some(pause) if Instant::now() + pause < end => sleep(pause),
                    _ => return Err(SignerFailure::new(error).into()),
                },
                Err(ClientError::Core(error)) => return Err(error.into()),
                Err(other) => {
                    return Err(
                        SignerFailure::because(SignerErrorKind::Configuration, other).into(),
                    );
                }
                Ok(assertion) => return Ok(assertion),
            }
        }
    }
}
