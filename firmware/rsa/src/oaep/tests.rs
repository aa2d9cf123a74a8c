use std::vec::Vec;

use super::*;

/// The encoding, by the standard's own words (RFC 8017 section 7.1.1, step 2), of what stands behind the label's digest.
fn encoded(first: u8, label: &[u8], behind: &[u8], len: usize) -> Vec<u8> {
    let padded = behind.iter().rev().chain(core::iter::repeat(&0));
    let mut data: Vec<u8> = padded.take(len.wrapping_sub(65)).copied().collect();
    data.extend(Sha256::digest(label).iter().rev());
    data.reverse();
    let mut seed = [0x5a; 32];
    unmask(&mut data, &seed);
    unmask(&mut seed, &data);
    [&[first][..], &seed, &data].concat()
}

fn behind(separator: u8, len: usize) -> Vec<u8> {
    [&[separator][..], &[0xc3; 64][..len]].concat()
}

#[test]
fn a_key_of_each_length_comes_out_and_nothing_else_stays() {
    for len in [256, 384, 512] {
        for key in [16, 24, 32, 48, 64] {
            let mut place = encoded(0, b"", &behind(1, key), len);
            assert_eq!(decode(&mut place), Some(&[0xc3; 64][..key]));
            assert!(place[..len - key].iter().all(|&byte| byte == 0));
        }
    }
}

#[test]
fn of_anything_else_nothing_comes_out_and_nothing_stays() {
    let key = behind(1, 32);
    // The same with a byte that is not zero in the padding, and with zeros to the end.
    let early = [&[1, 0, 0][..], &key].concat();
    let mut cases: Vec<_> = [0, 1, 15, 17, 25, 33, 47, 49, 63]
        .map(|len| encoded(0, b"", &behind(1, len), 256))
        .into();
    cases.extend([
        encoded(1, b"", &key, 256),
        encoded(0x80, b"", &key, 256),
        encoded(0, b"label", &key, 256),
        encoded(0, b"", &behind(2, 32), 256),
        encoded(0, b"", &behind(0xff, 32), 256),
        encoded(0, b"", &early, 256),
        encoded(0, b"", &[], 256),
        encoded(0, b"", &[&[1][..], &[9; 65]].concat(), 256),
        encoded(0, b"", &[&[1][..], &[9; 189]].concat(), 256),
    ]);
    let good = encoded(0, b"", &key, 256);
    cases.extend((0..8 * good.len()).step_by(13).map(|bit| {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    }));
    for (number, mut place) in cases.into_iter().enumerate() {
        assert_eq!(decode(&mut place), None, "case {number}");
        assert!(place.iter().all(|&byte| byte == 0), "case {number}");
    }
}
