//! The signer: one key behind a module, open and ready.

use std::fmt;
use std::sync::Arc;

use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use privyseal_core::{
    CertificationRequestInfo, CertificationRequestSigner, RsaPublicKey, Signature, Signer,
    SigningInput,
};

use crate::certificate;
use crate::error::{CallError, Error};
use crate::key::{self, FitnessNote, KeyFacts};
use crate::login::{LoginPolicy, login};
use crate::mechanism::{self, SigningMechanism};
use crate::module::Module;
use crate::object::ObjectName;
use crate::operation::{self, ToSign};
use crate::pin::PinProvider;
use crate::slot::{self, FoundToken, TokenInfo};
use crate::uri::{ObjectType, Pkcs11Uri};

/// Signs assertions with a key that stays behind its PKCS #11 module.
///
/// It can be sent to another thread, but not shared: a PKCS #11 session does one thing at a time.
pub struct Pkcs11Signer {
    uri: Pkcs11Uri,
    name: ObjectName,
    handle: ObjectHandle,
    mechanism: SigningMechanism,
    public: RsaPublicKey,
    notes: Vec<FitnessNote>,
    token: OpenToken,
    /// The session that signs. None after an error: the next signature opens another.
    work: Option<Session>,
}

/// A token that is logged in to. Its session is never used for signing, so it is never dropped after an
/// error: the login lasts only as long as one session of the process does.
pub(crate) struct OpenToken {
    module: Arc<Module>,
    found: FoundToken,
    pub(crate) session: Session,
}

impl OpenToken {
    pub(crate) fn open(
        uri: &Pkcs11Uri,
        pins: &mut dyn PinProvider,
        policy: LoginPolicy,
    ) -> Result<Self, Error> {
        let module = Module::load(uri)?;
        let found = slot::select(&module, uri)?;
        let session = open_session(&module, &found)?;
        login(module.context(), &session, &found, pins, policy)?;
        Ok(Self {
            module,
            found,
            session,
        })
    }

    pub(crate) fn mechanisms(&self) -> Result<Vec<SigningMechanism>, CallError> {
        mechanism::offered(self.module.context(), self.found.slot)
    }

    /// The token as a URI that opens it again: how to reach it is as `given`.
    pub(crate) fn uri(&self, given: &Pkcs11Uri) -> Pkcs11Uri {
        Pkcs11Uri {
            module_path: given.module_path.clone(),
            pin_source: given.pin_source.clone(),
            max_sessions: given.max_sessions,
            ..self.found.info.uri()
        }
    }
}

fn open_session(module: &Module, found: &FoundToken) -> Result<Session, CallError> {
    module
        .context()
        .open_ro_session(found.slot)
        .map_err(|error| CallError::new("C_OpenSession", &error))
}

impl Pkcs11Signer {
    /// Finds the token and the key that `uri` means, logs in (at most one try, see [`LoginPolicy`]) and
    /// checks that the key can sign. `pins` is asked only if a PIN is needed and may be tried.
    pub fn open(
        uri: &Pkcs11Uri,
        pins: &mut dyn PinProvider,
        policy: LoginPolicy,
    ) -> Result<Self, Error> {
        let token = OpenToken::open(uri, pins, policy)?;
        let offered = token.mechanisms()?;
        let facts = key::select(&token.session, uri)?;
        let uri = facts.name.uri(&token.uri(uri), ObjectType::Private);
        let unfit = |reason| Error::Key {
            key: facts.name.short(ObjectType::Private),
            reason,
        };
        if let Some(reason) = key::obstacle(&facts, &offered) {
            return Err(unfit(reason));
        }
        let mechanism = mechanism::choose(&offered, &facts.allowed)
            .ok_or_else(|| unfit(crate::error::KeyError::NoMechanism))?;
        let public = facts.public.clone().map_err(unfit)?;
        // Whether there is a certificate is asked when one is wanted.
        let notes = key::notes(&facts, &offered, true);
        let KeyFacts { handle, name, .. } = facts;
        Ok(Self {
            uri,
            name,
            handle,
            mechanism,
            public,
            notes,
            token,
            work: None,
        })
    }

    /// The key as a URI that names token and key in full, ready to paste.
    pub const fn uri(&self) -> &Pkcs11Uri {
        &self.uri
    }

    /// The token that the key is on, as it was when the signer was opened.
    pub const fn token(&self) -> &TokenInfo {
        &self.token.found.info
    }

    /// The mechanism that signs.
    pub const fn mechanism(&self) -> SigningMechanism {
        self.mechanism
    }

    /// Warnings about the key: it can leave the token, or be read.
    pub fn notes(&self) -> &[FitnessNote] {
        &self.notes
    }

    /// The key's certificate and its issuers as far as they are on the token, DER, leaf first; at most
    /// [`crate::limits::MAX_CERTIFICATES`]. Nothing is proved but that the leaf has this key.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        let heap = certificate::all(&self.token.session)?;
        Ok(certificate::of_key(&heap, &self.public, &self.name.id)?)
    }

    fn sign_into(&mut self, input: ToSign<'_>, signature: &mut Signature) -> Result<(), Error> {
        let bytes = self.sign_bytes(input)?;
        let length = |_| Error::SignatureLength {
            len: bytes.len(),
            expected: self.public.size(),
        };
        signature.set(&bytes).map_err(length)
    }

    fn sign_bytes(&mut self, input: ToSign<'_>) -> Result<Vec<u8>, Error> {
        // Taken, and put back only after success: a session that failed is closed here.
        let session = match self.work.take() {
            Some(session) => session,
            None => open_session(&self.token.module, &self.token.found)?,
        };
        let signature = operation::sign(&session, self.mechanism, self.handle, input)?;
        let (len, expected) = (signature.len(), self.public.size());
        if len != expected {
            return Err(Error::SignatureLength { len, expected });
        }
        self.work = Some(session);
        Ok(signature)
    }
}

impl Signer for Pkcs11Signer {
    type Error = Error;

    fn public_key(&self) -> &RsaPublicKey {
        &self.public
    }

    fn sign(&mut self, input: &SigningInput<'_>, signature: &mut Signature) -> Result<(), Error> {
        self.sign_into(ToSign::Assertion(input), signature)
    }
}

impl CertificationRequestSigner for Pkcs11Signer {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        self.sign_into(ToSign::CertificationRequest(info), signature)
    }
}

impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Signer")
            .field("uri", &format_args!("{}", self.uri))
            .field("mechanism", &self.mechanism)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
