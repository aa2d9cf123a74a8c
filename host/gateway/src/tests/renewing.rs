//! Devices that lie when they are renewed.

use privyseal_core::{RsaPublicKey, UnixTime};
use privyseal_protocol::{DeviceState, Request, Response};

use super::peer::{Peer, frame};
use super::{LONG, open};
use crate::{DeviceError, GatewayPolicy, Package};

const POLICY: &str = r#"
max-lifetime = 60
max-jump = 60
board-entropy = false
rate = { assertions = 1, seconds = 1 }
[schemes.itsme]
client-id = "partner"
kid = "k1"
audiences = ["https://idp.prd.itsme.services/v2/token"]
"#;

fn package() -> Package {
    let policy = GatewayPolicy::from_toml(POLICY, |_| Err(String::new())).unwrap();
    let key = RsaPublicKey::from_components(&[0xc3; 256], &[1, 0, 1]).unwrap();
    let now = UnixTime::from_secs(1_800_000_000).unwrap();
    Package::install(&policy, &key, None, now).unwrap()
}

/// Ready with `before` until it is to be renewed, which `answer` is to; then `state` with `after`.
fn renewed(
    before: [u8; 32],
    answer: Response<'static>,
    (state, after): (DeviceState, Option<[u8; 32]>),
) -> Result<(), DeviceError> {
    let mut asked = false;
    let peer = Peer::new(move |id, request| match request {
        Request::Renew { policy, signature } => {
            assert_eq!(
                (*policy, *signature),
                (package().fingerprint(), &b"word"[..])
            );
            asked = true;
            frame(id, &answer)
        }
        _ => Peer::told(id, |info| {
            (info.state, info.key) = if asked {
                (state, after)
            } else {
                (DeviceState::Ready, Some(before))
            };
        }),
    });
    open(peer, LONG).unwrap().renew(&package(), Some(b"word"))
}

#[test]
fn a_device_that_waits_with_its_key_is_believed_and_no_other() {
    let (key, accepted) = (package().key_sha256(), Response::Accepted { received: 0 });
    for state in [DeviceState::Uncertified, DeviceState::Locked] {
        renewed(key, accepted, (state, Some(key))).unwrap();
    }
    for then in [
        (DeviceState::Ready, Some(key)),
        (DeviceState::Faulted, Some(key)),
        (DeviceState::Empty, None),
        (DeviceState::Uncertified, None),
        (DeviceState::Uncertified, Some([3; 32])),
        (DeviceState::Locked, Some([3; 32])),
    ] {
        let error = renewed(key, accepted, then).unwrap_err();
        assert!(matches!(error, DeviceError::Untrue(_)), "{error}");
    }
    for answer in [
        Response::Wiped,
        Response::Unlocked,
        Response::Provisioned { key },
        Response::TimeSet { floor: 1 },
    ] {
        let error = renewed(key, answer, (DeviceState::Uncertified, Some(key))).unwrap_err();
        assert!(matches!(error, DeviceError::Unexpected { .. }), "{error}");
    }
    // One with another key is not asked at all.
    let error = renewed([4; 32], Response::Wiped, (DeviceState::Ready, Some(key))).unwrap_err();
    assert!(matches!(error, DeviceError::Untrue(_)), "{error}");
}
