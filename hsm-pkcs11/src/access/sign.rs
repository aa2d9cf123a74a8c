//! Signing with a key that is open.

use privyseal_core::Signature;
use privyseal_core::limits::MAX_SIGNATURE;

use super::{KeyAccess, Work};
use crate::error::Error;
use crate::login::Occasion;
use crate::mechanism::SigningMechanism;
use crate::operation::{self, ToSign};

impl KeyAccess<SigningMechanism> {
    /// Signs `input` with the session in `work`, or with another if there is none or it is outdated. What
    /// was lost is healed, and then the signature is made: the same one, as RS256 is deterministic.
    pub(crate) fn sign(
        &self,
        work: &mut Option<Work>,
        input: ToSign<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        self.healing(|occasion| self.sign_once(work, input, signature, occasion))
    }

    fn sign_once(
        &self,
        work: &mut Option<Work>,
        input: ToSign<'_>,
        signature: &mut Signature,
        occasion: Occasion,
    ) -> Result<(), Error> {
        let mut buffer = [0; MAX_SIGNATURE];
        let expected = self.public.size();
        let buffer = buffer.get_mut(..expected).unwrap_or_default();
        self.once(work, |module, ready| {
            let len = operation::sign(
                module.raw(),
                &ready.session,
                self.mechanism,
                ready.key,
                input,
                buffer,
                || self.log_in_for_use(module, ready, occasion),
            )?;
            let length = Error::SignatureLength { len, expected };
            if len != expected {
                return Err(length);
            }
            signature.set(buffer).map_err(|_| length)
        })
    }
}
