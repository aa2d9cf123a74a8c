//! The key in RAM, ready or in the making: nobody reads or writes it but while it is worked with. In between the
//! board's memory protection guards it.

use core::hint::black_box;

use privyseal_firmware_rsa::{AnyEngine, AnyGenerator};
use privyseal_protocol::Refusal;

use crate::board::{Board, MAX_PROTECTED};

/// What there is of it.
#[allow(clippy::large_enum_variant)] // No heap, and one of it.
pub(crate) enum Key {
    /// Nothing; what was is wiped.
    None,
    /// It is being made.
    Making(AnyGenerator),
    /// It signs.
    Ready(AnyEngine),
}

impl Key {
    /// What makes it. Without it the device is not what it says it is.
    pub(crate) const fn generator(&mut self) -> Result<&mut AnyGenerator, Refusal> {
        match self {
            Self::Making(generator) => Ok(generator),
            _ => Err(Refusal::Fault),
        }
    }

    /// What signs with it. As for [`Key::generator`].
    pub(crate) const fn engine(&mut self) -> Result<&mut AnyEngine, Refusal> {
        match self {
            Self::Ready(engine) => Ok(engine),
            _ => Err(Refusal::Fault),
        }
    }
}

/// The key, in pages of its own ([`crate::PAGE`]).
#[repr(C, align(1024))]
pub(crate) struct Guarded(pub(crate) Key);

impl Guarded {
    /// Not protected yet: it may still be moved.
    pub(crate) const EMPTY: Self = Self(Key::None);

    /// Works with it. From then on it is protected, and stays where it is.
    #[inline(never)]
    pub(crate) fn open<B: Board, R>(
        &mut self,
        board: &mut B,
        work: impl FnOnce(&mut B, &mut Key) -> R,
    ) -> R {
        const {
            assert!(size_of::<Self>() <= MAX_PROTECTED, "no board can");
        }
        board.unprotect();
        // Hidden from the compiler, which could read it before, or write it after.
        let outcome = work(board, black_box(&mut self.0));
        let start = (&raw const *self).addr();
        board.protect(start..start.wrapping_add(size_of::<Self>()));
        outcome
    }
}
