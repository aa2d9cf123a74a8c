//! In the place of the line where there is no Unix: none can be opened.

use std::io;
use std::time::Instant;

use crate::error::DeviceError;
use crate::uri::DeviceUri;

/// There is none.
#[derive(Debug)]
pub(crate) enum Line {}

impl Line {
    pub(crate) fn open(uri: &DeviceUri) -> Result<Self, DeviceError> {
        let reason = "gateways are reached from Unix only";
        Err(DeviceError::Open {
            place: uri.place().path().display().to_string(),
            source: io::Error::new(io::ErrorKind::Unsupported, reason),
        })
    }

    pub(crate) fn read(&self, _: &mut [u8], _: Instant) -> Result<Option<usize>, DeviceError> {
        match *self {}
    }

    pub(crate) fn write(&self, _: &[u8], _: Instant) -> Result<bool, DeviceError> {
        match *self {}
    }

    pub(crate) fn release(&self) {
        match *self {}
    }
}
