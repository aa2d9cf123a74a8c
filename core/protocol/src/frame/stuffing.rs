//! COBS (Cheshire and Baker, 1999): a content without its zeros.

use privyseal_core::encoding::sink::Sink;

/// Bytes of the longest run that COBS counts with one byte.
pub(super) const MAX_RUN: usize = 254;

/// A part of a content.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether it is known to have no zero, and is not searched for one.
    pub(super) without_zero: bool,
}

impl<'a> From<&'a [u8]> for Part<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            without_zero: false,
        }
    }
}

/// Writes the parts as one content, and the zero at the end. Run by run, from where they lie, so that no second
/// buffer is needed.
pub(super) fn write_cobs<S: Sink, const N: usize>(
    mut parts: [Part<'_>; N],
    sink: &mut S,
) -> Result<(), S::Error> {
    loop {
        let run = run_len(&parts);
        sink.write(&[u8::try_from(run).unwrap_or(0).saturating_add(1)])?;
        let mut rest = run;
        for part in &mut parts {
            let len = rest.min(part.bytes.len());
            let (head, tail) = part.bytes.split_at_checked(len).unwrap_or_default();
            if !head.is_empty() {
                sink.write(head)?;
            }
            part.bytes = tail;
            rest = rest.saturating_sub(len);
        }
        if run == MAX_RUN {
            continue;
        }
        // A zero ends the run; without one the content ends here.
        let Some(part) = parts.iter_mut().find(|part| !part.bytes.is_empty()) else {
            return sink.write(&[0]);
        };
        part.bytes = part.bytes.get(1..).unwrap_or_default();
    }
}

/// Bytes before the first zero, at most [`MAX_RUN`].
fn run_len(parts: &[Part<'_>]) -> usize {
    let mut run: usize = 0;
    for part in parts {
        let room = MAX_RUN.saturating_sub(run);
        let looked_at = part.bytes.get(..room).unwrap_or(part.bytes);
        let len = if part.without_zero {
            looked_at.len()
        } else {
            len_without_zero(looked_at)
        };
        run = run.saturating_add(len);
        if len < part.bytes.len() {
            break;
        }
    }
    run
}

/// Bytes before the first zero, looked at sixteen at a time: a token has no zeros, and is long.
fn len_without_zero(bytes: &[u8]) -> usize {
    const ONES: u128 = u128::MAX / 0xff;
    const HIGH: u128 = ONES << 7;
    let (words, _) = bytes.as_chunks::<16>();
    let without = words.iter().take_while(|word| {
        let word = u128::from_le_bytes(**word);
        word.wrapping_sub(ONES) & !word & HIGH == 0
    });
    let len = without.count().saturating_mul(16);
    let rest = bytes.get(len..).unwrap_or(&[]);
    len.saturating_add(rest.iter().take_while(|byte| **byte != 0).count())
}
