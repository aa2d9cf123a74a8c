//! A gateway as a source of assertions and signed requests, like any other key.

use std::thread::sleep;
use std::time::Instant;

use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::{Credential, SignerErrorKind};
use privyseal_gateway::{ClientError, DeviceClient};
use privyseal_protocol::Content;
use zeroize::Zeroizing;

use crate::keys::SignerFailure;
use crate::oauth::{Assertion, AssertionOptions, AssertionSource, OAuthError, SignedRequest};

impl AssertionSource for DeviceClient {
    fn credential(&self) -> &Credential<Vec<u8>> {
        Self::credential(self)
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        options.check(self.credential().scheme())?;
        stated(self, options, None)
    }

    fn signed_request(
        &self,
        options: &AssertionOptions,
        asked: SignedRequest<'_>,
    ) -> Result<Assertion, OAuthError> {
        match asked {
            SignedRequest::Authentication(asked) => {
                let person = Content::LoginHint(&asked.user_identifier_token);
                let hint = stated(self, options, Some(&person))?;
                asked.hinted(hint.as_str(), |asked| {
                    stated(self, options, Some(&Content::Authentication(asked)))
                })
            }
            SignedRequest::Authorization(asked) => {
                stated(self, options, Some(&Content::Authorization(*asked)))
            }
        }
    }
}

/// A statement of this content, or an assertion, once the rate limit allows it.
fn stated(
    client: &DeviceClient,
    options: &AssertionOptions,
    content: Option<&Content<'_>>,
) -> Result<Assertion, OAuthError> {
    if options.jti.is_some() {
        return Err(OAuthError::JtiGiven);
    }
    let audience = options.checked_audience()?;
    let (backdate, lifetime) = (options.backdate, options.lifetime);
    let mut buffer = Zeroizing::new(vec![0; MAX_COMPACT_JWS]);
    let end = Instant::now() + client.wait();
    loop {
        let now = options.moment()?;
        let buffer = &mut buffer;
        let made = match content {
            None => client.assertion(audience, now, backdate, lifetime, buffer),
            Some(content) => client.statement(content, audience, now, backdate, lifetime, buffer),
        };
        match made.map(Assertion::from) {
            Err(ClientError::Device(error)) => match error.retry_after() {
                Some(pause) if Instant::now() + pause < end => sleep(pause),
                _ => return Err(SignerFailure::new(error).into()),
            },
            Err(ClientError::Core(error)) => return Err(error.into()),
            Err(other) => {
                return Err(SignerFailure::because(SignerErrorKind::Configuration, other).into());
            }
            Ok(assertion) => return Ok(assertion),
        }
    }
}
