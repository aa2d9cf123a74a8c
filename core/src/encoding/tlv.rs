//! DER that is composed of parts and written without a buffer: tag, length, value (X.690 section 8.1).
//!
//! An element counts its content before it writes it, so nothing is kept and nothing is moved.

use super::sink::{Sink, count};

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0] IMPLICIT`, of a constructed type.
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// Something that has a DER encoding.
pub(crate) trait Der {
    /// Writes the encoding.
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error>;

    /// Bytes of the encoding.
    fn encoded_len(&self) -> usize {
        count(|counter| self.write(counter))
    }
}

/// An element: a tag, and what it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<C>(pub(crate) u8, pub(crate) C);

/// The encodings of many, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Each<'a, T>(pub(crate) &'a [T]);

impl<C: Der> Der for Element<C> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let Self(tag, content) = self;
        write_header(sink, *tag, content.encoded_len())?;
        content.write(sink)
    }
}

impl<T: Der> Der for Each<'_, T> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.0.iter().try_for_each(|item| item.write(sink))
    }
}

/// Bytes stand for themselves: an encoding that is there already, or the content of a primitive.
impl Der for &[u8] {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        sink.write(self)
    }
}

impl<A: Der, B: Der> Der for (A, B) {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.0.write(sink)?;
        self.1.write(sink)
    }
}

impl<A: Der, B: Der, C: Der> Der for (A, B, C) {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.0.write(sink)?;
        self.1.write(sink)?;
        self.2.write(sink)
    }
}

impl<T: Der> Der for Option<T> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.iter().try_for_each(|item| item.write(sink))
    }
}

/// Writes a tag and a DER length below 64 KiB.
fn write_header<S: Sink>(sink: &mut S, tag: u8, len: usize) -> Result<(), S::Error> {
    let [.., high, low] = len.to_be_bytes();
    match len {
        0..=0x7f => sink.write(&[tag, low]),
        0x80..=0xff => sink.write(&[tag, 0x81, low]),
        _ => sink.write(&[tag, 0x82, high, low]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;
    use std::vec;
    use std::vec::Vec;

    fn der(value: &impl Der) -> Vec<u8> {
        let mut buffer = [0; 1024];
        let mut sink = SliceSink::new(&mut buffer);
        value.write(&mut sink).unwrap();
        sink.finish().unwrap().to_vec()
    }

    #[test]
    fn lengths_at_each_form() {
        for (len, header) in [
            (0, vec![4, 0]),
            (0x7f, vec![4, 0x7f]),
            (0x80, vec![4, 0x81, 0x80]),
            (0xff, vec![4, 0x81, 0xff]),
            (0x100, vec![4, 0x82, 1, 0]),
        ] {
            let content = vec![7; len];
            let element = Element(OCTET_STRING, &content[..]);
            let encoded = der(&element);
            assert_eq!(encoded[..header.len()], header, "{len}");
            assert_eq!(encoded[header.len()..], content);
            assert_eq!(element.encoded_len(), encoded.len());
        }
    }

    #[test]
    fn elements_nest() {
        let inner = Element(INTEGER, &[5][..]);
        let outer = Element(SEQUENCE, (inner, Some(inner), Each(&[inner, inner])));
        let expected = [0x30, 12, 2, 1, 5, 2, 1, 5, 2, 1, 5, 2, 1, 5];
        assert_eq!(der(&outer), expected);
        assert_eq!(der(&Element(SET, None::<&[u8]>)), [0x31, 0]);
    }
}
