//! What is on a token: keys and certificates, each with the URI that names it.

use privyseal_core::RsaPublicKey;
use privyseal_hsm::{FitnessNote, HeldCertificate, KeyPolicy, SecretProvider, SignerOptions};

use crate::certificate::{self, TokenCertificate};
use crate::error::Error;
use crate::key::{self, KeyFacts};
use crate::login::Authenticator;
use crate::mechanism::{self, SigningMechanism};
use crate::module::Module;
use crate::token::OpenToken;
use crate::uri::{ObjectType, Pkcs11Uri, fits};

/// A private key or a certificate on a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Listed {
    /// A private key.
    Key(ListedKey),
    /// A certificate.
    Certificate(ListedCertificate),
}

/// A private key on a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedKey {
    /// Names it in full, ready to paste.
    pub uri: Pkcs11Uri,
    /// `CKA_LABEL`.
    pub label: String,
    /// `CKA_ID`.
    pub id: Vec<u8>,
    /// Its public key, if it is RSA of a supported size and shows it.
    pub public_key: Option<RsaPublicKey>,
    /// The mechanism that would sign, if one fits.
    pub mechanism: Option<SigningMechanism>,
    /// What makes it unfit, and warnings.
    pub notes: Vec<FitnessNote>,
}

impl ListedKey {
    /// Whether it can sign assertions.
    pub fn is_fit(&self) -> bool {
        !self.notes.iter().any(FitnessNote::is_obstacle)
    }
}

/// A certificate on a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedCertificate {
    /// Names it in full, ready to paste.
    pub uri: Pkcs11Uri,
    /// `CKA_LABEL`.
    pub label: String,
    /// `CKA_ID`.
    pub id: Vec<u8>,
    /// The certificate, DER as the token holds it.
    pub der: Vec<u8>,
    /// The listed private key that it is for, as a URI.
    pub key: Option<Pkcs11Uri>,
}

/// Lists the private keys and the certificates of the token that `uri` means, keys first, after a
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
) -> Result<Vec<Listed>, Error> {
    let module = Module::load(uri)?;
    let mut authenticator = Authenticator::new(None, options.login, false);
    let token = OpenToken::open_first(&module, uri, &mut authenticator, Some(pins))?;
    let entered = module.enter()?;
    let base = token.uri(uri);
    let offered = mechanism::offered::<SigningMechanism>(entered.raw(), token.found.slot)?;
    let heap = certificate::all(&token.session)?;
    let keys: Vec<ListedKey> = key::all(&token.session, uri)?
        .iter()
        .map(|facts| listed_key(facts, &base, &offered, &heap, &options.key))
        .collect();
    let certificates: Vec<ListedCertificate> = heap
        .iter()
        .map(|found| listed_certificate(found, &base, &keys))
        .collect();
    let keys = keys.into_iter().map(Listed::Key);
    let certificates = certificates.into_iter().map(Listed::Certificate);
    Ok(keys
        .chain(certificates)
        .filter(|listed| wanted(listed, uri))
        .collect())
}

fn listed_key(
    facts: &KeyFacts,
    base: &Pkcs11Uri,
    offered: &[SigningMechanism],
    heap: &[TokenCertificate],
    policy: &KeyPolicy,
) -> ListedKey {
    let public_key = facts.public.clone().ok();
    let held = match &public_key {
        Some(key) => certificate::held(heap, key, &facts.name.id),
        None => HeldCertificate::None,
    };
    ListedKey {
        uri: facts.name.uri(base, ObjectType::Private),
        label: facts.name.label.clone(),
        id: facts.name.id.clone(),
        mechanism: mechanism::choose(offered, &facts.allowed).filter(|_| facts.is_rsa),
        notes: key::notes(facts, offered, held, policy),
        public_key,
    }
}

fn listed_certificate(
    found: &TokenCertificate,
    base: &Pkcs11Uri,
    keys: &[ListedKey],
) -> ListedCertificate {
    let of = |key: &&ListedKey| found.public.is_some() && key.public_key == found.public;
    ListedCertificate {
        uri: found.name.uri(base, ObjectType::Certificate),
        label: found.name.label.clone(),
        id: found.name.id.clone(),
        der: found.der.clone(),
        key: keys.iter().find(of).map(|key| key.uri.clone()),
    }
}

fn wanted(listed: &Listed, uri: &Pkcs11Uri) -> bool {
    let (label, id, kind) = match listed {
        Listed::Key(key) => (&key.label, &key.id, ObjectType::Private),
        Listed::Certificate(certificate) => {
            (&certificate.label, &certificate.id, ObjectType::Certificate)
        }
    };
    fits(uri.object(), label) && fits(uri.id(), id) && fits(uri.object_type().as_ref(), &kind)
}
