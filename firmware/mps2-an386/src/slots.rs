//! Where the first stage has its slots: in the RAM that is in the place of flash, as the gateway's state is.

use privyseal_firmware_app::first_stage::{IMAGE_AT, Staging};
use privyseal_firmware_common::ram_flash::{Storage, made};
use privyseal_firmware_common::region::Region;

/// The maker's key, behind the first stage: `build.rs` puts it there.
const KEY: Region = region(0x1_fc00, 0x400);
/// Says that these were made flash.
const MARK: usize = 0x2100_0004;
const VERSIONS: Region = region(0x2102_4000, 0x2000);
const ACTIVE: Region = region(0x2110_0000, 0x10_0000);
/// Where the image in it begins, with its table of vectors.
pub const IMAGE: u32 = 0x2110_0000 + IMAGE_AT;
const STAGED: Region = region(0x2120_0000, 0x10_0000);

const fn region(start: usize, len: usize) -> Region {
    Region {
        start,
        end: start + len,
    }
}

/// The active slot and what is there for updates, for the first stage.
pub fn take() -> (Storage, Staging<Storage>) {
    let [active, ..] = made(MARK, [ACTIVE, VERSIONS, STAGED]);
    (active, staging())
}

/// What is there for updates, once a first stage has run.
pub(crate) fn staging() -> Staging<Storage> {
    Staging {
        slot: Storage::of(STAGED),
        versions: Storage::of(VERSIONS),
        key: Storage::of(KEY),
        board: "mps2-an386",
    }
}
