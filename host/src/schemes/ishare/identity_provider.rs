//! iSHARE, human to machine: the identity provider that says who a person is. It publishes neither metadata nor keys: its
//! tokens carry the certificates of its seal, as every iSHARE JWT does.

use std::collections::BTreeMap;

use privyseal_core::UnixTime;

use super::response::Expected;
use crate::http::{BaseUrl, UrlError};
use crate::oidc::discovery::ProviderMetadata;
use crate::oidc::provider::Provider;
use crate::pki::certificates::Certificates;

/// The identity provider `party_id` below `base`, for whose seal `trust` vouches: its root, a CA, or its own certificate.
/// Paths are those of "Authentication" (H2M generic authentication flow). Revocation is not checked.
///
/// # Errors
///
/// [`UrlError`] if the base leaves no room for the paths.
pub fn identity_provider(
    base: &BaseUrl,
    party_id: &str,
    trust: Certificates,
) -> Result<Provider, UrlError> {
    let below = |path: &str| base.join(&format!("/identity_provider/{path}"));
    let endpoints = BTreeMap::from([
        ("authorization_endpoint".to_owned(), below("authorize")?),
        ("userinfo_endpoint".to_owned(), below("userinfo")?),
        // "Capabilities" of the developer portal: each party has it, and seals what it says there.
        (
            "capabilities_endpoint".to_owned(),
            base.join("/capabilities")?,
        ),
    ]);
    let metadata = ProviderMetadata::without_document(party_id, below("token")?, endpoints);
    let party_id = party_id.to_owned();
    let verify = move |now: UnixTime, token: &str| {
        // `aud` is judged with the other claims.
        let expected = Expected::new(&party_id, "", &trust);
        expected.verified(token, now).map_err(Into::into)
    };
    Ok(Provider::with_sent_keys(metadata, Box::new(verify)))
}
