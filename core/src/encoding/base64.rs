//! Incremental base64 over any sink, so that no buffer of the whole text is needed.
//!
//! Everything that is encoded here is public (headers, claims, signatures), and a token is little else
//! than base64: so this is made to be fast, with tables.

mod alphabet;

use super::sink::{Sink, copy};
use alphabet::characters;

/// Bytes that are looked up at a time: three words, which make 16 characters.
const GROUP: usize = 12;
/// Bytes encoded at a time: whole groups, so that only the last piece can be padded.
const PIECE: usize = 8 * GROUP;
/// Characters of one piece.
const PIECE_ENCODED: usize = super::base64_len(PIECE);

/// Encodes what is written to it as base64url without padding (RFC 7515 section 2).
pub type Base64UrlSink<S> = Encoder<S, true>;
/// Encodes what is written to it as padded standard base64 (RFC 4648 section 4).
pub type Base64Sink<S> = Encoder<S, false>;

/// Encodes what is written to it and passes the text on. [`Encoder::finish`] must be called: the
/// last bytes wait for it.
pub struct Encoder<S, const URL_SAFE: bool> {
    sink: S,
    /// What waits to be a whole piece.
    pending: [u8; PIECE],
    len: usize,
}

impl<S: Sink, const URL_SAFE: bool> Encoder<S, URL_SAFE> {
    /// Encodes into `sink`.
    pub const fn new(sink: S) -> Self {
        Self {
            sink,
            pending: [0; PIECE],
            len: 0,
        }
    }

    /// Encodes what is still pending.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn finish(mut self) -> Result<(), S::Error> {
        // What follows is of an earlier piece; the last group ends in zeros (RFC 4648 section 4).
        for after in 0..GROUP {
            if let Some(place) = self.pending.get_mut(self.len.saturating_add(after)) {
                *place = 0;
            }
        }
        encode::<S, URL_SAFE>(&mut self.sink, &self.pending, self.len)
    }

    /// What `bytes` complete is encoded, and what is left over waits.
    fn write_through(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        let mut rest = bytes;
        if self.len > 0 {
            let room = PIECE.saturating_sub(self.len);
            let (head, tail) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            // There is more than room, or it would have been kept whole.
            self.keep(head);
            encode::<S, URL_SAFE>(&mut self.sink, &self.pending, PIECE)?;
            self.len = 0;
            rest = tail;
        }
        while let Some((piece, tail)) = rest.split_first_chunk() {
            encode::<S, URL_SAFE>(&mut self.sink, piece, PIECE)?;
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

opaque_debug! { [S, const URL_SAFE: bool] Encoder<S, URL_SAFE>; }

impl<S: Sink, const URL_SAFE: bool> Sink for Encoder<S, URL_SAFE> {
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

/// Encodes the first `len` bytes of a piece, all of it but for the last one; zeros fill the last group.
fn encode<S: Sink, const URL_SAFE: bool>(
    sink: &mut S,
    piece: &[u8; PIECE],
    len: usize,
) -> Result<(), S::Error> {
    let mut text = [0; PIECE_ENCODED];
    let (groups, _) = piece.as_chunks::<GROUP>();
    let (places, _) = text.as_chunks_mut::<16>();
    for (place, group) in places.iter_mut().zip(groups).take(len.div_ceil(GROUP)) {
        *place = characters::<URL_SAFE>(*group);
    }
    let unpadded = super::base64url_len(len);
    let len = if URL_SAFE {
        unpadded
    } else {
        let padded = super::base64_len(len);
        text.get_mut(unpadded..padded)
            .unwrap_or_default()
            .fill(b'=');
        padded
    };
    sink.write(text.get(..len).unwrap_or(&[]))
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
