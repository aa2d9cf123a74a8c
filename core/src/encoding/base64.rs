//! Incremental base64 over any sink, so that no buffer of the whole text is needed.
//!
//! Everything that is encoded here is public (headers, claims, signatures), and a token is little else
//! than base64: so this is made to be fast, and without a table of 64 characters, so that a compiler can
//! do many characters at a time.

use core::marker::PhantomData;

use super::sink::{Sink, copy};

/// Bytes encoded at a time: a multiple of 3, so that only the last piece can be padded.
const PIECE: usize = 96;
/// Characters of one piece.
const PIECE_ENCODED: usize = super::base64_len(PIECE);

/// Encodes what is written to it as base64url without padding (RFC 7515 section 2).
pub type Base64UrlSink<S> = Encoder<S, UrlSafe>;
/// Encodes what is written to it as padded standard base64 (RFC 4648 section 4).
pub type Base64Sink<S> = Encoder<S, Standard>;

/// What the two forms of base64 differ in.
pub trait Alphabet: sealed::Sealed {
    /// The characters that stand for 62 and 63.
    const LAST_TWO: [u8; 2];
    /// Whether `=` fills the last group.
    const PADDED: bool;
}

/// RFC 4648 section 4.
#[derive(Clone, Copy, Debug)]
pub struct Standard;

/// RFC 4648 section 5, without padding.
#[derive(Clone, Copy, Debug)]
pub struct UrlSafe;

impl Alphabet for Standard {
    const LAST_TWO: [u8; 2] = *b"+/";
    const PADDED: bool = true;
}

impl Alphabet for UrlSafe {
    const LAST_TWO: [u8; 2] = *b"-_";
    const PADDED: bool = false;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::Standard {}
    impl Sealed for super::UrlSafe {}
}

/// Encodes what is written to it and passes the text on. [`Encoder::finish`] must be called: the
/// last bytes wait for it.
#[derive(Debug)]
pub struct Encoder<S, A> {
    sink: S,
    /// What waits to be a whole piece.
    pending: [u8; PIECE],
    len: usize,
    alphabet: PhantomData<A>,
}

impl<S: Sink, A: Alphabet> Encoder<S, A> {
    /// Encodes into `sink`.
    pub const fn new(sink: S) -> Self {
        Self {
            sink,
            pending: [0; PIECE],
            len: 0,
            alphabet: PhantomData,
        }
    }

    /// Encodes what is still pending.
    pub fn finish(mut self) -> Result<(), S::Error> {
        let pending = self.pending.get(..self.len).unwrap_or(&[]);
        encode::<S, A>(&mut self.sink, pending)
    }

    /// What `bytes` complete is encoded, and what is left over waits.
    fn write_through(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        let mut rest = bytes;
        if self.len > 0 {
            let room = PIECE.saturating_sub(self.len);
            let (head, tail) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            // There is more than room, or it would have been kept whole.
            self.keep(head);
            encode::<S, A>(&mut self.sink, &self.pending)?;
            self.len = 0;
            rest = tail;
        }
        while let Some((piece, tail)) = rest.split_at_checked(PIECE) {
            encode::<S, A>(&mut self.sink, piece)?;
            rest = tail;
        }
        self.keep(rest);
        Ok(())
    }

    /// Whether there was room for `bytes`, which wait then.
    #[inline]
    fn keep(&mut self, bytes: &[u8]) -> bool {
        let end = self.len.saturating_add(bytes.len());
        match self.pending.get_mut(self.len..end) {
            Some(place) => {
                copy(place, bytes);
                self.len = end;
                true
            }
            None => false,
        }
    }
}

impl<S: Sink, A: Alphabet> Sink for Encoder<S, A> {
    type Error = S::Error;

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        if self.keep(bytes) {
            Ok(())
        } else {
            self.write_through(bytes)
        }
    }
}

/// Encodes at most a piece. One that is not the last has whole groups.
fn encode<S: Sink, A: Alphabet>(sink: &mut S, piece: &[u8]) -> Result<(), S::Error> {
    let mut text = [0; PIECE_ENCODED];
    let (groups, rest) = piece.as_chunks::<6>();
    let (places, _) = text.as_chunks_mut::<8>();
    for (place, group) in places.iter_mut().zip(groups) {
        *place = sextets(*group);
    }
    if let Some(place) = places.get_mut(groups.len()) {
        let mut last = [0; 6];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        *place = sextets(last);
    }
    for place in &mut text {
        *place = character::<A>(*place);
    }
    let len = super::base64url_len(piece.len());
    let len = if A::PADDED {
        let padded = super::base64_len(piece.len());
        for place in text.get_mut(len..padded).unwrap_or(&mut []) {
            *place = b'=';
        }
        padded
    } else {
        len
    };
    sink.write(text.get(..len).unwrap_or(&[]))
}

/// 48 bits as eight numbers of 6 bits: halved, and halved, and halved.
#[inline]
const fn sextets([one, two, three, four, five, six]: [u8; 6]) -> [u8; 8] {
    let bits = u64::from_be_bytes([0, 0, one, two, three, four, five, six]);
    let bits = ((bits << 8) & 0x00ff_ffff_0000_0000) | (bits & 0x0000_0000_00ff_ffff);
    let bits = ((bits << 4) & 0x0fff_0000_0fff_0000) | (bits & 0x0000_0fff_0000_0fff);
    let bits = ((bits << 2) & 0x3f00_3f00_3f00_3f00) | (bits & 0x003f_003f_003f_003f);
    bits.to_be_bytes()
}

/// The character of a number of 6 bits: letters and digits in four runs, each with what it is off by.
#[inline]
const fn character<A: Alphabet>(sextet: u8) -> u8 {
    let [sixty_two, sixty_three] = A::LAST_TWO;
    let mut character = sextet.wrapping_add(b'A');
    if sextet > 25 {
        character = sextet.wrapping_add(b'a'.wrapping_sub(26));
    }
    if sextet > 51 {
        character = sextet.wrapping_add(b'0'.wrapping_sub(52));
    }
    if sextet == 62 {
        character = sixty_two;
    }
    if sextet == 63 {
        character = sixty_three;
    }
    character
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;
    use crate::encoding::{base64_len, base64url_len};
    use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
    use heapless::Vec;

    /// RFC 7515 appendix C.
    #[test]
    fn rfc7515_appendix_c() {
        let mut buffer = [0; 16];
        let mut sink = SliceSink::new(&mut buffer);
        let mut encoder = Base64UrlSink::new(&mut sink);
        assert!(encoder.write(&[3, 236, 255, 224, 193]).is_ok());
        assert!(encoder.finish().is_ok());
        assert_eq!(sink.finish(), Ok(&b"A-z_4ME"[..]));
    }

    #[test]
    fn any_split_gives_the_same_text_as_one_call() {
        let bytes: Vec<u8, 200> = (0..200).collect();
        for len in [0, 1, 2, 3, 47, 48, 49, 95, 96, 97, 200] {
            let whole = &bytes[..len];
            let mut expected = [0; 300];
            let expected = Base64::encode(whole, &mut expected).unwrap().as_bytes();
            assert_eq!(expected.len(), base64_len(len));
            let mut expected_url = [0; 300];
            let url = Base64UrlUnpadded::encode(whole, &mut expected_url)
                .unwrap()
                .as_bytes();
            assert_eq!(url.len(), base64url_len(len));
            for step in [1, 2, 5, 48, 100, 201] {
                let mut buffer = [0; 300];
                let mut sink = SliceSink::new(&mut buffer);
                let mut encoder = Base64Sink::new(&mut sink);
                for piece in whole.chunks(step) {
                    encoder.write(piece).unwrap();
                }
                encoder.finish().unwrap();
                assert_eq!(
                    sink.finish().unwrap(),
                    expected,
                    "{len} bytes in steps of {step}"
                );
            }
        }
    }
}
