//! What a board with a first stage has besides.

use std::sync::Arc;
use std::vec::Vec;

use super::flash::{Cells, Flash, Power};
use crate::first_stage::{self, GOOD, IMAGE_AT, Staging};

/// The board that images must be for.
pub const BOARD: &str = "fake";
/// Bytes of a slot, and of one of its sectors.
const SLOT: usize = 16 * 1024;
const SECTOR: usize = 4 * 1024;
/// Bytes for versions: of four.
const VERSIONS: usize = 512;
/// Where a signed image begins in a slot.
const SIGNED_AT: usize = 512;

/// The slots, the versions that have run, and the maker's key.
#[derive(Clone, Debug)]
pub struct Slots {
    /// Where the image runs.
    pub active: Cells,
    /// Where updates come to.
    pub staged: Cells,
    /// The versions that have run.
    pub versions: Cells,
    key: Cells,
}

impl Slots {
    /// As a maker flashes them: with this key, a SubjectPublicKeyInfo, and this signed image.
    pub fn flashed(key: &[u8], signed: &[u8]) -> Self {
        let mut slots = Self {
            active: Cells::blank(SLOT),
            staged: Cells::blank(SLOT),
            versions: Cells::blank(VERSIONS),
            key: Cells::blank(SECTOR),
        };
        let len = u32::try_from(key.len()).expect("a length");
        slots.key[..4].copy_from_slice(&len.to_le_bytes());
        slots.key[4..4 + key.len()].copy_from_slice(key);
        slots.active[SIGNED_AT..SIGNED_AT + signed.len()].copy_from_slice(signed);
        slots
    }

    /// A start. Gives the image that runs, if one does, from where it begins to the end of its slot.
    pub fn start(&mut self, power: &Arc<Power>) -> Option<Vec<u8>> {
        let mut active = Flash::new(self.active.clone(), SECTOR, Arc::clone(power));
        let mut staging = self.staging(power);
        let verdicts = first_stage::start(&mut active, &mut staging);
        *self = Self::of(active.cells(), &staging);
        let image_at = usize::try_from(IMAGE_AT).expect("an offset");
        (verdicts == [GOOD; 2]).then(|| self.active[image_at..].to_vec())
    }

    /// What the device has of them.
    pub(super) fn staging(&self, power: &Arc<Power>) -> Staging<Flash> {
        let flash = |cells: &Cells, sector| Flash::new(cells.clone(), sector, Arc::clone(power));
        Staging {
            slot: flash(&self.staged, SECTOR),
            versions: flash(&self.versions, VERSIONS),
            key: flash(&self.key, SECTOR),
            board: BOARD,
        }
    }

    pub(super) fn of(active: &Cells, staging: &Staging<Flash>) -> Self {
        Self {
            active: active.clone(),
            staged: staging.slot.cells().clone(),
            versions: staging.versions.cells().clone(),
            key: staging.key.cells().clone(),
        }
    }
}
