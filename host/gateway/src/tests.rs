//! A host against devices that are silent, broken, or lie: the other end of a socket follows a script.

mod generating;
mod peer;
mod renewing;
mod unlock;
mod unwrapping;

use core::time::Duration;
use privyseal_core::scheme::{FIAM, ITSME};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use privyseal_protocol::{
    Content, DeviceState, FrameDecoder, Message, PROTOCOL, Part, ReadOut, Refusal, Request,
    Response, SchemeId, SignRequest,
};

use crate::{Device, DeviceError, Limits};
use peer::{ID, Peer, frame};

const SHORT: Limits = Limits {
    answer: Duration::from_millis(300),
    flash: Duration::from_millis(300),
    signature: Duration::from_millis(300),
    generation: Duration::from_millis(300),
    kibibyte: Duration::from_millis(10),
    wait: Duration::ZERO,
};

/// Long enough for a script that answers.
const LONG: Limits = Limits {
    answer: Duration::from_secs(20),
    flash: Duration::from_secs(20),
    signature: Duration::from_secs(20),
    generation: Duration::from_secs(20),
    kibibyte: Duration::from_secs(2),
    wait: Duration::ZERO,
};

fn open(peer: Peer, limits: Limits) -> Result<Device, DeviceError> {
    Device::over(peer.start(), limits)
}

fn error(peer: Peer, limits: Limits) -> DeviceError {
    match open(peer, limits) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

#[test]
fn a_device_that_answers() {
    let device = open(Peer::default(), LONG).unwrap();
    assert_eq!(device.info().device, ID);
    assert_eq!(device.info().firmware, "1.2.3\\u{1b}");
}

#[test]
fn silence_is_not_waited_for_forever() {
    let error = error(Peer::new(|_, _| Vec::new()), SHORT);
    assert!(
        matches!(&error, DeviceError::Silent { noise, .. } if noise.bytes == 0),
        "{error}"
    );
    assert!(
        error.to_string().contains("within 0.3 s; nothing came"),
        "{error}"
    );
}

#[test]
fn a_line_that_is_closed() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    let error = Device::over(ours, SHORT).unwrap_err();
    assert!(
        matches!(error, DeviceError::Closed { .. } | DeviceError::Line { .. }),
        "{error}"
    );
}

#[test]
fn garbage_before_the_answer_does_no_harm() {
    let peer = Peer::new(|id, request| {
        let mut answer = b"boot 1.0\r\n\0\x05\xff\xff\0\0".to_vec();
        // An old answer, to another request.
        answer.extend(frame(id.wrapping_add(7), &Response::Wiped));
        answer.extend(Peer::usual(id, request));
        answer
    });
    assert!(open(peer, LONG).is_ok());
}

#[test]
fn garbage_instead_of_the_answer_is_told() {
    let flipped = |id, request: &Request<'_>| {
        let mut answer = Peer::usual(id, request);
        answer[20] ^= 0x10;
        answer
    };
    for (peer, words) in [
        (
            Peer::new(|_, _| b"login: ".to_vec()),
            "7 bytes came, and no frame among them",
        ),
        (Peer::new(|_, _| b"\xff\0".to_vec()), "not COBS"),
        (Peer::new(|_, _| b"\x02x\0".to_vec()), "too short"),
        (Peer::new(flipped), "CRC-32 is wrong"),
        (
            Peer::new(|id, request| {
                let mut answer = Peer::usual(id, request);
                answer.truncate(answer.len() / 2);
                answer
            }),
            "bytes came, and no frame",
        ),
    ] {
        let error = error(peer, SHORT);
        assert!(matches!(error, DeviceError::Silent { .. }), "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn endless_garbage_has_an_end() {
    let error = error(Peer::new(|_, _| vec![0x55; 200_000]), LONG);
    assert!(matches!(error, DeviceError::Noisy { .. }), "{error}");
}

#[test]
fn another_version_is_said() {
    let peer = Peer::new(|_, _| peer::frame_of(&[PROTOCOL + 1, 1, 1]));
    let error = error(peer, SHORT);
    assert!(
        matches!(error, DeviceError::Version { found } if found == PROTOCOL + 1),
        "{error}"
    );
}

#[test]
fn what_the_device_could_not_read_is_sent_again() {
    use core::sync::atomic::{AtomicUsize, Ordering};
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let unread = Response::Refused(Refusal::Frame(privyseal_protocol::FrameError::Checksum));
    let peer = Peer::new(
        move |id, request| match ASKED.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => frame(0, &unread),
            _ => Peer::usual(id, request),
        },
    );
    assert!(open(peer, LONG).is_ok());
    assert_eq!(ASKED.load(Ordering::SeqCst), 3);
    let always = error(Peer::new(move |_, _| frame(0, &unread)), LONG);
    assert!(
        matches!(
            always,
            DeviceError::Refused {
                refusal: Refusal::Frame(_),
                ..
            }
        ),
        "{always}"
    );
}

#[test]
fn an_answer_to_something_else_is_none() {
    let error = error(Peer::new(|id, _| frame(id, &Response::Wiped)), LONG);
    assert!(matches!(error, DeviceError::Unexpected { .. }), "{error}");
}

#[test]
fn a_refusal_by_the_policy_is_told_from_trouble() {
    for (refusal, is_policy) in [
        (Refusal::Audience, true),
        (Refusal::Rate { wait: 7 }, true),
        (Refusal::TimeAhead { ceiling: 1 }, true),
        (Refusal::State(DeviceState::Faulted), false),
        (Refusal::Fault, false),
        (Refusal::Storage, false),
    ] {
        let mut device = open(
            Peer::new(move |id, request| match request {
                Request::Sign(_) => frame(id, &Response::Refused(refusal)),
                _ => Peer::usual(id, request),
            }),
            LONG,
        )
        .unwrap();
        let request = SignRequest::new(SchemeId::of(&FIAM), 1_800_000_000);
        let error = device.sign(request, None, None).unwrap_err();
        assert_eq!(error.is_policy(), is_policy, "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

/// `info` and the log show dates, and so does what a person compares with them.
#[test]
fn a_refusal_for_its_time_names_dates() {
    for refusal in [
        Refusal::TimeAhead {
            ceiling: 1_800_000_000,
        },
        Refusal::TimeBack {
            floor: 1_800_000_000,
        },
    ] {
        let asked = "sign an assertion";
        let said = DeviceError::Refused { asked, refusal }.to_string();
        assert!(said.contains("2027-01-15T08:00:00Z"), "{said}");
        assert!(!said.contains("epoch"), "{said}");
    }
}

/// A device whose generator gave nothing once has a sound key: nobody is told to wipe that.
#[test]
fn what_ends_a_fault_is_said_with_its_reason() {
    for (fault, word, way_out) in [
        (Refusal::Entropy, "entropy", "start it again"),
        (Refusal::Storage, "storage", "start it again"),
        (Refusal::Fault, "fault", "wipe it"),
    ] {
        let peer = Peer::new(move |id, request| match request {
            Request::Info => Peer::told(id, |info| {
                (info.state, info.fault) = (DeviceState::Faulted, Some(fault));
                info.read_out = Some(ReadOut::Open);
            }),
            _ => frame(id, &Response::Refused(Refusal::State(DeviceState::Faulted))),
        });
        let mut device = open(peer, LONG).unwrap();
        let text = device.info().to_string();
        assert!(text.contains(way_out), "{text}");
        assert!(text.contains("anyone with a probe"), "{text}");
        assert_eq!(device.info().to_json()["read_out"], "open");
        assert_eq!(text.contains("wipe"), fault == Refusal::Fault, "{text}");
        assert_eq!(device.info().to_json()["fault"], word);
        let request = SignRequest::new(SchemeId::of(&FIAM), 1_800_000_000);
        let error = device.sign(request, None, None).unwrap_err();
        let refusal = Refusal::State(DeviceState::Faulted);
        assert!(
            matches!(error, DeviceError::Refused { refusal: found, .. } if found == refusal),
            "{error}"
        );
    }
}

/// Each frame comes in time, and all of them would take an hour.
#[test]
fn an_answer_has_its_time_as_a_whole() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    thread::spawn(move || {
        let mut decoder = FrameDecoder::new();
        let mut byte = [0];
        while theirs.read_exact(&mut byte).is_ok() {
            let Some(Ok(Message { id, body })) = decoder.feed(byte[0]) else {
                continue;
            };
            let request = Message { id, body }.read().unwrap();
            if !matches!(request, Request::Sign(_)) {
                theirs.write_all(&Peer::usual(id, &request)).unwrap();
                continue;
            }
            for offset in 0..30 {
                let piece = Response::Token {
                    total: 30,
                    offset,
                    bytes: b"t",
                };
                if theirs.write_all(&frame(id, &piece)).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(100));
            }
        }
    });
    let mut device = Device::over(ours, SHORT).unwrap();
    let request = SignRequest::new(SchemeId::of(&FIAM), 1_800_000_000);
    let error = device.sign(request, None, None).unwrap_err();
    assert!(matches!(error, DeviceError::Silent { .. }), "{error}");
}

/// Pieces of a token that do not fit each other.
#[test]
fn a_token_that_is_not_whole_is_none() {
    type Piece = (u32, u32, &'static [u8]);
    let cases: [(&'static [Piece], Option<&str>); 8] = [
        (&[(4, 0, b"to"), (4, 2, b"ke")], None),
        (&[(4, 0, b"to"), (4, 3, b"e")], Some("not in one piece")),
        (&[(4, 0, b"to"), (5, 2, b"ken")], Some("not in one piece")),
        (&[(4, 1, b"to")], Some("not in one piece")),
        (&[(4, 0, b"token")], Some("another length")),
        (&[(4, 0, b"to"), (4, 2, b"")], Some("another length")),
        (&[(u32::MAX, 0, b"to")], Some("too long")),
        (&[(4, 0, b"to")], Some("did not answer")),
    ];
    for (pieces, words) in cases {
        let mut device = open(
            Peer::new(move |id, request| match request {
                Request::Sign(_) => pieces
                    .iter()
                    .flat_map(|&(total, offset, bytes)| {
                        let piece = Response::Token {
                            total,
                            offset,
                            bytes,
                        };
                        frame(id, &piece)
                    })
                    .collect(),
                _ => Peer::usual(id, request),
            }),
            Limits {
                signature: SHORT.signature,
                ..LONG
            },
        )
        .unwrap();
        let token = device.sign(
            SignRequest::new(SchemeId::of(&FIAM), 1_800_000_000),
            None,
            None,
        );
        match (token, words) {
            (Ok(token), None) => assert_eq!(*token, b"toke"),
            (Err(error), Some(words)) => {
                assert!(error.to_string().contains(words), "{words}: {error}");
            }
            (token, _) => panic!("{pieces:?}: {token:?}"),
        }
    }
}

/// What a statement is to say comes in pieces, and a device that counts others is not asked to sign.
#[test]
fn a_device_that_took_another_content() {
    for wrong in [0, 385, u32::MAX] {
        let peer = Peer::new(move |id, request| match request {
            Request::Compose { offset: 0, .. } => frame(id, &Response::Accepted { received: 384 }),
            Request::Compose { .. } => frame(id, &Response::Accepted { received: wrong }),
            Request::SignComposed(_) => panic!("it was asked to sign"),
            _ => Peer::usual(id, request),
        });
        let mut device = open(peer, LONG).unwrap();
        let request = SignRequest::new(SchemeId::of(&ITSME), 1_800_000_000);
        let person = "t".repeat(400);
        let outcome = device.sign(request, Some(&Content::LoginHint(&person)), None);
        let error = outcome.unwrap_err();
        assert!(matches!(error, DeviceError::Unexpected { .. }), "{error}");
    }
}

#[test]
fn a_public_key_that_is_not_the_one_it_names() {
    let mut device = open(
        Peer::new(|id, request| match request {
            Request::Read { part, offset } => frame(
                id,
                &Response::Data {
                    part: *part,
                    total: 3,
                    offset: (*offset).into(),
                    bytes: b"key",
                },
            ),
            _ => Peer::usual(id, request),
        }),
        LONG,
    )
    .unwrap();
    let error = device.public_key().unwrap_err();
    assert!(
        error.to_string().contains("another one than it says"),
        "{error}"
    );
    // A piece of something else is no answer.
    let mut device = open(
        Peer::new(|id, request| match request {
            Request::Read { offset, .. } => frame(
                id,
                &Response::Data {
                    part: Part::Chain,
                    total: 3,
                    offset: (*offset).into(),
                    bytes: b"key",
                },
            ),
            _ => Peer::usual(id, request),
        }),
        LONG,
    )
    .unwrap();
    assert!(matches!(
        device.policy().unwrap_err(),
        DeviceError::Unexpected { .. }
    ));
}
