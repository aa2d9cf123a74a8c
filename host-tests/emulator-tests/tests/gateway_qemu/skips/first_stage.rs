//! The first stage, with something in its active slot that it must not run: no fault has it run that.

use core::time::Duration;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};

use privyseal_protocol::crc::checksum;
use privyseal_test_simulators::emulator::{Debugger, Emulator, Stop};

use super::program::Program;
use super::{Summary, choose, fault, resumed};
use crate::updates::{ACTIVE, BOARD, IMAGE_AT, NAME, VERSIONS, flashed, header, signed};

/// How long a start may take: longer than a signature is verified in.
const PATIENCE: Duration = Duration::from_secs(4);
/// Bytes of the image, so few that a start takes no long time.
const LEN: u32 = 1_024;
/// Where it begins to run.
const ENTRY: u32 = ACTIVE + IMAGE_AT + 8;

#[test]
fn no_skip_runs_another_image() {
    let program = Program::of(BOARD);
    let latched = program.named("board_latched");
    let mut wrong = String::new();
    for (name, signed, version) in cases() {
        let summary = run(&program, latched, name, &signed, version);
        let shown = writeln!(stdout(), "{} {name}: {summary}", BOARD.image);
        shown.expect("a standard output");
        wrong += &summary.wrong;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What lies in the slot, and the version that has run.
fn cases() -> [(&'static str, Vec<u8>, u32); 3] {
    // Wherever it is begun, it stays.
    let mut image = 0xe7fe_u16.to_le_bytes().repeat(LEN as usize / 2);
    image[..4].copy_from_slice(&0x2001_8000_u32.to_le_bytes());
    image[4..8].copy_from_slice(&(ENTRY | 1).to_le_bytes());
    let good = signed(header(NAME, 5, &image), &image);
    let (mut unsigned, mut changed) = (good.clone(), good.clone());
    // A bit of the signature, and one of the image.
    unsigned[200] ^= 1;
    changed[512 + 500] ^= 1;
    [
        ("first-stage-unsigned", unsigned, 0),
        ("first-stage-changed", changed, 0),
        ("first-stage-older", good, 6),
    ]
}

/// A board that has this, before a start.
fn begin(signed: &[u8], version: u32, latched: u32) -> Debugger {
    let mut emulator: Emulator = flashed(signed);
    if version > 0 {
        let note = [&b"PSVER v1"[..], &version.to_le_bytes(), &[0; 16]].concat();
        emulator.write(
            VERSIONS,
            &[&note[..], &checksum(&[&note]).to_le_bytes()].concat(),
        );
    }
    let mut debugger = emulator.debugged();
    for end in [latched, ENTRY] {
        debugger.breakpoint(end, true);
    }
    debugger
}

fn run(program: &Program, latched: u32, name: &str, signed: &[u8], version: u32) -> Summary {
    let (model, fault) = fault();
    let mut debugger = begin(signed, version, latched);
    debugger.reset();
    let points = debugger.trace(|debugger| {
        assert_eq!(debugger.go(PATIENCE), Stop::At(latched), "{name}");
    });
    let points = debugger.befallen(fault, points.into_iter().collect());
    let (known, mut report) = resumed(&program.report(model, name));
    let mut summary = Summary {
        executed: points.len(),
        ..Summary::default()
    };
    for point in choose(&points) {
        let outcome = known.get(&point).cloned().unwrap_or_else(|| {
            debugger.rewind();
            debugger.reset();
            debugger.breakpoint(point, true);
            let reached = debugger.go(PATIENCE);
            debugger.breakpoint(point, false);
            let stop = if reached == Stop::At(point) {
                debugger.go_past(fault, point);
                if point == latched {
                    debugger.breakpoint(latched, true);
                }
                debugger.go(PATIENCE)
            } else {
                reached
            };
            let outcome = match stop {
                _ if reached != Stop::At(point) => "not-reached",
                Stop::At(at) if at == latched => "latched",
                Stop::Late if !(ACTIVE..ACTIVE + IMAGE_AT + LEN).contains(&debugger.pc()) => "hung",
                Stop::Never => "hung",
                _ => "WRONG:it-runs",
            };
            if stop == Stop::Never {
                debugger = begin(signed, version, latched);
            }
            writeln!(report, "{point:08x} {outcome} {}", program.place(point)).expect("a file");
            outcome.to_owned()
        });
        summary.tried += 1;
        if outcome.starts_with("WRONG") {
            let _ = writeln!(summary.wrong, "{name}: {outcome} {}", program.place(point));
        }
        *summary.outcomes.entry(outcome).or_default() += 1;
    }
    summary
}
