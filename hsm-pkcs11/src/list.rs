//! What is on a token: keys and certificates, each with the URI that names it.

use privyseal_hsm::{
    FitnessNote, HeldCertificate, KeyPolicy, ListedKey, Listing, SecretProvider, SignerOptions,
};

use crate::certificate::{self, TokenCertificate};
use crate::error::Error;
use crate::key::{self, KeyFacts};
use crate::login::Authenticator;
use crate::mechanism::{self, SigningMechanism};
use crate::module::Entered;
use crate::slot;
use crate::token::OpenToken;
use crate::uri::{ObjectType, Pkcs11Uri, fits};

/// Lists the private keys and the certificates of the token that `uri` means, after a
/// login as `Pkcs11Signer::open_as` makes it, and says which keys it would refuse. `object`, `id` and
/// `type` narrow the list.
///
/// # Errors
/// Module or token are not there or not the only ones, the login is refused or would cost too much, or the
/// token cannot be read.
pub fn list(
    uri: &Pkcs11Uri,
    pins: &mut dyn SecretProvider,
    options: &SignerOptions,
) -> Result<Listing<Pkcs11Uri>, Error> {
    let module = slot::module_of(uri)?;
    let mut authenticator = Authenticator::new(None, options.login, false);
    let token = OpenToken::open_first(&module, uri, &mut authenticator, Some(pins))?;
    read(&module.enter()?, &token, uri, &options.key)
}

/// Lists what the token that `uri` means shows without a login. A private key that is known by its public key only has
/// [`FitnessNote::Unseen`].
///
/// # Errors
/// Module or token are not there or not the only ones, or the token cannot be read.
pub fn list_public(uri: &Pkcs11Uri) -> Result<Listing<Pkcs11Uri>, Error> {
    let module = slot::module_of(uri)?;
    let module = module.enter()?;
    let token = OpenToken::unauthenticated(&module, uri)?;
    let mut listing = read(&module, &token, uri, &KeyPolicy::default())?;
    let base = token.uri(uri);
    for (name, public_key) in key::public_keys(&token.session, None)? {
        let public_key = public_key.ok();
        let uri = name.uri(&base, ObjectType::Private);
        let seen = |key: &ListedKey<Pkcs11Uri>| {
            key.uri == uri || public_key.is_some() && key.public_key == public_key
        };
        if !listing.keys.iter().any(seen) {
            listing.keys.push(ListedKey {
                uri,
                public_key,
                mechanism: None,
                notes: vec![FitnessNote::Unseen],
            });
        }
    }
    Ok(listing)
}

fn read(
    module: &Entered<'_>,
    token: &OpenToken,
    uri: &Pkcs11Uri,
    policy: &KeyPolicy,
) -> Result<Listing<Pkcs11Uri>, Error> {
    let base = token.uri(uri);
    let offered = mechanism::offered::<SigningMechanism>(module.raw(), token.found.slot)?;
    let heap = certificate::all(&token.session)?;
    let keys = key::all(&token.session, uri)?;
    let keys = keys
        .iter()
        .map(|facts| listed(facts, &base, &offered, &heap, policy));
    let certificates = heap
        .iter()
        .filter(|found| found.name.fits(uri, ObjectType::Certificate))
        .map(|found| {
            let uri = found.name.uri(&base, ObjectType::Certificate);
            (uri, found.der.clone())
        });
    let mut listing = Listing::new(keys.collect(), certificates);
    if !fits(uri.object_type.as_ref(), &ObjectType::Private) {
        listing.keys.clear();
    }
    Ok(listing)
}

fn listed(
    facts: &KeyFacts,
    base: &Pkcs11Uri,
    offered: &[SigningMechanism],
    heap: &[TokenCertificate],
    policy: &KeyPolicy,
) -> ListedKey<Pkcs11Uri> {
    let public_key = facts.public.clone().ok();
    let held = match &public_key {
        Some(key) => certificate::held(heap, key, &facts.name.id),
        None => HeldCertificate::None,
    };
    let mechanism = mechanism::choose(offered, &facts.allowed).filter(|_| facts.is_rsa);
    ListedKey {
        uri: facts.name.uri(base, ObjectType::Private),
        mechanism: mechanism.map(SigningMechanism::name),
        notes: key::notes(facts, offered, held, policy),
        public_key,
    }
}
