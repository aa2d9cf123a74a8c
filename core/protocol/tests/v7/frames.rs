use privyseal_protocol::frame::TokenPiece;
use privyseal_protocol::{FrameDecoder, Request, Response};
use serde::Serialize;

use crate::{Wire, bytes, frame, hex};

#[track_caller]
fn is_pinned(id: u8, body: &impl Serialize, vector: &[&str]) {
    let expected = bytes(vector);
    assert_eq!(hex(&frame(id, body)), hex(&expected));
    let mut decoder = FrameDecoder::new();
    let (end, before) = expected.split_last().unwrap();
    for &byte in before {
        assert_eq!(decoder.feed(byte), None);
    }
    let message = decoder.feed(*end).unwrap().unwrap();
    assert_eq!(message.id, id);
    assert_eq!(hex(message.body), hex(&crate::body(body)));
}

#[test]
fn a_request() {
    let vector = [
        "03 two bytes without a zero",
        "07 version",
        "07 id",
        "05 a zero (Info), and four bytes without one",
        "50594fb5 CRC-32",
        "00 end",
    ];
    is_pinned(7, &Request::Info, &vector);
}

#[test]
fn zeros_in_a_message() {
    let vector = [
        "02 one byte without a zero",
        "07 version",
        "02 a zero (the id), and one byte without one",
        "02 Accepted",
        "05 a zero (received), and four bytes without one",
        "2785a58e CRC-32",
        "00 end",
    ];
    is_pinned(0, &Response::Accepted { received: 0 }, &vector);
}

/// Longer than a run of COBS can be; written by both writers.
#[test]
fn a_piece_of_a_token() {
    let vector = [
        "ff 254 bytes without a zero",
        "07 version",
        "09 id",
        "04 Token",
        "904e total",
        "8003 offset",
        "8003 length",
        "41*245 bytes",
        "90 no zero, and 143 bytes without one",
        "41*139 bytes",
        "fd406afe CRC-32",
        "00 end",
    ];
    let piece = TokenPiece {
        id: 9,
        total: 10_000,
        offset: 384,
        bytes: &[b'A'; 384],
    };
    let response = Response::Token {
        total: piece.total,
        offset: piece.offset,
        bytes: piece.bytes,
    };
    is_pinned(9, &response, &vector);
    let mut wire = Wire(Vec::new());
    piece.write(None, &mut wire).unwrap();
    assert_eq!(hex(&wire.0), hex(&bytes(&vector)));
}
