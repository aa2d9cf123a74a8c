//! What to do about an error, where that can be said: what only the command knows, its options among them.

use std::io;

use privyseal::Error;
use privyseal::http::{HttpCause, HttpError};
use privyseal::oauth::RequestKind;
use privyseal::oidc::login::AuthorizationRefusal;
use privyseal_gateway::DeviceError;
use privyseal_protocol::{DeviceState, Refusal};

use crate::error::CliError;

pub(crate) mod file;
mod key;
mod refusal;

/// What to do about it.
pub(crate) fn of(error: &CliError) -> Option<String> {
    match error {
        CliError::Library(error) | CliError::UserInfoMissing(error) => of_library(error),
        _ => None,
    }
}

/// What to do about an error of the libraries.
pub(crate) fn of_library(error: &Error) -> Option<String> {
    if let Some(refusal) = error.refusal() {
        return Some(refusal::of(refusal));
    }
    if let Some(refusal) = error.find::<Box<AuthorizationRefusal>>() {
        let advice = refusal::to_do(RequestKind::Authorization, refusal.diagnosis());
        return Some(advice.to_owned());
    }
    let advice = error.find().and_then(of_device).or_else(|| key::of(error));
    let advice = advice.or_else(|| error.find().and_then(of_http));
    let advice = advice.or_else(|| file::of(error));
    advice.map(str::to_owned)
}

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
            "see that the gateway has power, that this is its port, and that no other program has it"
        }
        DeviceError::Silent { .. } | DeviceError::Noisy { .. } => {
            "see that this is the gateway's port and speed (device:PORT?baud=N)"
        }
        DeviceError::NoKey => PROVISION,
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
            Refusal::Authority if *asked == "be renewed" => {
                "another policy takes the authority's word: privyseal device renew --statement prints what it signs"
            }
            Refusal::TimeAhead { .. } => {
                "have the provisioning authority set the time: privyseal device set-time"
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

    #[test]
    fn a_client_that_is_not_accepted_looks_at_its_jti_too() {
        let advice = refusal::to_do(
            RequestKind::Token,
            privyseal::oauth::Diagnosis::InvalidClient,
        );
        assert!(advice.contains("never used before"), "{advice}");
    }

    /// Each row of itsme's and eHealth's tables about persons: nothing of schemes, certificates or client credentials,
    /// which are for a client alone.
    #[test]
    fn where_a_person_is_asked_the_advice_is_about_that() {
        use RequestKind::{Authorization, Backchannel, CibaTokens, Code, Discovery, Refresh};
        use privyseal::oauth::Diagnosis as D;
        let rows: &[(RequestKind, &[D])] = &[
            (Discovery, &[D::DiscoveryOver, D::InvalidClient]),
            (
                Backchannel,
                &[
                    D::InvalidRequest,
                    D::InvalidScope,
                    D::ExpiredLoginHint,
                    D::UnknownUser,
                    D::ClientMayNotAsk,
                    D::InvalidClient,
                    D::AccessDenied,
                ],
            ),
            (
                CibaTokens,
                &[
                    D::InvalidRequest,
                    D::InvalidAuthReqId,
                    D::ExpiredToken,
                    D::AccessDenied,
                    D::ClientMayNotAsk,
                    D::InvalidClient,
                    D::UnsupportedGrantType,
                ],
            ),
            (
                Authorization,
                &[
                    D::InvalidRequest,
                    D::ClientMayNotLogIn,
                    D::AccessDenied,
                    D::UnsupportedResponseType,
                    D::InvalidScope,
                    D::ServerError,
                    D::LoginRequired,
                    D::OwnReason,
                ],
            ),
            (
                Code,
                &[
                    D::InvalidRequest,
                    D::InvalidClient,
                    D::InvalidCode,
                    D::ClientMayNotLogIn,
                    D::UnsupportedGrantType,
                    D::InvalidScope,
                ],
            ),
            (Refresh, &[D::InvalidRefreshToken, D::InvalidScope]),
        ];
        for (kind, diagnoses) in rows {
            for diagnosis in *diagnoses {
                let advice = refusal::to_do(*kind, *diagnosis);
                for word in ["--scheme", "certificate", "client credentials"] {
                    assert!(!advice.contains(word), "{kind:?} {diagnosis:?}: {advice}");
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
    }
}
