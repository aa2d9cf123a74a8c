//! A signed image of the firmware, and how it gets into a device.

use privyseal_protocol::image::HEADER_LEN;
use privyseal_protocol::{CHUNK, ImageHeader, Request, Response};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::device::Device;
use crate::error::{DeviceError, untrue};

/// How often a device that starts again is asked whether it is there, each time for as long as it has for an answer.
const LOOKS: u32 = 12;

/// A whole signed image. Whether its signature is the maker's, the device's first stage says.
#[derive(Clone, Debug)]
pub struct SignedImage {
    header: ImageHeader,
    bytes: Vec<u8>,
}

/// Why bytes are no signed image, or none can be made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Something else, or nothing.
    #[error("does not begin with the header of a signed image (PSIMG v1)")]
    Header,
    /// Cut short, or with something behind it.
    #[error("has {found} bytes behind its header, which names {named}")]
    Length {
        /// Bytes that are there.
        found: usize,
        /// Bytes that should be.
        named: u32,
    },
    /// Damaged.
    #[error("has another SHA-256 behind its header than that names")]
    Digest,
    /// It is no RSA signature, or of a key of another size.
    #[error("a signature has {found} bytes, and must have 256 or 384: RSA-2048 or RSA-3072")]
    Signature {
        /// Its bytes.
        found: usize,
    },
    /// No program of a Cortex-M: signed, it would stop a device.
    #[error(
        "is not an image as it lies in flash (.bin, and not signed yet): it must begin with stack pointer and reset vector"
    )]
    Content,
    /// No board is called so.
    #[error("the name of a board must have 1 to 16 lower-case letters, digits and hyphens")]
    Board,
}

impl SignedImage {
    /// A signed image as it came from its maker.
    ///
    /// # Errors
    /// [`ImageError`] if it is none, or not whole.
    pub fn new(bytes: Vec<u8>) -> Result<Self, ImageError> {
        let (header, image) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(ImageError::Header)?;
        let header = ImageHeader::from_bytes(header).ok_or(ImageError::Header)?;
        if u32::try_from(image.len()) != Ok(header.len) {
            return Err(ImageError::Length {
                found: image.len(),
                named: header.len,
            });
        }
        if <[u8; 32]>::from(Sha256::digest(image)) != header.digest {
            return Err(ImageError::Digest);
        }
        Ok(Self { header, bytes })
    }

    /// Of an image, for its maker: with the signature of its line ([`ImageHeader::statement`]), or without one to know the
    /// line.
    ///
    /// # Errors
    /// [`ImageError::Content`]; [`ImageError::Board`], [`ImageError::Length`] and [`ImageError::Signature`], where a header has no
    /// place for them.
    pub fn make(
        board: &str,
        version: u32,
        image: &[u8],
        signature: Option<&[u8]>,
    ) -> Result<Self, ImageError> {
        if !is_program(image) {
            return Err(ImageError::Content);
        }
        let found = image.len();
        let len = u32::try_from(found).map_err(|_| ImageError::Length {
            found,
            named: u32::MAX,
        })?;
        let found = signature.map_or(256, <[u8]>::len);
        let no_signature = ImageError::Signature { found };
        if !matches!(found, 256 | 384) {
            return Err(no_signature);
        }
        let header = ImageHeader {
            board: board.try_into().map_err(|_| ImageError::Board)?,
            version,
            len,
            digest: Sha256::digest(image).into(),
            signature: signature
                .unwrap_or(&[])
                .try_into()
                .map_err(|_| no_signature)?,
        };
        let bytes = header.to_bytes();
        if ImageHeader::from_bytes(&bytes).as_ref() != Some(&header) {
            return Err(ImageError::Board);
        }
        let bytes = [&bytes, image].concat();
        Ok(Self { header, bytes })
    }

    /// What its maker says of it.
    pub const fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// All of it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether it begins as a vector table does (ARMv7-M, B1.5.3): a stack pointer of whole words, a reset vector of Thumb.
fn is_program(image: &[u8]) -> bool {
    let words = image
        .as_chunks()
        .0
        .iter()
        .map(|word| u32::from_le_bytes(*word));
    let mut words = words.take(2);
    let stack = words
        .next()
        .is_some_and(|it| it != 0 && it.is_multiple_of(4));
    let reset = words.next().is_some_and(|it| it % 2 == 1);
    stack && reset && !image.starts_with(b"PSIMG")
}

impl Device {
    /// Has the device start with another image. `progress` is told how many bytes it has, after each piece. The key, its
    /// policy and its chain stay; a device with an unlock secret is locked then, as after each start.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] for an image that its first stage would not run, or without a first stage;
    /// [`DeviceError::OtherImage`] if another one runs afterwards.
    pub fn update(
        &mut self,
        image: &SignedImage,
        progress: &mut dyn FnMut(u32),
    ) -> Result<(), DeviceError> {
        let accepted = |wanted: u32| move |it: Response<'_>| matches!(it, Response::Accepted { received } if received == wanted);
        let mut offset = 0;
        for bytes in image.bytes.chunks(CHUNK) {
            let request = Request::Update { offset, bytes };
            // At most CHUNK.
            offset += u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            self.order("take an image", &request, accepted(offset))?;
            progress(offset);
        }
        self.order("start with the image", &Request::Restart, accepted(0))?;
        for _ in 0..LOOKS {
            match self.refresh() {
                // It is away, and what comes of it while it starts is no frame.
                Err(DeviceError::Silent { .. } | DeviceError::Noisy { .. }) => {}
                info => return info?.check_image(&image.header.digest),
            }
        }
        untrue("it has not come back since it was to start with its new image")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_not_signed() {
        let program = [0x2001_8000_u32.to_le_bytes(), 0x401_u32.to_le_bytes()].concat();
        let made = SignedImage::make("board", 7, &program, None);
        assert!(made.is_ok());
        let signed = made.unwrap();
        let elf = [b"\x7fELF", &program[4..]].concat();
        for other in [
            &[][..],
            &program[..7],
            &[0; 64],
            &[0xff; 64],
            &elf,
            signed.as_bytes(),
        ] {
            let made = SignedImage::make("board", 7, other, None);
            assert_eq!(made.unwrap_err(), ImageError::Content, "{other:x?}");
        }
    }
}
