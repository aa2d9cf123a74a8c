//! A QR code where a person can see it: in a file, and in the terminal.

use core::fmt::Write as _;

use rqrr::{BitGrid as _, SimpleGrid};

/// Light modules around the code, which scanners want (ISO/IEC 18004 section 9.1).
const QUIET: usize = 4;

/// Black on white, whatever the terminal's colours are.
const COLOURS: &str = "\x1b[38;5;16;48;5;231m";
const NO_COLOURS: &str = "\x1b[0m";

/// Two rows of modules in each line.
pub(super) fn half_blocks(modules: &SimpleGrid) -> String {
    let side = modules.size() + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = x.checked_sub(QUIET).zip(y.checked_sub(QUIET));
        inside.is_some_and(|(x, y)| x.max(y) < modules.size() && modules.bit(y, x))
    };
    let mut text = String::new();
    for y in (0..side).step_by(2) {
        text.push_str(COLOURS);
        text.extend((0..side).map(|x| match (dark(x, y), dark(x, y + 1)) {
            (true, true) => '\u{2588}',
            (true, false) => '\u{2580}',
            (false, true) => '\u{2584}',
            (false, false) => ' ',
        }));
        // Writing to a String does not fail.
        let _ = writeln!(text, "{NO_COLOURS}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_in_half_the_lines_with_light_around_it() {
        let modules = super::super::modules::read(include_bytes!("data/qr.png")).unwrap();
        let text = half_blocks(&modules);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), (33 + 8_usize).div_ceil(2));
        let bare = |line: &str| {
            let line = line.strip_prefix(COLOURS).unwrap();
            line.strip_suffix(NO_COLOURS).unwrap().to_owned()
        };
        assert_eq!(bare(lines[0]), " ".repeat(41));
        assert_eq!(bare(lines[1]), " ".repeat(41));
        let finder = "\u{2588}\u{2580}\u{2580}\u{2580}\u{2580}\u{2580}\u{2588}";
        assert!(
            bare(lines[2]).starts_with(&format!("    {finder} ")),
            "{}",
            lines[2]
        );
    }
}
