//! The image of a QR code that a provider sends, to be drawn again in a terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rqrr::BitGrid as _;

// It is of a command, which nobody can depend on.
#[path = "../../../host/cli/src/ciba/modules.rs"]
mod modules;

fuzz_target!(|data: &[u8]| {
    if let Some(modules) = modules::read(data) {
        let side = modules.size();
        assert!((21..=177).contains(&side), "a version of ISO/IEC 18004");
    }
});
