//! Who it was: the claims of the id_token and of the UserInfo response.

use privyseal_core::{KeyEncryption, Unwrapper};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::jose::JoseError;
use crate::jose::jwe::{DecryptError, Jwe, JweFault};
use crate::oidc::OidcError;

/// What is known about a person, from one authentication. `Debug` shows no claims.
#[non_exhaustive]
pub struct Identity {
    /// The claims of the id_token; without one, those of the UserInfo response are all there is.
    pub id_token: Option<Map<String, Value>>,
    /// Why they are missing, where an id_token came: nothing is wrong with it, but it could not be judged.
    pub id_token_error: Option<OidcError>,
    /// The claims of the UserInfo response, if it was asked.
    pub userinfo: Option<Map<String, Value>>,
    /// Why they are missing, where it was asked. The id_token counts all the same: the person has confirmed, and
    /// cannot be asked again for nothing.
    pub userinfo_error: Option<OidcError>,
}

impl Identity {
    /// `sub`: the person's permanent identifier.
    pub fn subject(&self) -> &str {
        let claims = self.id_token.as_ref().or(self.userinfo.as_ref());
        let sub = claims.and_then(|claims| claims.get("sub")?.as_str());
        sub.unwrap_or_default()
    }
}

/// The JWS in `token`: what it was encrypted around, or `token` itself where no encryption was agreed on.
///
/// With unwrappers, a token that is not encrypted is refused (OpenID Connect Core section 3.1.3.7, point
/// 1); without, a token that is encrypted cannot be read. What is encrypted in another way than was `registered` is
/// read all the same where that can be done.
pub(super) fn decrypted<U>(
    what: &'static str,
    token: &str,
    unwrappers: &mut [U],
    registered: Option<KeyEncryption>,
) -> Result<Zeroizing<String>, OidcError>
where
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
{
    let refused = |fault: JweFault| JoseError::from(fault).of(what);
    let is_encrypted = token.split('.').take(6).count() == 5;
    match (unwrappers.is_empty(), is_encrypted) {
        (false, true) => {
            let jwe = Jwe::parse(token).map_err(|error| error.of(what))?;
            let found = jwe.key_encryption();
            let other = registered.filter(|registered| *registered != found);
            let plain =
                jwe.decrypt_with_one_of(unwrappers)
                    .map_err(|error| match (error, other) {
                        (_, Some(registered)) => {
                            refused(JweFault::OtherAlg { found, registered }).into()
                        }
                        (DecryptError::Jwe(error), _) => DecryptError::Jwe(error.of(what)),
                        (error, _) => error,
                    })?;
            let text = core::str::from_utf8(&plain).ok();
            let nested = text.filter(|text| text.split('.').take(4).count() == 3);
            let nested = nested.ok_or_else(|| refused(JweFault::NotNested))?;
            Ok(Zeroizing::new(nested.to_owned()))
        }
        (true, false) => Ok(Zeroizing::new(token.to_owned())),
        (false, false) => Err(refused(JweFault::NotEncrypted).into()),
        (true, true) => Err(refused(JweFault::NoKey).into()),
    }
}

privyseal_core::opaque_debug! { [] Identity: id_token_error, userinfo_error; }
