//! A call of the module that failed: the function, the return value, and what that means.

use cryptoki::context::Function;
use cryptoki::error::{Error as Cryptoki, RvError};
use privyseal_core::signer::SignerErrorKind;

/// A function of the module failed. Prints as `C_Sign: CKR_DEVICE_ERROR`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{function}: {detail}")]
pub struct CallError {
    function: String,
    code: Option<RvError>,
    detail: String,
}

impl CallError {
    /// From what cryptoki gave. `during` names the function for errors that cryptoki found itself in
    /// what the function returned.
    pub(crate) fn new(during: &'static str, error: &Cryptoki) -> Self {
        let (code, detail) = match error {
            Cryptoki::Pkcs11(code, _) => (Some(*code), ckr_name(*code)),
            Cryptoki::NullFunctionPointer => {
                (None, "the module does not have this function".into())
            }
            other => (None, format!("its answer cannot be read ({other})")),
        };
        let function = match error {
            Cryptoki::Pkcs11(_, function) => format!("C_{function:?}"),
            _ => during.into(),
        };
        Self {
            function,
            code,
            detail,
        }
    }

    /// For a call that was made without cryptoki.
    pub(crate) fn of(function: Function, error: &Cryptoki) -> Self {
        let mut call = Self::new("", error);
        call.function = format!("C_{function:?}");
        call
    }

    /// Whether a session, login, key or token that was there is there no longer, or may not be: what a
    /// new session, a new login or a module that is initialized again can cure.
    pub(crate) const fn is_loss(&self) -> bool {
        self.is_loss_of_session()
            || matches!(
                self.code,
                Some(
                    RvError::ObjectHandleInvalid
                        | RvError::KeyHandleInvalid
                        | RvError::UserNotLoggedIn
                        | RvError::DeviceRemoved
                        | RvError::DeviceError
                        | RvError::TokenNotPresent
                        | RvError::TokenNotRecognized
                        | RvError::SlotIdInvalid
                        | RvError::GeneralError
                        | RvError::FunctionFailed
                        | RvError::CryptokiNotInitialized
                        // Network HSMs report a lost connection so.
                        | RvError::VendorDefined(_)
                )
            )
    }

    /// Whether no more than a session is lost.
    pub(crate) const fn is_loss_of_session(&self) -> bool {
        matches!(
            self.code,
            Some(
                RvError::SessionHandleInvalid
                    | RvError::SessionClosed
                    | RvError::OperationActive
                    | RvError::OperationNotInitialized
            )
        )
    }

    /// Whether `C_CloseSession` says that there is nothing to close. The number may be another session's soon.
    pub(crate) const fn is_loss_of_what_is_closed(&self) -> bool {
        matches!(
            self.code,
            Some(
                RvError::SessionHandleInvalid
                    | RvError::SessionClosed
                    | RvError::DeviceRemoved
                    | RvError::TokenNotPresent
                    | RvError::CryptokiNotInitialized
            )
        )
    }

    /// Whether `C_Decrypt` says that what it was given cannot be decrypted. Modules say so in many ways:
    /// besides what the specification has, SoftHSM says general error, and kryoptic device error. A token
    /// that breaks at this moment is taken for it; the next use tells.
    pub(crate) const fn is_undecipherable(&self) -> bool {
        matches!(
            self.code,
            Some(
                RvError::EncryptedDataInvalid
                    | RvError::EncryptedDataLenRange
                    | RvError::DataInvalid
                    | RvError::DataLenRange
                    | RvError::BufferTooSmall
                    | RvError::GeneralError
                    | RvError::FunctionFailed
                    | RvError::DeviceError
            )
        )
    }

    /// The function, as `C_Login`.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The return value's name, as `CKR_PIN_INCORRECT`, if the module returned one.
    pub fn code(&self) -> Option<&str> {
        self.code.is_some().then_some(self.detail.as_str())
    }

    pub(crate) const fn rv(&self) -> Option<RvError> {
        self.code
    }

    pub(crate) fn kind(&self) -> SignerErrorKind {
        self.code
            .map_or(SignerErrorKind::Protocol, |code| outcome(code).0)
    }

    /// What that means, as `; the token is not there`. Empty where the name says it all.
    pub(crate) fn meaning(&self) -> &'static str {
        self.code.map_or("", |code| outcome(code).1)
    }
}

fn outcome(code: RvError) -> (SignerErrorKind, &'static str) {
    use SignerErrorKind as Kind;
    match code {
        RvError::DeviceRemoved | RvError::TokenNotPresent | RvError::TokenNotRecognized => {
            (Kind::Unavailable, "; the token is not there")
        }
        RvError::SlotIdInvalid => (Kind::NotFound, "; the module has no slot of this number"),
        RvError::DeviceError | RvError::DeviceMemory => {
            (Kind::Unavailable, "; the token reports a fault of its own")
        }
        RvError::GeneralError | RvError::FunctionFailed => {
            (Kind::Unavailable, "; the module says no more")
        }
        RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::ObjectHandleInvalid
        | RvError::KeyHandleInvalid
        | RvError::CryptokiNotInitialized => (
            Kind::Unavailable,
            "; the token was removed or the module restarted",
        ),
        RvError::SessionCount | RvError::HostMemory => {
            (Kind::Busy, "; the token's sessions are all in use")
        }
        RvError::UserNotLoggedIn => (
            Kind::NotLoggedIn,
            "; the login was lost or the key needs a PIN",
        ),
        RvError::PinIncorrect => (Kind::PinIncorrect, ""),
        RvError::PinLocked => (Kind::PinLocked, ""),
        RvError::PinExpired => (Kind::NotLoggedIn, "; the PIN must be changed first"),
        RvError::UserPinNotInitialized => (Kind::NotLoggedIn, "; the token has no user PIN yet"),
        RvError::UserAnotherAlreadyLoggedIn | RvError::UserTooManyTypes => (
            Kind::NotLoggedIn,
            "; this process is logged in to the token as someone else (the security officer?)",
        ),
        RvError::KeyFunctionNotPermitted => (
            Kind::KeyUnfit,
            "; the key may not be used so (CKA_SIGN, CKA_DECRYPT)",
        ),
        RvError::MechanismInvalid
        | RvError::KeyTypeInconsistent
        | RvError::KeySizeRange
        | RvError::MechanismParamInvalid => (
            Kind::KeyUnfit,
            "; the key and the mechanism do not fit each other",
        ),
        RvError::FunctionRejected | RvError::FunctionCanceled | RvError::Cancel => {
            (Kind::Refused, "; it was refused at the token")
        }
        RvError::OperationActive | RvError::OperationNotInitialized | RvError::BufferTooSmall => {
            (Kind::Protocol, "")
        }
        _ => (Kind::Other, ""),
    }
}

/// `PinIncorrect` to `CKR_PIN_INCORRECT`: cryptoki names its values after the specification's.
fn ckr_name(code: RvError) -> String {
    match code {
        RvError::VendorDefined(value) => format!("CKR_VENDOR_DEFINED + {:#x}", value & 0x7fff_ffff),
        RvError::UnknownErrorCode(value) => format!("return value {value:#x}"),
        known => {
            let mut name = String::from("CKR");
            for letter in format!("{known:?}").chars() {
                if letter.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spelling of the specification (PKCS #11 3.1 section 5.1), for each kind of name there is.
    #[test]
    fn names_are_those_of_the_specification() {
        for (code, name) in [
            (RvError::PinIncorrect, "CKR_PIN_INCORRECT"),
            (RvError::Cancel, "CKR_CANCEL"),
            (RvError::HostMemory, "CKR_HOST_MEMORY"),
            (RvError::UserAlreadyLoggedIn, "CKR_USER_ALREADY_LOGGED_IN"),
            (
                RvError::SessionReadWriteSoExists,
                "CKR_SESSION_READ_WRITE_SO_EXISTS",
            ),
            (RvError::RandomNoRng, "CKR_RANDOM_NO_RNG"),
            (RvError::FipsSelfTestFailed, "CKR_FIPS_SELF_TEST_FAILED"),
            (
                RvError::CryptokiAlreadyInitialized,
                "CKR_CRYPTOKI_ALREADY_INITIALIZED",
            ),
            (RvError::DeviceRemoved, "CKR_DEVICE_REMOVED"),
        ] {
            assert_eq!(ckr_name(code), name);
        }
        assert_eq!(
            ckr_name(RvError::UnknownErrorCode(0x1fe)),
            "return value 0x1fe"
        );
    }

    #[test]
    fn a_call_names_function_and_value() {
        let error = CallError::new(
            "",
            &Cryptoki::Pkcs11(RvError::DeviceRemoved, Function::Sign),
        );
        assert_eq!(error.to_string(), "C_Sign: CKR_DEVICE_REMOVED");
        assert_eq!(
            (error.function(), error.code()),
            ("C_Sign", Some("CKR_DEVICE_REMOVED"))
        );
        assert_eq!(error.kind(), SignerErrorKind::Unavailable);
    }

    #[test]
    fn an_unreadable_answer_names_the_function() {
        let error = CallError::new("C_GetTokenInfo", &Cryptoki::InvalidValue);
        assert!(
            error
                .to_string()
                .starts_with("C_GetTokenInfo: its answer cannot be read")
        );
        assert_eq!(
            (error.code(), error.kind()),
            (None, SignerErrorKind::Protocol)
        );
    }
}
