//! Who signs: the client id given, or the one that the leaf certificate says.

use privyseal_core::cert::Chain;
use privyseal_core::{ClientId, Scheme};

use crate::error::Error;

/// Checks a client id that was given.
pub fn given(scheme: &Scheme, client_id: &str) -> Result<ClientId, Error> {
    let client_id = ClientId::new(client_id)?;
    scheme.check_client_id(&client_id)?;
    Ok(client_id)
}

/// The client id that follows from the leaf, where `scheme` derives it.
pub fn derived(scheme: &Scheme, chain: &Chain<'_>) -> Result<ClientId, Error> {
    let missing = |reason| Error::Missing {
        option: "--client-id",
        reason,
    };
    if scheme.client_id_in_leaf.is_none() {
        return Err(not_derived(scheme));
    }
    let leaf = chain.leaf();
    leaf.and_then(|leaf| scheme.client_id_of_leaf(leaf))
        .ok_or_else(|| {
            missing("the leaf has no organizationIdentifier (2.5.4.97) to derive it from".into())
        })
}

/// What to say where no client id was given and `scheme` derives none.
pub fn not_derived(scheme: &Scheme) -> Error {
    let reason = format!(
        "{} hands it out; the certificate does not say it ({})",
        scheme.title, scheme.client_id.source
    );
    Error::Missing {
        option: "--client-id",
        reason,
    }
}
