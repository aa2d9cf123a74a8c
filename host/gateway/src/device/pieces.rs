//! A long answer, put together.

use zeroize::Zeroizing;

use crate::error::DeviceError;
use crate::exchange::Answer;

/// Something that comes in pieces, in order, with its whole length said in each.
pub(super) struct Pieces {
    what: &'static str,
    max: usize,
    total: Option<u32>,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Pieces {
    pub(super) fn new(what: &'static str, max: usize) -> Self {
        Self {
            what,
            max,
            total: None,
            bytes: Zeroizing::new(Vec::new()),
        }
    }

    pub(super) fn offset(&self) -> u32 {
        // Never longer than a total, which is of this type.
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn add(
        &mut self,
        total: u32,
        offset: u32,
        bytes: &[u8],
    ) -> Result<Answer, DeviceError> {
        let wrong =
            |why: &str| DeviceError::untrue(format!("its answer to \"{}\" {why}", self.what));
        let len = usize::try_from(total).unwrap_or(usize::MAX);
        if len > self.max {
            return Err(wrong("is too long"));
        }
        if self.total.is_some_and(|before| before != total) || offset != self.offset() {
            return Err(wrong("is not in one piece"));
        }
        if bytes.len() > len - self.bytes.len() || (bytes.is_empty() && len > self.bytes.len()) {
            return Err(wrong("has another length than it says"));
        }
        if self.total.replace(total).is_none() {
            // At once, so that it is never moved.
            self.bytes.reserve_exact(len);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(if self.bytes.len() == len {
            Answer::Ends
        } else {
            Answer::Continues
        })
    }
}
