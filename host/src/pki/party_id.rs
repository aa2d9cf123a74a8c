//! Who signs: the client id given, or the one that the leaf certificate says.

use privyseal_core::cert::Chain;
use privyseal_core::{ClientId, SchemeRules};

use super::PkiError;
use crate::base::display::sanitize_for_display;

/// Checks a client id that was given.
///
/// # Errors
///
/// [`PkiError::Core`] if it is none that `scheme` hands out.
pub fn given(scheme: &SchemeRules, client_id: &str) -> Result<ClientId, PkiError> {
    let client_id = ClientId::new(client_id)?;
    scheme.check_client_id(&client_id)?;
    Ok(client_id)
}

/// The client id that follows from the leaf, where `scheme` derives it.
///
/// # Errors
///
/// [`PkiError::NoOrganizationIdentifier`], [`PkiError::OrganizationIdentifier`] and [`PkiError::NoClientId`].
pub fn derived(scheme: &SchemeRules, chain: &Chain<'_>) -> Result<ClientId, PkiError> {
    if scheme.client_id_in_leaf().is_none() {
        return Err(not_derived(scheme));
    }
    let leaf = chain.leaf();
    leaf.and_then(|leaf| scheme.client_id_of_leaf(leaf))
        .ok_or_else(|| why_none(leaf.and_then(|leaf| leaf.subject().organization_identifier())))
}

/// Why no party id follows from the leaf's organizationIdentifier.
pub(crate) fn why_none(found: Option<&str>) -> PkiError {
    found.map_or(PkiError::NoOrganizationIdentifier, |found| {
        let found = sanitize_for_display(found, None);
        PkiError::OrganizationIdentifier { found }
    })
}

/// What to say where no client id was given and `scheme` derives none.
pub const fn not_derived(scheme: &SchemeRules) -> PkiError {
    PkiError::NoClientId {
        title: scheme.title(),
        section: scheme.client_id().source(),
    }
}
