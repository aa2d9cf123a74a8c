//! Sets a token up: a key pair that signs and never leaves it, and the certificates that belong to it.
//!
//! What is on the token stays as it is: a name that is taken is refused, and a certificate is replaced only where the caller
//! says so, after the new one is there. What was made is read back.

use cryptoki_sys::{
    CK_KEY_TYPE, CK_MECHANISM_TYPE, CK_OBJECT_CLASS, CK_ULONG, CKA_ALWAYS_AUTHENTICATE,
    CKA_CERTIFICATE_TYPE, CKA_CLASS, CKA_DECRYPT, CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_ID, CKA_ISSUER,
    CKA_KEY_TYPE, CKA_LABEL, CKA_MODULUS_BITS, CKA_PRIVATE, CKA_PUBLIC_EXPONENT, CKA_SENSITIVE,
    CKA_SERIAL_NUMBER, CKA_SIGN, CKA_SUBJECT, CKA_TOKEN, CKA_UNWRAP, CKA_VALUE, CKA_VERIFY,
    CKA_WRAP, CKC_X_509, CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, CKO_CERTIFICATE, CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
};
use privyseal_core::cert::Certificate;
use privyseal_hsm::{
    FitnessNote, HeldCertificate, KeyPolicy, KeyUnfit, ListedKey, LoginPolicy, NewKey,
    SecretProvider, public_key,
};

use crate::certificate::{self, TokenCertificate};
use crate::error::{CallError, CertificateError, Error};
use crate::key;
use crate::limits::CHANGE_WAIT;
use crate::login::Authenticator;
use crate::mechanism::{self, SigningMechanism};
use crate::module::{Entered, Module, text};
use crate::object::{self, ObjectName};
use crate::raw::Attribute;
use crate::session::OpenSession;
use crate::slot;
use crate::token::OpenToken;
use crate::uri::{ObjectType, Pkcs11Uri};

const YES: &[u8] = &[1];
const NO: &[u8] = &[0];

/// The library whose keys always may decrypt, too.
const TPM2_PKCS11: &str = "TPM2.0 Cryptoki";

/// Bytes of a `CKA_ID` where the URI gives none.
const ID: usize = 16;

/// Generates an RSA key pair on the token that `uri` means, and gives the private key: sensitive, never extractable, for
/// signatures only. `object` is its label; `id` its `CKA_ID`, or a random one. A token that makes no such keys is asked for
/// one that may decrypt, too (tpm2-pkcs11 makes no others), and that is noted.
///
/// # Errors
/// The URI has no label, the name is taken, the login is refused or would cost too much, or the token does not make
/// such a key. One that it made otherwise stays on the token, and is named.
pub fn generate_key(
    uri: &Pkcs11Uri,
    pins: &mut dyn SecretProvider,
    login: LoginPolicy,
    new: &NewKey,
) -> Result<ListedKey<Pkcs11Uri>, Error> {
    let label = uri.required_object()?.to_owned();
    let id = uri.id().map(<[u8]>::to_vec);
    let name = ObjectName {
        id: id.map_or_else(random_id, Ok)?,
        label,
    };
    let (bits, min) = (
        new.bits.try_into().unwrap_or(0),
        KeyPolicy::default().min_bits,
    );
    if bits < min {
        let key = name.short(ObjectType::Private);
        let reason = KeyUnfit::TooSmall { bits, min };
        return Err(Error::Key { key, reason });
    }
    let module = slot::module_of(uri)?;
    let token = open(&module, uri, pins, login)?;
    let module = module.enter()?;
    let _alone = module.module().alone(CHANGE_WAIT);
    check_free(&token.session, &name)?;
    // What it refuses stays in the TPM's memory, which is small.
    let is_tpm = text(&module.raw().info()?.libraryDescription) == TPM2_PKCS11;
    match generate(&module, &token, &name, *new, is_tpm) {
        Err(call) if call.is_refusal_of_template() => {
            check_free(&token.session, &name)?;
            generate(&module, &token, &name, *new, true)?;
        }
        made => made?,
    }
    check_key(
        &module,
        &token,
        &name.uri(&token.uri(uri), ObjectType::Private),
        *new,
    )
}

/// Stores the certificates (DER, leaf first) of the key that `uri` means, and gives their URIs. The leaf gets the `CKA_ID`
/// and label of the key. Those that are there already are left as they are; another leaf of this key is removed if
/// `replace` says so.
///
/// # Errors
/// The first certificate is not for the key, another leaf is there, the login is refused or would cost too much, or the
/// token does not store them.
pub fn put_certificates(
    uri: &Pkcs11Uri,
    pins: &mut dyn SecretProvider,
    login: LoginPolicy,
    chain: &[Vec<u8>],
    replace: bool,
) -> Result<Vec<Pkcs11Uri>, Error> {
    let module = slot::module_of(uri)?;
    let token = open(&module, uri, pins, login)?;
    let module = module.enter()?;
    let _alone = module.module().alone(CHANGE_WAIT);
    let facts = key::select::<SigningMechanism>(&token.session, uri)?;
    let leaf = chain.first().and_then(|leaf| public_key(leaf));
    if leaf.is_none() || leaf != facts.public.ok() {
        let key = facts.name.short(ObjectType::Private);
        return Err(CertificateError::NotForKey { key }.into());
    }
    let heap = certificate::all(&token.session)?;
    let wanted = named(chain, &facts.name)?;
    let is_wanted = |found: &&TokenCertificate| {
        let its = |(certificate, name): &(Certificate<'_>, ObjectName)| {
            certificate.as_der() == found.der && (name.id.is_empty() || name.id == found.name.id)
        };
        wanted.iter().any(its)
    };
    let (there, others): (Vec<_>, Vec<_>) = heap.iter().partition(is_wanted);
    let outdated = || others.iter().filter(|it| it.public == leaf);
    if let Some(other) = outdated().next().filter(|_| !replace) {
        let object = other.name.short(ObjectType::Certificate);
        return Err(Error::Taken { object });
    }
    let writing = OpenSession::writing(&module, token.slot())?;
    let base = token.uri(uri);
    let mut uris = Vec::new();
    for (certificate, name) in &wanted {
        let found = there.iter().find(|it| it.der == certificate.as_der());
        if found.is_none() {
            put(&module, &writing, certificate, name)?;
        }
        let name = found.map_or(name, |it| &it.name);
        uris.push(name.uri(&base, ObjectType::Certificate));
    }
    let stored = certificate::all(&token.session)?;
    if !chain
        .iter()
        .all(|der| stored.iter().any(|it| it.der == *der))
    {
        return Err(CertificateError::NotStored.into());
    }
    for other in outdated() {
        module
            .raw()
            .destroy_object(writing.handle(), other.handle)?;
    }
    Ok(uris)
}

fn open(
    module: &std::sync::Arc<Module>,
    uri: &Pkcs11Uri,
    pins: &mut dyn SecretProvider,
    login: LoginPolicy,
) -> Result<OpenToken, Error> {
    let mut authenticator = Authenticator::new(None, login, false);
    OpenToken::open_first(module, uri, &mut authenticator, Some(pins))
}

fn random_id() -> Result<Vec<u8>, Error> {
    let mut id = vec![0; ID];
    getrandom::fill(&mut id).map_err(|error| Error::Randomness {
        reason: error.to_string(),
    })?;
    Ok(id)
}

/// That no key has the label or the id, and no certificate the id.
fn check_free(session: &OpenSession, name: &ObjectName) -> Result<(), Error> {
    let (label, id) = (
        (CKA_LABEL, name.label.as_bytes()),
        (CKA_ID, name.id.as_slice()),
    );
    for (class, kind, attribute) in [
        (CKO_PRIVATE_KEY, ObjectType::Private, label),
        (CKO_PRIVATE_KEY, ObjectType::Private, id),
        (CKO_PUBLIC_KEY, ObjectType::Public, label),
        (CKO_PUBLIC_KEY, ObjectType::Public, id),
        (CKO_CERTIFICATE, ObjectType::Certificate, id),
    ] {
        if let Some(found) = object::find(session, class, &[attribute])?.first() {
            let [label, id] = object::read::<64, _>(session, *found, [CKA_LABEL, CKA_ID])?;
            let object = ObjectName::new(label, id).short(kind);
            return Err(Error::Taken { object });
        }
    }
    Ok(())
}

fn generate(
    module: &Entered<'_>,
    token: &OpenToken,
    name: &ObjectName,
    new: NewKey,
    may_do_more: bool,
) -> Result<(), CallError> {
    const RSA: [u8; size_of::<CK_KEY_TYPE>()] = CKK_RSA.to_ne_bytes();
    const MECHANISM: CK_MECHANISM_TYPE = CKM_RSA_PKCS_KEY_PAIR_GEN;
    let bits = CK_ULONG::from(new.bits).to_ne_bytes();
    let shared: [Attribute<'_>; 4] = [
        (CKA_TOKEN, YES),
        (CKA_KEY_TYPE, &RSA),
        (CKA_LABEL, name.label.as_bytes()),
        (CKA_ID, &name.id),
    ];
    let mut public = vec![
        (CKA_MODULUS_BITS, bits.as_slice()),
        (CKA_PUBLIC_EXPONENT, &[1, 0, 1]),
        (CKA_VERIFY, YES),
        (CKA_WRAP, NO),
    ];
    let mut private = vec![
        (CKA_PRIVATE, YES),
        (CKA_SENSITIVE, YES),
        (CKA_EXTRACTABLE, NO),
        (CKA_SIGN, YES),
        (CKA_UNWRAP, NO),
    ];
    if !may_do_more {
        public.push((CKA_ENCRYPT, NO));
        private.push((CKA_DECRYPT, NO));
    }
    // Some tokens refuse the attribute whatever it says.
    private.extend(
        new.always_authenticate
            .then_some((CKA_ALWAYS_AUTHENTICATE, YES)),
    );
    let (public, private) = (
        [&shared[..], &public].concat(),
        [&shared[..], &private].concat(),
    );
    let session = OpenSession::writing(module, token.slot())?;
    let raw = module.raw();
    raw.generate_key_pair(session.handle(), MECHANISM, &public, &private)
        .map(drop)
}

/// That the key can sign, is what was asked for, and cannot leave the token.
fn check_key(
    module: &Entered<'_>,
    token: &OpenToken,
    made: &Pkcs11Uri,
    new: NewKey,
) -> Result<ListedKey<Pkcs11Uri>, Error> {
    let facts = key::select::<SigningMechanism>(&token.session, made)?;
    let key = || facts.name.short(ObjectType::Private);
    let offered = mechanism::offered::<SigningMechanism>(module.raw(), token.slot())?;
    let policy = KeyPolicy::default()
        .refuse_extractable(true)
        .min_bits(new.bits.try_into().unwrap_or(usize::MAX));
    let unfit = |reason| Error::Key { key: key(), reason };
    let held = HeldCertificate::None;
    let mechanism = key::check(&facts, &offered, held, &policy).map_err(unfit)?;
    if new.always_authenticate && !facts.always_authenticate {
        return Err(Error::NotAlwaysAuthenticate { key: key() });
    }
    let more = facts.may_decrypt.then_some(FitnessNote::MayDoMore);
    Ok(ListedKey {
        uri: made.clone(),
        mechanism: Some(mechanism.name()),
        public_key: facts.public.ok(),
        notes: more.into_iter().collect(),
    })
}

/// The leaf is called as its key is; an issuer by its own name.
fn named<'c>(
    chain: &'c [Vec<u8>],
    key: &ObjectName,
) -> Result<Vec<(Certificate<'c>, ObjectName)>, CertificateError> {
    let named = chain.iter().enumerate().map(|(position, der)| {
        let certificate = Certificate::from_der(der).map_err(|_| CertificateError::Unreadable {
            number: position.saturating_add(1),
        })?;
        let issuer = || ObjectName {
            label: certificate.subject().common_name().unwrap_or("CA").into(),
            id: Vec::new(),
        };
        let name = if position == 0 { key.clone() } else { issuer() };
        Ok((certificate, name))
    });
    named.collect()
}

fn put(
    module: &Entered<'_>,
    session: &OpenSession,
    certificate: &Certificate<'_>,
    name: &ObjectName,
) -> Result<(), CallError> {
    const CLASS: [u8; size_of::<CK_OBJECT_CLASS>()] = CKO_CERTIFICATE.to_ne_bytes();
    const X509: [u8; size_of::<CK_ULONG>()] = CKC_X_509.to_ne_bytes();
    let serial = certificate.serial();
    // An INTEGER; RFC 5280 section 4.1.2.2 has at most 20 bytes.
    let len = u8::try_from(serial.len()).unwrap_or(u8::MAX);
    let serial = [&[2, len], serial].concat();
    let mut attributes = vec![
        (CKA_CLASS, CLASS.as_slice()),
        (CKA_TOKEN, YES),
        (CKA_PRIVATE, NO),
        (CKA_CERTIFICATE_TYPE, &X509),
        (CKA_LABEL, name.label.as_bytes()),
        (CKA_SUBJECT, certificate.subject().as_der()),
        (CKA_ISSUER, certificate.issuer().as_der()),
        (CKA_SERIAL_NUMBER, &serial),
        (CKA_VALUE, certificate.as_der()),
    ];
    if !name.id.is_empty() {
        attributes.push((CKA_ID, &name.id));
    }
    module.raw().create_object(session.handle(), &attributes)
}
