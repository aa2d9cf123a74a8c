//! Devices that lie about their key at rest.

use privyseal_protocol::{AtRest, DeviceState, Refusal, Request, Response};

use sha2::Digest as _;

use super::peer::{Peer, frame};
use super::{LONG, open};
use crate::{DeviceError, UnlockSecret};

fn secret() -> UnlockSecret {
    UnlockSecret::from_hex("5e".repeat(32).as_bytes()).unwrap()
}

/// Locked until it is told otherwise; then `state` and `key`.
fn locked(state: DeviceState, key: u8) -> Peer {
    let mut given = false;
    Peer::new(move |id, request| match request {
        Request::Unlock(secret) => {
            assert_eq!(secret.0, [0x5e; 32]);
            given = true;
            frame(id, &Response::Unlocked)
        }
        _ => Peer::told(id, |info| {
            info.state = if given { state } else { DeviceState::Locked };
            info.key = Some([if given { key } else { 2 }; 32]);
        }),
    })
}

#[test]
fn the_secret_is_given_to_a_locked_device_only() {
    let mut device = open(locked(DeviceState::Ready, 2), LONG).unwrap();
    assert!(device.unlock(&secret()).unwrap());
    assert!(!device.unlock(&secret()).unwrap());
    let mut device = open(Peer::default(), LONG).unwrap();
    assert!(!device.unlock(&secret()).unwrap());
}

#[test]
fn a_device_that_says_it_is_unlocked_and_is_not_what_it_was() {
    for (state, key) in [(DeviceState::Locked, 2), (DeviceState::Ready, 3)] {
        let mut device = open(locked(state, key), LONG).unwrap();
        let error = device.unlock(&secret()).unwrap_err();
        assert!(matches!(error, DeviceError::Untrue(_)), "{error}");
    }
}

#[test]
fn other_answers_than_unlocked() {
    for response in [
        Response::Wiped,
        Response::Accepted { received: 32 },
        Response::Provisioned { key: [2; 32] },
    ] {
        let peer = Peer::new(move |id, request| match request {
            Request::Unlock(_) => frame(id, &response),
            _ => Peer::told(id, |info| info.state = DeviceState::Locked),
        });
        let error = open(peer, LONG).unwrap().unlock(&secret()).unwrap_err();
        assert!(matches!(error, DeviceError::Unexpected { .. }), "{error}");
    }
    let peer = Peer::new(|id, request| match request {
        Request::Unlock(_) => frame(id, &Response::Refused(Refusal::Unlock)),
        _ => Peer::told(id, |info| info.state = DeviceState::Locked),
    });
    let error = open(peer, LONG).unwrap().unlock(&secret()).unwrap_err();
    assert!(
        error.to_string().contains("not the unlock secret"),
        "{error}"
    );
}

/// A key that was to be kept under a secret and is not, and the other way round.
#[test]
fn a_key_that_is_kept_under_something_else() {
    for (asked, told) in [(Some(secret()), false), (None, true)] {
        let mut is_made = false;
        let peer = Peer::new(move |id, request| match request {
            Request::Generate(asked) => {
                assert_eq!(asked.unlock.is_some(), !told);
                is_made = true;
                frame(id, &Response::Accepted { received: 0 })
            }
            Request::Read { part, offset } => frame(
                id,
                &Response::Data {
                    part: *part,
                    total: 294,
                    offset: (*offset).into(),
                    bytes: &spki(),
                },
            ),
            _ => Peer::told(id, |info| {
                info.state = if is_made {
                    DeviceState::Uncertified
                } else {
                    DeviceState::Empty
                };
                info.key = is_made.then(|| sha2::Sha256::digest(spki()).into());
                info.origin = is_made.then_some(privyseal_protocol::Origin::Generated);
                info.at_rest = is_made.then_some(AtRest {
                    device_secret: true,
                    unlock_secret: told,
                });
            }),
        });
        let mut device = open(peer, LONG).unwrap();
        let made = device.generate(2048, false, asked.as_ref(), &mut |_| {});
        let error = made.unwrap_err().to_string();
        assert!(error.contains("under another secret"), "{error}");
    }
}

/// Of a modulus that is none, which nobody looks at here.
fn spki() -> Vec<u8> {
    use privyseal_core::RsaPublicKey;
    use privyseal_core::rsa::spki::write_spki;
    let mut modulus = [0xd1; 256];
    modulus[0] = 0xc1;
    let key = RsaPublicKey::from_components(&modulus, &[1, 0, 1]).unwrap();
    let mut spki = Vec::new();
    write_spki(&key, &mut spki).unwrap();
    spki
}
