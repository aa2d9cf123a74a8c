//! A call of the module that failed: the function, the return value, and what that means.

#[allow(
    clippy::wildcard_imports,
    reason = "every return value has its name below"
)]
use cryptoki_sys::*;
use privyseal_core::signer::SignerErrorKind;

/// A function of the module failed. Prints as `C_Sign: CKR_DEVICE_ERROR`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{function}: {detail}")]
pub struct CallError {
    function: &'static str,
    code: Option<CK_RV>,
    detail: String,
}

impl CallError {
    /// What `function` returned.
    pub(crate) fn check(function: &'static str, code: CK_RV) -> Result<(), Self> {
        match code {
            CKR_OK => Ok(()),
            code => Err(Self {
                function,
                code: Some(code),
                detail: name(code),
            }),
        }
    }

    /// The module's table has no such function.
    pub(crate) fn no_function(function: &'static str) -> Self {
        Self::unanswered(function, "the module does not have this function")
    }

    /// The module wants one call at a time, and another has not returned.
    pub(crate) fn busy(function: &'static str) -> Self {
        Self::unanswered(
            function,
            "the module takes one call at a time, and another has not returned",
        )
    }

    fn unanswered(function: &'static str, detail: &str) -> Self {
        Self {
            function,
            code: None,
            detail: detail.into(),
        }
    }

    /// Whether a session, login, key or token that was there is there no longer, or may not be: what a
    /// new session, a new login or a module that is initialized again can cure.
    pub(crate) fn is_loss(&self) -> bool {
        self.is_loss_of_session()
            // Network HSMs report a lost connection so.
            || self.code >= Some(CKR_VENDOR_DEFINED)
            || self.is(&[
                CKR_OBJECT_HANDLE_INVALID,
                CKR_KEY_HANDLE_INVALID,
                CKR_USER_NOT_LOGGED_IN,
                CKR_DEVICE_REMOVED,
                CKR_DEVICE_ERROR,
                CKR_TOKEN_NOT_PRESENT,
                CKR_TOKEN_NOT_RECOGNIZED,
                CKR_SLOT_ID_INVALID,
                CKR_GENERAL_ERROR,
                CKR_FUNCTION_FAILED,
                CKR_CRYPTOKI_NOT_INITIALIZED,
            ])
    }

    /// Whether no more than a session is lost.
    pub(crate) fn is_loss_of_session(&self) -> bool {
        self.is(&[
            CKR_SESSION_HANDLE_INVALID,
            CKR_SESSION_CLOSED,
            CKR_OPERATION_ACTIVE,
            CKR_OPERATION_NOT_INITIALIZED,
        ])
    }

    /// Whether a login did not come to its PIN, because what it needs is there no longer. What says less may have
    /// cost a try.
    pub(crate) fn is_loss_before_login(&self) -> bool {
        self.is_loss_of_what_is_closed() || self.is(&[CKR_OPERATION_NOT_INITIALIZED])
    }

    /// Whether `C_CloseSession` says that there is nothing to close. The number may be another session's soon.
    pub(crate) fn is_loss_of_what_is_closed(&self) -> bool {
        self.is(&[
            CKR_SESSION_HANDLE_INVALID,
            CKR_SESSION_CLOSED,
            CKR_DEVICE_REMOVED,
            CKR_TOKEN_NOT_PRESENT,
            CKR_CRYPTOKI_NOT_INITIALIZED,
        ])
    }

    /// Whether `C_GenerateKeyPair` says that it makes no such key. Nothing was made then.
    pub(crate) fn is_refusal_of_template(&self) -> bool {
        self.is(&[
            CKR_TEMPLATE_INCONSISTENT,
            CKR_TEMPLATE_INCOMPLETE,
            CKR_ATTRIBUTE_TYPE_INVALID,
            CKR_ATTRIBUTE_VALUE_INVALID,
            CKR_ATTRIBUTE_READ_ONLY,
            // tpm2-pkcs11 says so.
            CKR_GENERAL_ERROR,
        ])
    }

    /// Whether `C_Decrypt` says that what it was given cannot be decrypted. Modules say so in many ways:
    /// besides what the specification has, SoftHSM says general error, and kryoptic device error. A token
    /// that breaks at this moment is taken for it; the next use tells.
    pub(crate) fn is_undecipherable(&self) -> bool {
        self.is(&[
            CKR_ENCRYPTED_DATA_INVALID,
            CKR_ENCRYPTED_DATA_LEN_RANGE,
            CKR_DATA_INVALID,
            CKR_DATA_LEN_RANGE,
            CKR_BUFFER_TOO_SMALL,
            CKR_GENERAL_ERROR,
            CKR_FUNCTION_FAILED,
            CKR_DEVICE_ERROR,
        ])
    }

    fn is(&self, codes: &[CK_RV]) -> bool {
        self.code.is_some_and(|code| codes.contains(&code))
    }

    /// The function, as `C_Login`.
    pub const fn function(&self) -> &'static str {
        self.function
    }

    /// The return value's name, as `CKR_PIN_INCORRECT`, if the module returned one.
    pub fn code(&self) -> Option<&str> {
        self.code.is_some().then_some(self.detail.as_str())
    }

    pub(crate) const fn rv(&self) -> Option<CK_RV> {
        self.code
    }

    pub(crate) fn kind(&self) -> SignerErrorKind {
        self.code
            .map_or(SignerErrorKind::Protocol, |code| outcome(code).0)
    }

    /// What that means, as `; the token is not there`. Empty where the name says it all.
    pub(crate) fn meaning(&self) -> &'static str {
        match (self.function, self.code) {
            ("C_Initialize", Some(CKR_ARGUMENTS_BAD)) => {
                "; the module wants a text for C_Initialize (module-init-args), as NSS does"
            }
            (_, code) => code.map_or("", |code| outcome(code).1),
        }
    }
}

fn outcome(code: CK_RV) -> (SignerErrorKind, &'static str) {
    use SignerErrorKind as Kind;
    match code {
        CKR_DEVICE_REMOVED | CKR_TOKEN_NOT_PRESENT | CKR_TOKEN_NOT_RECOGNIZED => {
            (Kind::Unavailable, "; the token is not there")
        }
        CKR_SLOT_ID_INVALID => (Kind::NotFound, "; the module has no slot of this number"),
        CKR_DEVICE_ERROR | CKR_DEVICE_MEMORY => {
            (Kind::Unavailable, "; the token reports a fault of its own")
        }
        CKR_GENERAL_ERROR | CKR_FUNCTION_FAILED => (Kind::Unavailable, "; the module says no more"),
        CKR_SESSION_HANDLE_INVALID
        | CKR_SESSION_CLOSED
        | CKR_OBJECT_HANDLE_INVALID
        | CKR_KEY_HANDLE_INVALID
        | CKR_CRYPTOKI_NOT_INITIALIZED => (
            Kind::Unavailable,
            "; the token was removed or the module restarted",
        ),
        CKR_SESSION_COUNT | CKR_HOST_MEMORY => {
            (Kind::Busy, "; the token's sessions are all in use")
        }
        CKR_USER_NOT_LOGGED_IN => (
            Kind::NotLoggedIn,
            "; the login was lost or the key needs a PIN",
        ),
        CKR_PIN_INCORRECT => (Kind::PinIncorrect, ""),
        CKR_PIN_LOCKED => (Kind::PinLocked, ""),
        CKR_PIN_EXPIRED => (Kind::NotLoggedIn, "; the PIN must be changed first"),
        CKR_USER_PIN_NOT_INITIALIZED => (Kind::NotLoggedIn, "; the token has no user PIN yet"),
        CKR_USER_ANOTHER_ALREADY_LOGGED_IN | CKR_USER_TOO_MANY_TYPES => (
            Kind::NotLoggedIn,
            "; this process is logged in to the token as someone else (the security officer?)",
        ),
        CKR_KEY_FUNCTION_NOT_PERMITTED => (
            Kind::KeyUnfit,
            "; the key may not be used so (CKA_SIGN, CKA_DECRYPT)",
        ),
        CKR_MECHANISM_INVALID
        | CKR_KEY_TYPE_INCONSISTENT
        | CKR_KEY_SIZE_RANGE
        | CKR_MECHANISM_PARAM_INVALID => (
            Kind::KeyUnfit,
            "; the key and the mechanism do not fit each other",
        ),
        CKR_FUNCTION_REJECTED | CKR_FUNCTION_CANCELED | CKR_CANCEL => {
            (Kind::Refused, "; it was refused at the token")
        }
        CKR_OPERATION_ACTIVE | CKR_OPERATION_NOT_INITIALIZED | CKR_BUFFER_TOO_SMALL => {
            (Kind::Protocol, "")
        }
        _ => (Kind::Other, ""),
    }
}

/// The name in the specification.
fn name(code: CK_RV) -> String {
    macro_rules! names {
        ($($name:ident)*) => {
            match code {
                $($name => stringify!($name).into(),)*
                CKR_VENDOR_DEFINED.. => format!("CKR_VENDOR_DEFINED + {:#x}", code - CKR_VENDOR_DEFINED),
                _ => format!("return value {code:#x}"),
            }
        };
    }
    names! {
        CKR_CANCEL CKR_HOST_MEMORY CKR_SLOT_ID_INVALID CKR_GENERAL_ERROR CKR_FUNCTION_FAILED
        CKR_ARGUMENTS_BAD CKR_NO_EVENT CKR_NEED_TO_CREATE_THREADS CKR_CANT_LOCK CKR_ATTRIBUTE_READ_ONLY
        CKR_ATTRIBUTE_SENSITIVE CKR_ATTRIBUTE_TYPE_INVALID CKR_ATTRIBUTE_VALUE_INVALID
        CKR_ACTION_PROHIBITED CKR_DATA_INVALID CKR_DATA_LEN_RANGE CKR_DEVICE_ERROR CKR_DEVICE_MEMORY
        CKR_DEVICE_REMOVED CKR_ENCRYPTED_DATA_INVALID CKR_ENCRYPTED_DATA_LEN_RANGE
        CKR_AEAD_DECRYPT_FAILED CKR_FUNCTION_CANCELED CKR_FUNCTION_NOT_PARALLEL
        CKR_FUNCTION_NOT_SUPPORTED CKR_KEY_HANDLE_INVALID CKR_KEY_SIZE_RANGE CKR_KEY_TYPE_INCONSISTENT
        CKR_KEY_NOT_NEEDED CKR_KEY_CHANGED CKR_KEY_NEEDED CKR_KEY_INDIGESTIBLE
        CKR_KEY_FUNCTION_NOT_PERMITTED CKR_KEY_NOT_WRAPPABLE CKR_KEY_UNEXTRACTABLE
        CKR_MECHANISM_INVALID CKR_MECHANISM_PARAM_INVALID CKR_OBJECT_HANDLE_INVALID
        CKR_OPERATION_ACTIVE CKR_OPERATION_NOT_INITIALIZED CKR_PIN_INCORRECT CKR_PIN_INVALID
        CKR_PIN_LEN_RANGE CKR_PIN_EXPIRED CKR_PIN_LOCKED CKR_SESSION_CLOSED CKR_SESSION_COUNT
        CKR_SESSION_HANDLE_INVALID CKR_SESSION_PARALLEL_NOT_SUPPORTED CKR_SESSION_READ_ONLY
        CKR_SESSION_EXISTS CKR_SESSION_READ_ONLY_EXISTS CKR_SESSION_READ_WRITE_SO_EXISTS
        CKR_SIGNATURE_INVALID CKR_SIGNATURE_LEN_RANGE CKR_TEMPLATE_INCOMPLETE CKR_TEMPLATE_INCONSISTENT
        CKR_TOKEN_NOT_PRESENT CKR_TOKEN_NOT_RECOGNIZED CKR_TOKEN_WRITE_PROTECTED
        CKR_UNWRAPPING_KEY_HANDLE_INVALID CKR_UNWRAPPING_KEY_SIZE_RANGE
        CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT CKR_USER_ALREADY_LOGGED_IN CKR_USER_NOT_LOGGED_IN
        CKR_USER_PIN_NOT_INITIALIZED CKR_USER_TYPE_INVALID CKR_USER_ANOTHER_ALREADY_LOGGED_IN
        CKR_USER_TOO_MANY_TYPES CKR_WRAPPED_KEY_INVALID CKR_WRAPPED_KEY_LEN_RANGE
        CKR_WRAPPING_KEY_HANDLE_INVALID CKR_WRAPPING_KEY_SIZE_RANGE CKR_WRAPPING_KEY_TYPE_INCONSISTENT
        CKR_RANDOM_SEED_NOT_SUPPORTED CKR_RANDOM_NO_RNG CKR_DOMAIN_PARAMS_INVALID
        CKR_CURVE_NOT_SUPPORTED CKR_BUFFER_TOO_SMALL CKR_SAVED_STATE_INVALID CKR_INFORMATION_SENSITIVE
        CKR_STATE_UNSAVEABLE CKR_CRYPTOKI_NOT_INITIALIZED CKR_CRYPTOKI_ALREADY_INITIALIZED
        CKR_MUTEX_BAD CKR_MUTEX_NOT_LOCKED CKR_NEW_PIN_MODE CKR_NEXT_OTP CKR_EXCEEDED_MAX_ITERATIONS
        CKR_FIPS_SELF_TEST_FAILED CKR_LIBRARY_LOAD_FAILED CKR_PIN_TOO_WEAK CKR_PUBLIC_KEY_INVALID
        CKR_FUNCTION_REJECTED CKR_TOKEN_RESOURCE_EXCEEDED CKR_OPERATION_CANCEL_FAILED CKR_KEY_EXHAUSTED
        CKR_PENDING CKR_SESSION_ASYNC_NOT_SUPPORTED CKR_SEED_RANDOM_REQUIRED
        CKR_OPERATION_NOT_VALIDATED CKR_TOKEN_NOT_INITIALIZED CKR_PARAMETER_SET_NOT_SUPPORTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_function_and_value() {
        let error = CallError::check("C_Sign", CKR_DEVICE_REMOVED).unwrap_err();
        assert_eq!(error.to_string(), "C_Sign: CKR_DEVICE_REMOVED");
        assert_eq!(
            (error.function(), error.code()),
            ("C_Sign", Some("CKR_DEVICE_REMOVED"))
        );
        assert_eq!(error.kind(), SignerErrorKind::Unavailable);
        for (code, name) in [
            (CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED"),
            (0x1fe, "return value 0x1fe"),
            (0x8000_0007, "CKR_VENDOR_DEFINED + 0x7"),
        ] {
            assert_eq!(super::name(code), name);
        }
        assert!(CallError::check("C_Sign", CKR_OK).is_ok());
    }

    #[test]
    fn what_gave_no_answer_names_the_function() {
        let error = CallError::no_function("C_Decrypt");
        assert!(
            error
                .to_string()
                .starts_with("C_Decrypt: the module does not have")
        );
        assert_eq!(
            (error.code(), error.kind()),
            (None, SignerErrorKind::Protocol)
        );
    }
}
