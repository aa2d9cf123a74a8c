//! What the device needs of its hardware: one trait, whose parts are the traits of embedded-io and
//! embedded-storage.

use core::ops::Range;

use embedded_io::{Read, ReadReady, Write};
use embedded_storage::nor_flash::NorFlash;
use privyseal_core::credential::HeaderBytes;
use privyseal_protocol::{DeviceId, ReadOut};

use crate::first_stage::Staging;

/// What a board protects is a multiple of it, from a multiple of it on.
pub const PAGE: usize = 1024;

/// The most bytes that a board must be able to protect.
pub const MAX_PROTECTED: usize = 7 * PAGE;

/// A board. [`crate::Device`] owns one.
pub trait Board {
    /// The line to the host. Reads may block only when [`ReadReady`] says that there is something.
    type Serial: Read + ReadReady + Write;
    /// Flash for policy and chain, at least [`crate::PROVISION_LEN`] bytes, and for the key, at least
    /// [`crate::SECRETS_LEN`]: writes of at most [`crate::MAX_WRITE`] bytes, nothing else in it.
    type Provision: NorFlash;
    /// A piece of that flash as the processor sees it, see [`Board::mapped`].
    type Mapped: AsRef<[u8]> + HeaderBytes;
    /// Flash for the journal: an even number of sectors, at least two, nothing else in them. Its size
    /// sets the length of the log and the life of the device.
    type Journal: NorFlash;

    /// Lights or darkens the status LED, if there is one.
    fn light(&mut self, _lit: bool) {}

    /// Whether the presence button is pressed; `None` on a board without one.
    fn is_pressed(&mut self) -> Option<bool> {
        None
    }

    /// Rests until something may have changed, for some milliseconds at most.
    fn rest(&mut self) {}

    /// Fills it from the hardware's random generator; `false` if there is none, or it has failed.
    #[must_use]
    fn fill_random(&mut self, _out: &mut [u8]) -> bool {
        false
    }

    /// The serial line.
    fn serial(&mut self) -> &mut Self::Serial;

    /// The flash for policy and chain.
    fn provision(&mut self) -> &mut Self::Provision;

    /// The flash for the key, which is erased by itself.
    fn secrets(&mut self) -> &mut Self::Provision;

    /// `len` bytes from `offset` on of [`Board::provision`], where they lie. `None` if they are not all within
    /// it. As long as there is such a piece, the flash refuses to be written or erased there; the device has dropped
    /// it by then.
    fn mapped(&self, offset: u32, len: u32) -> Option<Self::Mapped>;

    /// The same for [`Board::secrets`].
    fn mapped_secret(&self, offset: u32, len: u32) -> Option<Self::Mapped>;

    /// The flash for the journal.
    fn journal(&mut self) -> &mut Self::Journal;

    /// Milliseconds since the board started; never goes back.
    fn millis(&mut self) -> u64;

    /// Tells the watchdog that all is well. Between two calls lies at most the import of a key, which is as long
    /// as one and a half signatures, the proof of a chain, or what the flash takes to erase.
    fn feed_watchdog(&mut self);

    /// Overwrites all of the stack below its caller. Called when a request was answered and when the device has
    /// started, so that nothing is left of what was computed with the key. A host has nothing to do.
    fn wipe_stack(&mut self);

    /// Lets nothing read or write these addresses from now on, which is a fault then: at least a [`PAGE`], at most
    /// [`MAX_PROTECTED`], and always the same. A host has nothing to do.
    fn protect(&mut self, memory: Range<usize>);

    /// Takes that back.
    fn unprotect(&mut self);

    /// A secret of the part that no dump of its flash has. `None` where there is none.
    fn device_secret(&mut self) -> Option<[u8; 32]> {
        None
    }

    /// Gives the part such a secret, where it can have one and has none yet. Called before a key is kept under it.
    fn make_device_secret(&mut self) {}

    /// Where updates go, if a first stage has started this program.
    fn staging(&mut self) -> Option<&mut Staging<Self::Journal>> {
        None
    }

    /// Starts again, if it can.
    fn restart(&mut self) {}

    /// A number that no other device has.
    fn device_id(&self) -> DeviceId;

    /// Whether the part keeps its flash from a probe; `None` where it has no such thing.
    fn read_out(&self) -> Option<ReadOut>;

    /// SHA-256 of the firmware's image, read from the flash it runs from.
    fn image_hash(&self) -> [u8; 32];
}
