use std::vec;
use std::vec::Vec;

use super::*;
use crate::MAX_DATA;

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = core::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn cobs(content: &[u8]) -> Vec<u8> {
    let mut sink = Bytes(Vec::new());
    let Ok(()) = write_cobs([content.into()], &mut sink);
    sink.0
}

fn frame(id: u8, body: &[u8]) -> Vec<u8> {
    let mut sink = Bytes(Vec::new());
    let mut scratch = [0; MAX_CONTENT];
    write_frame(id, &body, &mut scratch, &mut sink).unwrap();
    sink.0
}

/// All messages and errors that bytes give.
fn decode(bytes: &[u8]) -> Vec<Result<(u8, Vec<u8>), FrameError>> {
    let mut decoder = FrameDecoder::new();
    let mut found = Vec::new();
    for &byte in bytes {
        if let Some(outcome) = decoder.feed(byte) {
            found.push(outcome.map(|message| (message.id, message.body.to_vec())));
        }
    }
    found
}

/// The decoder is the `cobs` crate's; the encoder is ours. Runs of every length around the one that needs a
/// second count.
#[test]
fn what_is_written_is_read() {
    for len in (0_usize..600).chain([1000]) {
        for zero_at in [None, Some(0), Some(len / 2), Some(len.saturating_sub(1))] {
            let mut content: Vec<u8> = (0..len)
                .map(|at| u8::try_from(at % 255 + 1).unwrap())
                .collect();
            if let Some(place) = zero_at.and_then(|at| content.get_mut(at)) {
                *place = 0;
            }
            let encoded = cobs(&content);
            let (end, rest) = encoded.split_last().unwrap();
            assert!(*end == 0 && !rest.contains(&0));
            let mut decoded = vec![0; len + 8];
            let decoded_len = cobs::decode(&encoded, &mut decoded).unwrap();
            assert_eq!(decoded[..decoded_len], content, "{len} {zero_at:?}");
        }
    }
}

/// In parts or at once, and whether zeros are looked for where there are none: the same.
#[test]
fn parts_are_one_content() {
    for len in [0_usize, 1, 9, 253, 254, 255, 300, 508, 600] {
        for zero_at in [None, Some(0), Some(len / 3), Some(len.saturating_sub(1))] {
            let mut content: Vec<u8> = (0..len)
                .map(|at| u8::try_from(at % 255 + 1).unwrap())
                .collect();
            if let Some(place) = zero_at.and_then(|at| content.get_mut(at)) {
                *place = 0;
            }
            for (first, second) in [(0, 0), (len / 4, len / 2), (len / 2, len), (len, len)] {
                let between = &content[first..second];
                let parts = [
                    content[..first].into(),
                    stuffing::Part {
                        bytes: between,
                        without_zero: !between.contains(&0),
                    },
                    content[second..].into(),
                ];
                let mut sink = Bytes(Vec::new());
                let Ok(()) = write_cobs(parts, &mut sink);
                assert_eq!(sink.0, cobs(&content), "{len} {zero_at:?} {first} {second}");
            }
        }
    }
}

#[test]
fn a_piece_of_a_token_is_framed_as_any_message() {
    let bytes: Vec<u8> = (0..=MAX_DATA)
        .map(|at| u8::try_from(at % 251 + 1).unwrap())
        .collect();
    for (total, offset) in [(0, 0), (127, 0), (12_000, 11_904), (u32::MAX, u32::MAX)] {
        for len in [0, 1, 127, 128, 245, MAX_DATA - 1, MAX_DATA] {
            for id in [0, 7] {
                let bytes = &bytes[..len];
                let constant = bytes.try_into().ok().and_then(Constant::of);
                assert_eq!(constant.is_some(), len == MAX_DATA);
                let response = crate::Response::Token {
                    total,
                    offset,
                    bytes,
                };
                let mut expected = Bytes(Vec::new());
                write_frame(id, &response, &mut [0; MAX_CONTENT], &mut expected).unwrap();
                let piece = TokenPiece {
                    id,
                    total,
                    offset,
                    bytes,
                };
                for constant in [None, constant] {
                    let mut sink = Bytes(Vec::new());
                    piece.write(constant, &mut sink).unwrap();
                    assert_eq!(sink.0, expected.0, "{total} {offset} {len} {id}");
                }
            }
        }
    }
    let too_long = TokenPiece {
        id: 0,
        total: 0,
        offset: 0,
        bytes: &bytes,
    };
    let outcome = too_long.write(None, &mut Bytes(Vec::new()));
    assert_eq!(outcome, Err(WriteError::Frame(FrameError::TooLong)));
}

#[test]
fn what_has_a_zero_is_no_constant() {
    assert!(Constant::of(&[b'A'; MAX_DATA]).is_some());
    for at in [0, 200, MAX_DATA - 1] {
        let mut bytes = [b'A'; MAX_DATA];
        bytes[at] = 0;
        assert_eq!(Constant::of(&bytes), None);
    }
}

#[test]
fn frames_come_back_with_their_ids() {
    let mut wire = vec![0, 0];
    wire.extend(frame(7, b"one"));
    wire.extend(frame(8, b""));
    let found = decode(&wire);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], Ok((7, b"\x03one".to_vec())));
    assert_eq!(found[1], Ok((8, b"\x00".to_vec())));
}

#[test]
fn at_capacity_works_and_one_more_is_an_error() {
    // Version, id, and two bytes of length.
    let longest = vec![0x55; MAX_MESSAGE - 4];
    let wire = frame(1, &longest);
    assert!(wire.len() <= MAX_FRAME);
    assert_eq!(decode(&wire)[0].as_ref().unwrap().1[2..], longest);
    let mut scratch = [0; MAX_CONTENT];
    let too_long = vec![0x55; MAX_MESSAGE - 3];
    let outcome = write_frame(1, &&too_long[..], &mut scratch, &mut Bytes(Vec::new()));
    assert_eq!(outcome, Err(WriteError::Frame(FrameError::TooLong)));
    assert_eq!(
        decode(&cobs(&[1; MAX_CONTENT + 1])),
        [Err(FrameError::TooLong)]
    );
}

#[test]
fn every_flipped_bit_is_found() {
    let wire = frame(3, b"a message with a zero \0 in it");
    for bit in 0..wire.len() * 8 {
        let mut damaged = wire.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // A new zero cuts the frame in two.
        assert!(decode(&damaged).iter().all(Result::is_err), "{bit}");
    }
}

#[test]
fn each_error_has_its_name_and_the_next_frame_is_read() {
    let content = |message: &[u8]| {
        let mut content = message.to_vec();
        content.extend(checksum(&[message]).to_le_bytes());
        cobs(&content)
    };
    let cases = [
        (vec![9, 1, 0], FrameError::Cobs),
        (cobs(&[1, 2, 3]), FrameError::TooShort),
        (content(&[PROTOCOL]), FrameError::TooShort),
        (cobs(&[1, 2, 3, 4, 5, 6]), FrameError::Checksum),
        (content(&[9, 1, 0]), FrameError::Version { found: 9 }),
    ];
    for (mut wire, error) in cases {
        wire.extend(frame(4, b"next"));
        let found = decode(&wire);
        assert_eq!(found.len(), 2, "{error:?}");
        assert_eq!(found[0], Err(error));
        assert_eq!(found[1].as_ref().unwrap().0, 4);
    }
}

#[test]
fn nothing_may_follow_a_value() {
    let message = Message {
        id: 0,
        body: &[5, 6],
    };
    assert_eq!(message.read::<u8>(), Err(FrameError::Body));
    assert_eq!(message.read::<(u8, u8)>(), Ok((5, 6)));
}

/// As `docs/link.md` has it: a length, and the bytes.
#[test]
fn a_piece_of_a_token_is_its_bytes() {
    let response = crate::Response::Token {
        total: 300,
        offset: 1,
        bytes: b"a\0b",
    };
    let mut buffer = [0; 16];
    let body = postcard::to_slice(&response, &mut buffer).unwrap();
    assert_eq!(body, [4, 0xac, 2, 1, 3, b'a', 0, b'b']);
    assert_eq!(postcard::from_bytes(body), Ok(response));
}
