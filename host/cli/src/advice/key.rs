//! What a person can do about an error of a key, its token or its PIN.

use privyseal::Error;
use privyseal::keys::KeyUriError;
use privyseal_hsm::{KeyUnfit, SecretUnavailable};
use privyseal_pkcs11::{CertificateError, Error as Pkcs11, SelectError};
use privyseal_yubihsm::audit::AuditError;
use privyseal_yubihsm::{CertificateError as DeviceCertificates, DeviceCode, Error as Yubihsm};

/// Where a module shows no token.
pub(crate) const NO_TOKEN: &str = "no token is initialized: put it in, or initialize one (pkcs11-tool --init-token); p11-kit-client.so \
     shows those of the server at P11_KIT_SERVER_ADDRESS";

/// `None` where the error says it all.
pub(super) fn of(error: &Error) -> Option<&'static str> {
    if let Some(KeyUriError::NoSigner) = error.find() {
        return Some("privyseal sign, token, ishare, ciba and login can use it");
    }
    if let Some(reason) = error.find() {
        return secret(reason);
    }
    let advice = error.find().and_then(pkcs11);
    advice.or_else(|| error.find().and_then(yubihsm))
}

/// Where there is no PIN or password. What it has that none can have, the error says.
const fn secret(reason: &SecretUnavailable) -> Option<&'static str> {
    match reason {
        SecretUnavailable::RefusedBefore => {
            Some("give the right PIN; --spend-final-pin-try offers this one again")
        }
        _ => None,
    }
}

fn pkcs11(error: &Pkcs11) -> Option<&'static str> {
    Some(match error {
        Pkcs11::Module { path, .. } if path.is_absolute() => "check module-path",
        Pkcs11::Module { .. } => {
            "check module-path, or whether p11-kit knows that module-name (p11-kit list-modules)"
        }
        Pkcs11::Token(SelectError::None { present }) if present.is_empty() => NO_TOKEN,
        Pkcs11::Taken { .. } => {
            "give a new key a name that is free; keys put-chain --replace replaces a certificate"
        }
        Pkcs11::Key { reason, .. } => return unfit(*reason),
        Pkcs11::Certificates(CertificateError::NoneForKey { .. }) => {
            "store the chain on the token (keys put-chain), or give it as a file"
        }
        Pkcs11::PinLocked { .. } => {
            "the token's security officer can unlock the PIN (pkcs11-tool --init-pin)"
        }
        Pkcs11::PinFinalTry { .. } => {
            "allow the final try only if the PIN is certain (--spend-final-pin-try)"
        }
        Pkcs11::PinNotInitialized { .. } => "pkcs11-tool --init-pin sets a PIN",
        Pkcs11::PinCountLow { .. } => "open the key again with the right PIN",
        Pkcs11::SignatureLength { .. } => "check the module",
        Pkcs11::KeyEncryption { .. } => {
            "register the key for another algorithm, or use a token that knows this one"
        }
        Pkcs11::OneSession { .. } => {
            "close other programs' sessions, or use a token that has more (ulMaxSessionCount)"
        }
        Pkcs11::RecoveryFailed { then, .. } => return pkcs11(then),
        Pkcs11::Call(call) => match call.code()? {
            "CKR_DEVICE_REMOVED" | "CKR_TOKEN_NOT_PRESENT" | "CKR_TOKEN_NOT_RECOGNIZED" => {
                "put the token back"
            }
            "CKR_GENERAL_ERROR" | "CKR_FUNCTION_FAILED" => {
                "check the module's configuration, its log and its service"
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn yubihsm(error: &Yubihsm) -> Option<&'static str> {
    Some(match error {
        Yubihsm::AuthKeyNotFound { .. } => "check auth-key",
        Yubihsm::SessionsFull { .. } => "close other clients",
        Yubihsm::Key { reason, .. } => return unfit(*reason),
        Yubihsm::Certificates(
            DeviceCertificates::NoneLabelled { .. }
            | DeviceCertificates::NotNamed
            | DeviceCertificates::TooMany { .. },
        ) => "name the certificates with cert-ids or cert-label, or give the chain as a file",
        Yubihsm::Call(call) if call.code == DeviceCode::LOG_FULL => {
            "drain the log: privyseal yubihsm audit, or audit-dir in the URI"
        }
        Yubihsm::Audit(AuditError::Gap { .. }) => "begin a new audit directory",
        Yubihsm::Audit(AuditError::Truncated { .. }) => "drain the log with yubihsm-shell",
        _ => return None,
    })
}

fn unfit(reason: KeyUnfit) -> Option<&'static str> {
    Some(match reason {
        KeyUnfit::MayNotSign => "generate a key with usage sign",
        KeyUnfit::MayNotDecrypt => "generate a key with usage decrypt",
        KeyUnfit::NotSensitive => {
            "generate a key on the token (--allow-not-sensitive accepts this one)"
        }
        KeyUnfit::PublicObject => "--allow-public-object accepts this key",
        KeyUnfit::OtherCertificate => {
            "store the right certificate (--allow-other-certificate accepts this key)"
        }
        _ => return None,
    })
}
