//! Where encoders write: a buffer, a hash, a serial line.

use core::convert::Infallible;

use sha2::{Digest, Sha256};

/// Takes bytes, in order. The smallest seam an encoder needs; a serial line or a file implements it
/// in three lines.
pub trait Sink {
    /// Why bytes were not taken.
    type Error;

    /// Takes all of `bytes`, or fails.
    ///
    /// # Errors
    /// Whatever the sink fails with; what it took before is unspecified.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    type Error = S::Error;

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        (**self).write(bytes)
    }
}

impl<const N: usize> Sink for heapless::Vec<u8, N> {
    type Error = Overflow;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Overflow> {
        self.extend_from_slice(bytes)
            .map_err(|_| Overflow { capacity: N })
    }
}

#[cfg(feature = "alloc")]
impl Sink for alloc::vec::Vec<u8> {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

impl Sink for Sha256 {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.update(bytes);
        Ok(())
    }
}

/// The bytes did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overflow {
    /// Bytes the buffer can hold.
    pub capacity: usize,
}

/// Writes into a caller's buffer. Failure is sticky: after the first write that does not fit, every
/// later one fails too and [`SliceSink::finish`] gives nothing, so a truncated text cannot escape.
pub struct SliceSink<'b> {
    buffer: &'b mut [u8],
    len: usize,
    failed: bool,
}

impl<'b> SliceSink<'b> {
    /// Starts at the beginning of `buffer`.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self {
            buffer,
            len: 0,
            failed: false,
        }
    }

    /// What was written, if all of it fitted. Otherwise the buffer is wiped.
    ///
    /// # Errors
    /// [`Overflow`] where something did not fit.
    pub fn finish(self) -> Result<&'b [u8], Overflow> {
        let overflow = Overflow {
            capacity: self.buffer.len(),
        };
        if self.failed {
            self.buffer.fill(0);
            return Err(overflow);
        }
        let buffer: &'b [u8] = self.buffer;
        buffer.get(..self.len).ok_or(overflow)
    }
}

opaque_debug! { [] SliceSink<'_>; }

impl Sink for SliceSink<'_> {
    type Error = Overflow;

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), Overflow> {
        let capacity = self.buffer.len();
        let end = self.len.checked_add(bytes.len());
        let place = match end {
            Some(end) if !self.failed => self.buffer.get_mut(self.len..end),
            _ => None,
        };
        let (Some(place), Some(end)) = (place, end) else {
            self.failed = true;
            return Err(Overflow { capacity });
        };
        copy(place, bytes);
        self.len = end;
        Ok(())
    }
}

/// Counts, so that a text's length is known before its first byte is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counter(pub usize);

impl Sink for Counter {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }
}

/// How many bytes `write` writes.
pub(crate) fn count(write: impl FnOnce(&mut Counter) -> Result<(), Infallible>) -> usize {
    let mut counter = Counter::default();
    into_ok(write(&mut counter));
    counter.0
}

/// A sink failed: [`with_dyn`] gives its error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

/// A sink whose error waits here.
struct DynSink<'s, S: Sink> {
    sink: &'s mut S,
    error: Option<S::Error>,
}

impl<S: Sink> Sink for DynSink<'_, S> {
    type Error = Stopped;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        self.sink.write(bytes).map_err(|error| {
            self.error = Some(error);
            Stopped
        })
    }
}

/// Has `write` write into `sink`, whose type it does not see: so a large writer is compiled once, and not for
/// each sink.
pub(crate) fn with_dyn<S: Sink>(
    sink: &mut S,
    write: impl FnOnce(&mut dyn Sink<Error = Stopped>) -> Result<(), Stopped>,
) -> Result<(), S::Error> {
    let mut dyn_sink = DynSink { sink, error: None };
    // Only the sink stops, and then its error is there.
    let _ = write(&mut dyn_sink);
    dyn_sink.error.map_or(Ok(()), Err)
}

/// Copies without the length check that panics; both slices are the same length here.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    if to.len() == from.len() {
        to.copy_from_slice(from);
    }
}

/// The value of a result that cannot fail.
pub(crate) fn into_ok<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_sink_keeps_its_error() {
        let mut buffer = [0; 4];
        let mut sink = SliceSink::new(&mut buffer);
        assert_eq!(with_dyn(&mut sink, |sink| sink.write(b"abc")), Ok(()));
        let failed = with_dyn(&mut sink, |sink| {
            sink.write(b"d")?;
            sink.write(b"e")
        });
        assert_eq!(failed, Err(Overflow { capacity: 4 }));
    }

    #[test]
    fn exactly_full_is_fine_and_one_more_is_sticky() {
        let mut buffer = [0xff; 4];
        let mut sink = SliceSink::new(&mut buffer);
        assert_eq!(sink.write(b"abc"), Ok(()));
        assert_eq!(sink.write(b"d"), Ok(()));
        assert_eq!(sink.finish(), Ok(&b"abcd"[..]));

        let mut sink = SliceSink::new(&mut buffer);
        assert_eq!(sink.write(b"abcde"), Err(Overflow { capacity: 4 }));
        assert_eq!(
            sink.write(b"a"),
            Err(Overflow { capacity: 4 }),
            "failure is sticky"
        );
        assert_eq!(sink.finish(), Err(Overflow { capacity: 4 }));
        assert_eq!(buffer, [0; 4], "nothing half-written stays behind");
    }
}
