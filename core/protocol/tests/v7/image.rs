use privyseal_protocol::ImageHeader;
use privyseal_protocol::image::{HEADER_LEN, MAX_BOARD, MAX_SIGNATURE, MAX_STATEMENT};

use crate::bytes;

fn header() -> ImageHeader {
    ImageHeader {
        board: "mps2-an386".try_into().unwrap(),
        version: 300,
        len: 495_828,
        digest: [0xd5; 32],
        signature: [0x55; 256].into_iter().collect(),
    }
}

#[test]
fn a_header_and_its_line() {
    let vector = bytes(&[
        "'PSIMG v1'",
        "'mps2-an386'",
        "00*6 nothing",
        "2c010000 version",
        "d4900700 len",
        "d5*32 digest",
        "00010000 length",
        "55*256 signature",
        "00*188 nothing",
    ]);
    let vector: [u8; HEADER_LEN] = vector.try_into().unwrap();
    assert_eq!(header().to_bytes(), vector);
    assert_eq!(ImageHeader::from_bytes(&vector), Some(header()));
    let line = "privyseal-image:v1:mps2-an386:300:495828:";
    assert_eq!(
        header().statement(),
        *format!("{line}{}", "d5".repeat(32)).as_str()
    );
}

#[test]
fn the_longest_header_and_its_line() {
    let longest = ImageHeader {
        board: "b".repeat(MAX_BOARD).as_str().try_into().unwrap(),
        version: u32::MAX,
        len: u32::MAX,
        digest: [0xff; 32],
        signature: [0xff; MAX_SIGNATURE].into_iter().collect(),
    };
    assert_eq!(longest.statement().len(), MAX_STATEMENT);
    assert_eq!(ImageHeader::from_bytes(&longest.to_bytes()), Some(longest));
}

/// Every bit of a header says something: with another one it is another header, or none.
#[test]
fn no_two_headers_are_one() {
    let bytes = header().to_bytes();
    for place in 0..HEADER_LEN {
        for bit in 0..8 {
            let mut other = bytes;
            other[place] ^= 1 << bit;
            let read = ImageHeader::from_bytes(&other);
            assert_ne!(read.as_ref(), Some(&header()), "bit {bit} of byte {place}");
            if let Some(read) = read {
                assert_eq!(read.to_bytes(), other, "bit {bit} of byte {place}");
            }
        }
    }
    assert_eq!(ImageHeader::from_bytes(&[0xff; HEADER_LEN]), None);
}
