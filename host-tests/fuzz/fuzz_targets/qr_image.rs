//! The image of a QR code that a provider sends, to be drawn again in a terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;

// It is of a command, which nobody can depend on.
#[path = "../../../host/cli/src/ciba/modules.rs"]
mod modules;

fuzz_target!(|data: &[u8]| {
    if let Some(modules) = modules::Modules::read(data) {
        let side = modules.side();
        assert!((21..=177).contains(&side), "a version of ISO/IEC 18004");
        assert!(!modules.is_dark(side, 0) && !modules.is_dark(0, side), "nothing outside");
    }
});
