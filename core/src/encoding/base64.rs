//! Incremental base64 over any sink, so that no buffer of the whole text is needed.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use heapless::Vec;

use super::sink::Sink;

/// Bytes encoded at a time: a multiple of 3, so that only the last piece can be padded.
const PIECE: usize = 48;
/// Characters of one piece.
const PIECE_ENCODED: usize = super::base64_len(PIECE);

/// Encodes what is written to it as base64url without padding (RFC 7515 section 2).
pub type Base64UrlSink<S> = Encoder<S, Base64UrlUnpadded>;
/// Encodes what is written to it as padded standard base64 (RFC 4648 section 4).
pub type Base64Sink<S> = Encoder<S, Base64>;

/// Encodes what is written to it and passes the text on. [`Encoder::finish`] must be called: the
/// last one or two bytes wait for it.
#[derive(Debug)]
pub struct Encoder<S, E> {
    sink: S,
    pending: Vec<u8, PIECE, u8>,
    encoding: core::marker::PhantomData<E>,
}

impl<S: Sink, E: Encoding> Encoder<S, E> {
    /// Encodes into `sink`.
    pub fn new(sink: S) -> Self {
        Self {
            sink,
            pending: Vec::new(),
            encoding: core::marker::PhantomData,
        }
    }

    /// Encodes what is still pending.
    pub fn finish(mut self) -> Result<(), S::Error> {
        encode::<S, E>(&mut self.sink, &self.pending)
    }
}

impl<S: Sink, E: Encoding> Sink for Encoder<S, E> {
    type Error = S::Error;

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), S::Error> {
        loop {
            let room = PIECE.saturating_sub(self.pending.len());
            let Some((head, tail)) = bytes.split_at_checked(room) else {
                // Fewer bytes than room: they fit.
                let _ = self.pending.extend_from_slice(bytes);
                return Ok(());
            };
            let _ = self.pending.extend_from_slice(head);
            encode::<S, E>(&mut self.sink, &self.pending)?;
            self.pending.clear();
            bytes = tail;
        }
    }
}

fn encode<S: Sink, E: Encoding>(sink: &mut S, piece: &[u8]) -> Result<(), S::Error> {
    let mut text = [0; PIECE_ENCODED];
    match E::encode(piece, &mut text) {
        Ok(text) => sink.write(text.as_bytes()),
        // A piece is at most PIECE bytes, and PIECE_ENCODED characters hold it.
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;
    use crate::encoding::{base64_len, base64url_len};

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
