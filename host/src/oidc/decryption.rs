//! What is encrypted to this client.

use privyseal_core::KeyEncryption;
use zeroize::Zeroizing;

use crate::jose::JoseError;
use crate::jose::jwe::{DecryptError, Jwe, JweFault, probe};
use crate::keys::key::KeyUnwrapper;
use crate::oidc::OidcError;
use crate::oidc::discovery::ProviderMetadata;

/// What the key of an id_token's encryption is encrypted with.
pub(super) const KEYS: &str = "id_token_encryption_alg_values_supported";

/// Whether the keys do what is `wanted`, of what the provider may use: gives what of that they cannot do, if that is not all.
pub(super) fn try_out(
    unwrappers: &[KeyUnwrapper],
    metadata: &ProviderMetadata,
    mut wanted: Vec<KeyEncryption>,
) -> Result<Vec<KeyEncryption>, OidcError> {
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
    if unusable.len() < wanted.len() || unwrappers.is_empty() {
        Ok(unusable)
    } else {
        Err(failure)
    }
}

/// The JWS in `token`: what it was encrypted around, or `token` itself where no encryption was agreed on.
///
/// With unwrappers, a token that is not encrypted is refused (OpenID Connect Core section 3.1.3.7, point
/// 1); without, a token that is encrypted cannot be read. What is encrypted in another way than was `registered` is
/// read all the same where that can be done.
pub(super) fn decrypted(
    what: &'static str,
    token: &str,
    unwrappers: &[KeyUnwrapper],
    registered: Option<KeyEncryption>,
) -> Result<Zeroizing<String>, OidcError> {
    let refused = |fault: JweFault| JoseError::from(fault).of(what);
    let is_encrypted = token.split('.').take(6).count() == 5;
    match (unwrappers.is_empty(), is_encrypted) {
        (true, false) => return Ok(Zeroizing::new(token.to_owned())),
        (false, false) => return Err(refused(JweFault::NotEncrypted).into()),
        (true, true) => return Err(refused(JweFault::NoKey).into()),
        (false, true) => {}
    }
    let jwe = Jwe::parse(token).map_err(|error| error.of(what))?;
    let found = jwe.key_encryption();
    let other = registered.filter(|registered| *registered != found);
    let plain = jwe.decrypt_with_one_of(&mut unwrappers.to_vec());
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
