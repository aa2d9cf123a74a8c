//! Devices that give something else than the content key that they were asked for.

use privyseal_core::{SignerError as _, SignerErrorKind};
use privyseal_protocol::{Refusal, Request, Response};

use super::peer::{Peer, frame};
use super::{LONG, open};
use crate::DeviceError;

fn answers(response: Response<'static>) -> DeviceError {
    let peer = Peer::new(move |id, request| match request {
        Request::Unwrap { ciphertext } => {
            assert_eq!(*ciphertext, [0x55; 512]);
            frame(id, &response)
        }
        request => Peer::usual(id, request),
    });
    let mut device = open(peer, LONG).unwrap();
    device.unwrap(&[0x55; 512], None).unwrap_err()
}

#[test]
fn a_content_key_of_a_length_that_none_has() {
    for len in [0, 1, 15, 17, 33, 63, 65, 384] {
        let error = answers(Response::ContentKey {
            bytes: &[7; 384][..len],
        });
        assert!(matches!(error, DeviceError::Untrue(_)), "{error}");
        assert!(error.to_string().contains(&len.to_string()), "{error}");
    }
}

#[test]
fn other_answers_than_a_content_key() {
    for response in [Response::Unlocked, Response::Accepted { received: 512 }] {
        let error = answers(response);
        assert!(matches!(error, DeviceError::Unexpected { .. }), "{error}");
    }
    for (refusal, kind) in [
        (Refusal::Ciphertext, SignerErrorKind::Undecipherable),
        (Refusal::Unwrap, SignerErrorKind::Refused),
        (Refusal::Rate { wait: 5 }, SignerErrorKind::Refused),
    ] {
        assert_eq!(answers(Response::Refused(refusal)).kind(), kind);
    }
}
