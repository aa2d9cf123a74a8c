//! What a glitch does to one instruction.

use super::{Debugger, SOON};

/// A fault at the first execution of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not executed.
    Skip,
    /// Nor is the one behind it.
    SkipTwo,
    /// What it compares, or branches by, has one bit flipped: of a register, which one depends on the address; or the
    /// flag.
    Flip,
}

impl Fault {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 3] = [
        ("skip", Self::Skip),
        ("skip-two", Self::SkipTwo),
        ("flip", Self::Flip),
    ];
}

/// The number of the program status register among those of the stub.
const STATUS: usize = 25;

impl Debugger {
    /// Which of these instructions the fault can befall.
    ///
    /// # Panics
    /// If the stub refuses.
    pub fn befallen(&mut self, fault: Fault, points: Vec<u32>) -> Vec<u32> {
        let mut points = points;
        points.retain(|at| fault != Fault::Flip || decider(self.code(*at)).is_some());
        points
    }

    /// Goes past the instruction at which it has stopped, with the fault.
    ///
    /// # Panics
    /// If the stub refuses.
    pub fn go_past(&mut self, fault: Fault, at: u32) {
        match fault {
            Fault::Skip => self.skip(at),
            Fault::SkipTwo => {
                self.skip(at);
                let next = self.pc();
                self.skip(next);
            }
            Fault::Flip => self.flip(at),
        }
    }

    /// One that does nothing, of the same length and under the same condition, is in its place once.
    fn skip(&mut self, at: u32) {
        let code = self.ask(&format!("m{at:x},4"));
        let (nothing, len) = if is_wide(self.code(at)[0]) {
            ("aff30080", 8)
        } else {
            ("00bf", 4)
        };
        assert_eq!(self.ask(&format!("M{at:x},{:x}:{nothing}", len / 2)), "OK");
        self.step();
        let restored = self.ask(&format!("M{at:x},{:x}:{}", len / 2, &code[..len]));
        assert_eq!(restored, "OK");
    }

    fn flip(&mut self, at: u32) {
        let (register, bit) = decider(self.code(at)).expect("a comparison or a branch");
        let bit = bit.unwrap_or((at >> 1) % 32);
        let mut registers = self.ask("g").into_bytes();
        // Between the sixteenth and the status are eight of 12 bytes and one of 4.
        let place = if register == STATUS {
            164
        } else {
            register * 4
        };
        let digits = place * 2 + bit as usize / 8 * 2;
        let text = str::from_utf8(&registers[digits..digits + 2]).expect("digits");
        let byte = u8::from_str_radix(text, 16).expect("hexadecimal") ^ (1 << (bit % 8));
        registers[digits..digits + 2].copy_from_slice(format!("{byte:02x}").as_bytes());
        let registers = String::from_utf8(registers).expect("digits");
        assert_eq!(self.ask(&format!("G{registers}")), "OK");
        self.step();
    }

    fn step(&mut self) {
        self.send("s");
        self.stopped(SOON);
    }

    /// Two halfwords.
    fn code(&mut self, at: u32) -> [u16; 2] {
        let code = self.ask(&format!("m{at:x},4"));
        [0, 4].map(|place| {
            let half = u16::from_str_radix(&code[place..place + 4], 16);
            half.expect("hexadecimal").swap_bytes()
        })
    }
}

fn is_wide(half: u16) -> bool {
    half >= 0xe800
}

/// The register by which a comparison or a conditional branch decides, and the bit where it is a flag (Armv7-M
/// Architecture Reference Manual, A7.7).
fn decider([first, second]: [u16; 2]) -> Option<(usize, Option<u32>)> {
    let flag = |condition: u16| {
        // Z, C, N, V, and of two or three that decide together one.
        let flags = [30, 29, 31, 28, 29, 31, 30];
        let bit = flags.get(usize::from(condition >> 1))?;
        Some((STATUS, Some(*bit)))
    };
    let register = |number: u16| Some((usize::from(number), None));
    if is_wide(first) {
        // TST, TEQ, CMN and CMP: with a result that goes nowhere.
        let is_comparison = match first & 0xfbf0 {
            0xf010 | 0xf090 | 0xf110 | 0xf1b0 => second & 0x8f00 == 0x0f00,
            0xea10 | 0xea90 | 0xeb10 | 0xebb0 => second & 0x0f00 == 0x0f00,
            _ => false,
        };
        return if is_comparison {
            register(first & 15)
        } else if first & 0xf800 == 0xf000 && second & 0xd000 == 0x8000 {
            flag((first >> 6) & 15)
        } else {
            None
        };
    }
    match first {
        0x2800..=0x2fff => register((first >> 8) & 7),
        0x4200..=0x423f | 0x4280..=0x42ff => register(first & 7),
        0x4500..=0x45ff => register(((first >> 4) & 8) | (first & 7)),
        0xd000..=0xddff => flag((first >> 8) & 15),
        // CBZ and CBNZ.
        _ if first & 0xf500 == 0xb100 => register(first & 7),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_is_found() {
        for (code, expected) in [
            ([0x2a05, 0], Some((2, None))),
            ([0x4291, 0], Some((1, None))),
            ([0x4548, 0], Some((8 & 7, None))),
            ([0xb123, 0], Some((3, None))),
            ([0xd1fe, 0], Some((STATUS, Some(30)))),
            ([0xf1b8, 0x0f10], Some((8, None))),
            ([0xebb0, 0x0f01], Some((0, None))),
            ([0xf43f, 0xaf00], Some((STATUS, Some(30)))),
            // A subtraction, a call, and a system call.
            ([0xebb0, 0x0101], None),
            ([0xf000, 0xf800], None),
            ([0xdf00, 0], None),
        ] {
            assert_eq!(decider(code), expected, "{code:04x?}");
        }
    }
}
