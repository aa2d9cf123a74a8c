//! A gateway as a source of assertions, like any other key.

use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::{ClientId, RsaPublicKey, Scheme};
use privyseal_gateway::{ClientError, DeviceClient};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::oauth::client::{Assertion, AssertionOptions, AssertionSource};

impl AssertionSource for DeviceClient {
    fn scheme(&self) -> &'static Scheme {
        self.credential().scheme()
    }

    fn client_id(&self) -> &ClientId {
        self.credential().client_id()
    }

    fn public_key(&self) -> &RsaPublicKey {
        self.credential().public_key()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, Error> {
        if options.jti.is_some() {
            return Err(Error::DeviceJti);
        }
        options.check(self.credential().scheme())?;
        let (audience, now) = (options.audience()?, options.moment()?);
        let (backdate, lifetime) = (options.backdate, options.lifetime);
        let mut buffer = Zeroizing::new(vec![0; MAX_COMPACT_JWS]);
        Ok(Self::assertion(self, audience, now, backdate, lifetime, &mut buffer)?.into())
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Device(error) => Self::Device(error),
            ClientError::Core(error) => Self::Core(error),
            other => Self::DeviceClient(other),
        }
    }
}
