//! What a person can do about a file that cannot be used, and about what no file says.

use privyseal::Error;
use privyseal::jose::jwe::JweFault;
use privyseal::jose::jws::JwsFault;
use privyseal::jose::{JoseError, JoseFault};
use privyseal::oidc::OidcError;
use privyseal::pki::PkiError;
use privyseal::pki::pem::PemError;
use privyseal::profile::ProfileError;
use privyseal::schemes::ishare::{IshareError, ResponseFault};
use privyseal_core::cert::ChainError;

/// `None` where the error says it all.
pub(crate) fn of(error: &Error) -> Option<&'static str> {
    if let Some(ProfileError::Named { .. }) = error.find() {
        // Where no options are.
        let is_client_id = matches!(error.find(), Some(PkiError::NoClientId { .. }));
        return is_client_id.then_some("say it in the profile as client-id");
    }
    let advice = error.find().and_then(of_pki);
    let advice = advice.or_else(|| error.find().and_then(of_core));
    let advice = advice.or_else(|| error.find().and_then(of_ishare));
    let advice = advice.or_else(|| error.find().and_then(of_jose));
    advice.or_else(|| match error.find() {
        Some(OidcError::Issuer(_)) => Some("the issuer is made of --base-url"),
        _ => None,
    })
}

fn of_pki(error: &PkiError) -> Option<&'static str> {
    Some(match error {
        PkiError::Content { fault, .. } => match fault {
            PemError::Pkcs7("certificate") => {
                "take the certificates out: openssl pkcs7 -print_certs -in FILE -out chain.pem, with \
                 -inform DER unless it is PEM"
            }
            PemError::Pkcs12("certificate") => {
                "take the certificates out: openssl pkcs12 -nokeys -in FILE -out chain.pem"
            }
            PemError::Pkcs7(_) | PemError::Pkcs12(_) => {
                "give the list itself, as its CA publishes it"
            }
            PemError::Utf16 => "convert it: iconv -f UTF-16 -t ASCII FILE > converted.pem",
            _ => return None,
        },
        PkiError::NoClientId { .. }
        | PkiError::NoOrganizationIdentifier
        | PkiError::OrganizationIdentifier { .. } => "give it with --client-id",
        _ => return None,
    })
}

fn of_core(error: &privyseal_core::Error) -> Option<&'static str> {
    (*error == ChainError::MissingRoot.into()).then_some(
        "give the whole chain with --chain FILE, or store the CA certificates on the token",
    )
}

fn of_ishare(error: &IshareError) -> Option<&'static str> {
    Some(match error {
        IshareError::Response { fault, .. } => match fault {
            ResponseFault::Untrusted => {
                "give the root that vouches for that seal with --trust FILE"
            }
            ResponseFault::OtherParty => {
                "compare --audience, or --provider-id, with the certificate of that party; if it is the right one, give that \
                 very certificate with --trust FILE"
            }
            ResponseFault::Future { .. } | ResponseFault::Expired { .. } => {
                "compare the clocks: privyseal doctor --server"
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn of_jose(error: &JoseError) -> Option<&'static str> {
    Some(match error.fault() {
        JoseFault::Jws(JwsFault::Encrypted) => {
            "have the provider encrypt nothing to this client; privyseal ciba alone reads what is encrypted"
        }
        JoseFault::Jwe(JweFault::NoKey) => "name that key with --decryption-key",
        JoseFault::Jwe(JweFault::NotEncrypted) => {
            "leave --decryption-key out if the provider encrypts nothing"
        }
        _ => return None,
    })
}
