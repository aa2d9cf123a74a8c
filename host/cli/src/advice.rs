//! What to do about an error, where that can be said: what only the command knows, its options among them.

use std::io;

use privyseal::Error;
use privyseal::http::{HttpCause, HttpError};
use privyseal::oidc::OidcError;
use privyseal::oidc::login::LoginError;
use privyseal_gateway::DeviceError;
use privyseal_protocol::{DeviceState, Refusal};

use crate::error::CliError;

pub(crate) mod file;
pub(crate) mod key;
mod refusal;

/// What to do about it.
pub(crate) fn of(error: &CliError) -> Option<String> {
    match error {
        CliError::Library(error)
        | CliError::UserInfoMissing(error)
        | CliError::IdTokenMissing(error)
        | CliError::IdTokenNotJudged(error) => of_library(error),
        _ => None,
    }
}

/// What to do about an error of the libraries.
pub(crate) fn of_library(error: &Error) -> Option<String> {
    if let Some(LoginError::Spent { is_code, .. }) = error.find() {
        let code = "begin the login again: the code is good once";
        let then = if *is_code { code } else { refusal::SPENT };
        let first = file::of(error).map(|first| format!("{first}, and {then}"));
        return Some(first.unwrap_or_else(|| then.to_owned()));
    }
    if let Some(refusal) = error.refusal() {
        return Some(refusal::of(refusal));
    }
    if let Some(OidcError::Clock { .. }) = error.find() {
        return Some(SET_CLOCK.to_owned());
    }
    if let Some(OidcError::NotOffered("userinfo_endpoint")) = error.find() {
        let advice = "go without it: ciba with --no-userinfo, others without --userinfo";
        return Some(advice.to_owned());
    }
    let advice = error.find().and_then(of_device).or_else(|| key::of(error));
    let advice = advice.or_else(|| error.find().and_then(of_http));
    let advice = advice.or_else(|| file::of(error));
    advice.map(str::to_owned)
}

/// What is done about a clock that is not that of a server.
pub(crate) const SET_CLOCK: &str = "set this machine's clock (timedatectl set-ntp true); --backdate only helps where it is a little ahead";

fn of_http(error: &HttpError) -> Option<&'static str> {
    let is_untrusted = error.cause() == HttpCause::UntrustedIssuer;
    is_untrusted.then_some("a private root is given with --cacert FILE")
}

fn of_device(error: &DeviceError) -> Option<&'static str> {
    Some(match error {
        DeviceError::InUse { .. } => {
            "close the other program (a terminal on the port, another privyseal), or wait for it: --wait SECONDS"
        }
        DeviceError::Open { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            "join the group that has the port (ls -lL PORT; privyseal-gateway where udev knows it as a gateway, dialout \
             else), and log in again"
        }
        DeviceError::Silent { noise, .. } if noise.bytes == 0 => {
            "see that the gateway has power, that this is its port, and that no other program has it; it may have started \
             again meanwhile: privyseal device info"
        }
        DeviceError::Silent { .. } | DeviceError::Noisy { .. } => {
            "see that this is the gateway's port and speed (device:PORT?baud=N)"
        }
        DeviceError::NoKey => PROVISION,
        DeviceError::NotGenerated => "begin again: privyseal device generate",
        DeviceError::Unwraps => {
            "give it as --decryption-key; its public key is published by jwks --encryption-key"
        }
        DeviceError::Uncertified => CERTIFY,
        DeviceError::Locked => UNLOCK,
        DeviceError::Version { .. } => {
            "flash it with the image of this release: cargo xtask firmware build, docs/gateway.md"
        }
        DeviceError::UploadLost => "see that nothing resets it or cuts its power, and begin again",
        DeviceError::Refused { asked, refusal } => match refusal {
            Refusal::State(DeviceState::Empty) => PROVISION,
            Refusal::State(DeviceState::Uncertified) => CERTIFY,
            Refusal::State(DeviceState::Locked) => UNLOCK,
            Refusal::KeyUnlock => {
                "make or import the key with --unlock-secret FILE; this one must be wiped first: privyseal device wipe"
            }
            Refusal::State(DeviceState::Generating) => {
                "wait for it: privyseal device generate; or end it: privyseal device abort"
            }
            Refusal::Entropy if *asked == "make a key" => {
                "if this board has no random generator: --without-board-entropy"
            }
            Refusal::State(DeviceState::Ready)
                if ["be provisioned", "make a key"].contains(asked) =>
            {
                "it has a key, which nothing replaces: privyseal device wipe destroys it first"
            }
            // Wiping it would destroy a key that may be sound.
            Refusal::State(DeviceState::Faulted) => {
                "privyseal device info says why, and what to do"
            }
            Refusal::Fault => {
                "read its log (privyseal device log), then wipe it and provision it again, or replace it"
            }
            Refusal::Rate { .. } => "wait for it: --wait SECONDS",
            Refusal::Authority => {
                "the authority's word serves once, and for one second or one policy: print a new line (privyseal device \
                 set-time, or renew --statement) and have it signed"
            }
            Refusal::Renewal => {
                "go on with the policy that the renewal was begun for, and renew again from there; or wipe the device"
            }
            Refusal::Statement => {
                "name the server in authentication-requests or authorization-requests of the policy file; privyseal device \
                 renew takes another policy in, with its authority's word"
            }
            Refusal::TimeAhead { .. } => {
                "have the provisioning authority set the time: privyseal device set-time; privyseal doctor says what is left \
                 where its policy has none"
            }
            Refusal::TimeBack { .. } => {
                "set this machine's clock (timedatectl set-ntp true); if it is right, a clock was ahead before: have \
                 the provisioning authority set the device's time back (privyseal device set-time), or wipe the \
                 device and provision it again"
            }
            Refusal::State(DeviceState::Provisioning) => {
                "an upload was begun and not finished: privyseal device abort, then begin again"
            }
            _ => return None,
        },
        DeviceError::Untrue(_) => {
            "do not use it until you know why: another device, a bridge that alters bytes, or an attack"
        }
        _ => return None,
    })
}

const PROVISION: &str = "have it make one: privyseal device generate";
const UNLOCK: &str = "give it its secret: privyseal device unlock --unlock-secret FILE";
const CERTIFY: &str =
    "have its key certified: privyseal device csr, then privyseal device install-chain";

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of itsme's and eHealth's tables (docs of user discovery, of each endpoint; section 8): a sentence of its
    /// own, and where a person is asked, nothing of what is for a client alone.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_row_of_the_tables_has_advice_of_its_own() {
        use privyseal::oauth::{Diagnosis as D, RequestKind as K};
        let rows: &[(K, &[(D, &str)])] = &[
            (
                K::Discovery,
                &[
                    (D::DiscoveryOver, "begin again with the QR code"),
                    (D::InvalidClient, "--env or --base-url is right"),
                    (D::RateLimited, "wait"),
                ],
            ),
            (
                K::Backchannel,
                &[
                    (D::InvalidRequest, "--requested-expiry"),
                    (D::InvalidScope, "check --service and --scope"),
                    (D::ExpiredLoginHint, "ask at once when it was scanned"),
                    (D::UnknownUser, "begin again with the QR code"),
                    (D::ClientMayNotAsk, "check --client-id"),
                    (D::InvalidClient, "can read the JWK Set"),
                    (D::AccessDenied, "ask the person"),
                    (D::NoSuchEndpoint, "what else names the server"),
                    (D::RequestObject, "RS256 is registered for signed requests"),
                ],
            ),
            (
                K::CibaTokens,
                &[
                    (D::InvalidRequest, "--ping or polling"),
                    (D::InvalidAuthReqId, "begin again with the QR code"),
                    (D::ExpiredToken, "--requested-expiry may ask for more time"),
                    (D::AccessDenied, "ask the person"),
                    (D::ClientMayNotAsk, "check this key's kid and the clock"),
                    (D::InvalidClient, "can read the JWK Set"),
                    (D::UnsupportedGrantType, "allow this client CIBA"),
                    (D::NoSuchEndpoint, "what else names the server"),
                ],
            ),
            (
                K::UserInfo,
                &[
                    (D::InvalidRequest, "ask the provider's support"),
                    (D::InvalidToken, "begin the login again"),
                    (D::Forbidden, "ask for more with --scope"),
                    (D::NotAllowed, "does not take GET"),
                    (D::Unavailable, "try again later"),
                ],
            ),
            (
                K::Authorization,
                &[
                    (D::InvalidRequest, "is registered exactly so"),
                    (D::ClientMayNotLogIn, "the authorization code flow"),
                    (D::AccessDenied, "ask the person"),
                    (D::UnsupportedResponseType, "response_type code"),
                    (D::RequestObject, "without --signed-request"),
                    (D::InvalidScope, "check --scope"),
                    (D::ServerError, "ask the provider's support"),
                    (D::Overloaded, "in some minutes"),
                    (
                        D::LoginRequired,
                        "without --prompt none where that was given",
                    ),
                ],
            ),
            (
                K::Code,
                &[
                    (D::InvalidRequest, "is registered exactly so"),
                    (D::InvalidClient, "registered with this key's kid"),
                    (D::InvalidCode, "within a minute"),
                    (D::ClientMayNotLogIn, "ask the provider to allow"),
                    (D::UnsupportedGrantType, "with refresh tokens"),
                    (D::InvalidScope, "check --scope"),
                ],
            ),
            (
                K::Refresh,
                &[
                    (D::InvalidRefreshToken, "have the person log in again"),
                    (D::InvalidScope, "is not what it was then"),
                    (D::ClientMayNotGoOn, "allow this client that"),
                    (D::InvalidRequest, "a token of the kind"),
                    (D::ServerError, "use it no more"),
                ],
            ),
            (
                K::Logout,
                &[
                    (D::InvalidRefreshToken, "has ended before"),
                    (D::ClientMayNotGoOn, "allow this client that"),
                    (D::Redirect, "leads elsewhere"),
                ],
            ),
            (
                K::Revocation,
                &[
                    (D::UnsupportedTokenType, "give the refresh token"),
                    (D::AccessDenied, "allow this client that"),
                ],
            ),
            (
                K::NewDiscovery,
                &[
                    (D::BadRequest, "check --client-id"),
                    (D::InvalidClient, "--env or --base-url is right, and"),
                ],
            ),
            (
                K::Public,
                &[
                    (D::Redirect, "give that one"),
                    (D::NotPublished, "the address that was given"),
                    (D::InternalError, "try again later"),
                ],
            ),
            (
                K::Introspection,
                &[
                    (D::UnsupportedTokenType, "a token of the kind"),
                    (D::InvalidClient, "registered with this key's kid"),
                    (D::ClientMayNotGoOn, "allow this client that"),
                ],
            ),
            (
                K::Call,
                &[
                    (D::TokenRejected, "the address it is for"),
                    (D::Forbidden, "the data owner"),
                    (D::NotFound, "onboarding is completed"),
                    (D::Unavailable, "try again later"),
                ],
            ),
            (
                K::Token,
                &[
                    (D::InvalidRequest, "--scheme is the server's scheme"),
                    (D::InvalidClient, "never used before"),
                    (D::InvalidGrant, "check the audience and the clock"),
                    (D::UnauthorizedClient, "allow client credentials"),
                    (D::UnsupportedGrantType, "--base-url its address"),
                    (D::InvalidScope, "check the scope"),
                ],
            ),
        ];
        for (kind, row) in rows {
            for (diagnosis, words) in *row {
                let advice = refusal::to_do(*kind, *diagnosis);
                assert!(advice.contains(words), "{kind:?} {diagnosis:?}: {advice}");
                let same = row
                    .iter()
                    .filter(|it| refusal::to_do(*kind, it.0) == advice);
                assert_eq!(same.count(), 1, "{kind:?}: {advice}");
                for word in [
                    "--scheme",
                    "certificate",
                    "client credentials",
                    "onboarding",
                ] {
                    let is_client = matches!(kind, K::Token | K::Call);
                    assert!(is_client || !advice.contains(word), "{kind:?}: {advice}");
                }
            }
        }
    }

    /// A device whose generator gave nothing once has a sound key: nobody is told to wipe that.
    #[test]
    fn a_device_that_stopped_is_looked_at_first() {
        let refused = |refusal| {
            let asked = "sign an assertion";
            let error = DeviceError::Refused { asked, refusal };
            of(&Error::from(error).into())
        };
        let advice = refused(Refusal::State(DeviceState::Faulted)).unwrap();
        assert!(advice.contains("device info"), "{advice}");
        assert!(!advice.contains("wipe"), "{advice}");
        assert_eq!(refused(Refusal::Audience), None);
        let again = of(&Error::from(DeviceError::NotGenerated).into()).unwrap();
        assert!(again.contains("device generate"), "{again}");
    }
}
