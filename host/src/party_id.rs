//! Who signs: the client id given, or the one that the leaf certificate says.

use privyseal_core::ClientId;
use privyseal_core::Scheme;
use privyseal_core::cert::{Certificate, Chain};
use privyseal_core::id::IdSyntax;
use privyseal_core::id::syntax::organization_country;

use crate::error::Error;

/// The party id that iSHARE 2.1 derives from a certificate: `did:ishare:EU.`, the country, and the
/// subject's organizationIdentifier (2.5.4.97). `None` where the subject has none of the form of ETSI
/// EN 319 412-1 section 5.1.4.
pub fn did_ishare(leaf: &Certificate<'_>) -> Option<ClientId> {
    let organization = leaf.subject().organization_identifier()?;
    let country = organization_country(organization)?;
    let id = format!("did:ishare:EU.{country}.{organization}");
    if !IdSyntax::DidIshare.accepts(&id) {
        return None;
    }
    ClientId::new(&id).ok()
}

/// Checks a client id that was given.
pub fn given(scheme: &Scheme, client_id: &str) -> Result<ClientId, Error> {
    let client_id = ClientId::new(client_id)?;
    scheme.check_client_id(&client_id)?;
    Ok(client_id)
}

/// The client id that follows from the leaf, where `scheme` derives it.
pub fn derived(scheme: &Scheme, chain: &Chain<'_>) -> Result<ClientId, Error> {
    let missing = |reason| Error::Missing { option: "--client-id", reason };
    if !scheme.client_id.value.contains(&IdSyntax::DidIshare) {
        return Err(missing(format!(
            "{} hands it out; the certificate does not say it ({})",
            scheme.title, scheme.client_id.source
        )));
    }
    chain.leaf().and_then(did_ishare).ok_or_else(|| {
        missing(
            "the leaf certificate has no organizationIdentifier (2.5.4.97) to derive it from".into(),
        )
    })
}
