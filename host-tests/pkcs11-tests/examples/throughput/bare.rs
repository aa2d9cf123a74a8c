//! What there is to compare with: `C_SignInit` and `C_Sign`, and nothing else, as one would write it in C.
//!
//! `unsafe`: the calls are made through the module's own function list, because that is the point. Handles
//! are numbers that the module checks; buffers are valid for the lengths given.
#![allow(unsafe_code)]

use cryptoki::context::Pkcs11;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use cryptoki_sys::{CK_FUNCTION_LIST, CK_MECHANISM, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKR_OK};
use privyseal_core::limits::MAX_SIGNATURE;
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Uri, SigningMechanism};

use crate::measure::{Failure, Work};

pub(crate) struct Bare {
    context: Pkcs11,
    slot: Slot,
    template: Vec<Attribute>,
    functions: CK_FUNCTION_LIST,
    mechanism: SigningMechanism,
    /// What the pipeline sends: 51 bytes to be padded, or the whole signing input.
    data: Vec<u8>,
    _library: cryptoki_sys::Pkcs11,
}

impl Bare {
    /// With sessions of its own on the token of `pool`, whose login it shares, as all of a process do.
    pub(crate) fn new(uri: &Pkcs11Uri, pool: &Pkcs11Pool) -> Result<Self, Failure> {
        let path = uri.module_path()?;
        let context = Pkcs11::new(path)?;
        // SAFETY: the pool has loaded this library already.
        let library = unsafe { cryptoki_sys::Pkcs11::new(path) }?;
        let mut list = std::ptr::null_mut();
        // SAFETY: the module sets the pointer to its table, which lives as long as the library.
        let functions = unsafe {
            if library.C_GetFunctionList(&raw mut list) != CKR_OK {
                return Err("C_GetFunctionList".into());
            }
            list.as_ref().copied().ok_or("C_GetFunctionList")?
        };
        let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
        let key = pool.uri();
        template.extend(key.object().map(|label| Attribute::Label(label.into())));
        template.extend(key.id().map(|id| Attribute::Id(id.to_vec())));
        Ok(Self {
            slot: Slot::try_from(pool.token().slot_id)?,
            context,
            template,
            functions,
            mechanism: pool.mechanism(),
            data: match pool.mechanism() {
                SigningMechanism::RsaPkcs => vec![0x30; 51],
                _ => vec![0x30; 8 * 1024],
            },
            _library: library,
        })
    }

    pub(crate) fn worker(&self) -> Result<Work<'_>, Failure> {
        let session = self.context.open_ro_session(self.slot)?;
        let found = session.find_objects(&self.template)?;
        let key = *found.first().ok_or("the key is not there")?;
        Ok(Box::new(move || self.sign(&session, key)))
    }

    fn sign(&self, session: &Session, key: ObjectHandle) -> Result<(), Failure> {
        let mut mechanism = CK_MECHANISM {
            mechanism: match self.mechanism {
                SigningMechanism::RsaPkcs => CKM_RSA_PKCS,
                _ => CKM_SHA256_RSA_PKCS,
            },
            pParameter: std::ptr::null_mut(),
            ulParameterLen: 0,
        };
        let init = self.functions.C_SignInit.ok_or("no C_SignInit")?;
        let sign = self.functions.C_Sign.ok_or("no C_Sign")?;
        let mut signature = [0; MAX_SIGNATURE];
        let mut len = signature.len().try_into()?;
        // SAFETY: see the top of the file.
        let results = unsafe {
            [
                init(session.handle(), &raw mut mechanism, key.handle()),
                sign(
                    session.handle(),
                    self.data.as_ptr().cast_mut(),
                    self.data.len().try_into()?,
                    signature.as_mut_ptr(),
                    &raw mut len,
                ),
            ]
        };
        match results {
            [CKR_OK, CKR_OK] => Ok(()),
            other => Err(format!("C_SignInit, C_Sign: {other:#x?}").into()),
        }
    }
}
