//! The functions of an image, and which calls which.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};

/// An image that was read.
#[derive(Debug)]
pub(crate) struct Elf {
    /// Functions by address. Several names may share one; any will do.
    pub(crate) functions: BTreeMap<u32, Function>,
    /// Names of the functions that have an instruction which is undefined for ever, once for each: what the
    /// compiler writes for an abort, and for what it takes to be impossible.
    pub(crate) traps: Vec<String>,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Addresses that it branches to, outside of itself.
    pub(crate) calls: Vec<u32>,
}

impl Elf {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("an image that was built");
        let file = object::File::parse(&*bytes).expect("an ELF file");
        let mut elf = Self {
            functions: BTreeMap::new(),
            traps: Vec::new(),
        };
        let text = file.section_by_name(".text").expect("code");
        let code = text.data().expect("code");
        let base = narrow(text.address());
        for symbol in file.symbols() {
            if symbol.kind() != SymbolKind::Text || symbol.size() == 0 {
                continue;
            }
            // The lowest bit says "Thumb".
            let address = narrow(symbol.address()) & !1;
            let start = address.wrapping_sub(base) as usize;
            let end = start.saturating_add(usize::try_from(symbol.size()).unwrap_or(0));
            let Some(own) = code.get(start..end) else {
                continue;
            };
            let name = rustc_demangle::demangle(symbol.name().unwrap_or_default());
            elf.functions.insert(
                address,
                Function {
                    name: format!("{name:#}"),
                    calls: branches(own, address),
                },
            );
        }
        assert!(
            !elf.functions.is_empty(),
            "{} has no symbols",
            path.display()
        );
        for address in traps(&file) {
            let owner = elf.functions.range(..=address).next_back();
            let name = owner.map_or("code before the first function", |(_, f)| &f.name);
            elf.traps.push(name.to_owned());
        }
        elf
    }

    /// Functions whose name fits.
    pub(crate) fn named<'a>(
        &'a self,
        fits: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = (u32, &'a Function)> {
        let found = self.functions.iter().filter(move |(_, f)| fits(&f.name));
        found.map(|(address, function)| (*address, function))
    }

    /// Those that branch to an address.
    pub(crate) fn callers(&self, of: u32) -> impl Iterator<Item = (u32, &Function)> {
        let found = self
            .functions
            .iter()
            .filter(move |(_, f)| f.calls.contains(&of));
        found.map(|(address, function)| (*address, function))
    }
}

/// Addresses of the undefined instructions UDF and UDF.W (Armv7-M reference manual A7.7.194). The linker's mapping
/// symbols tell instructions from constants: `$t` begins the one, `$d` the other.
fn traps(file: &object::File<'_>) -> Vec<u32> {
    let mut traps = Vec::new();
    for section in file.sections().filter(|it| it.kind() == SectionKind::Text) {
        let base = narrow(section.address());
        let code = halves(section.data().expect("code"));
        let mut marks: Vec<(usize, bool)> = file
            .symbols()
            .filter(|symbol| symbol.section_index() == Some(section.index()))
            .filter_map(|symbol| {
                let place = (narrow(symbol.address()).wrapping_sub(base) / 2) as usize;
                match symbol.name().ok()?.get(..2)? {
                    "$t" => Some((place, true)),
                    "$d" => Some((place, false)),
                    _ => None,
                }
            })
            .collect();
        // Nothing is taken for constants that is not marked so.
        marks.extend([(0, true), (code.len(), false)]);
        marks.sort_unstable();
        for pair in marks.windows(2) {
            let ((start, instructions), (end, _)) = (pair[0], pair[1]);
            if !instructions {
                continue;
            }
            let own = code.get(start..end).unwrap_or_default();
            let found = undefined(own).map(|place| start.saturating_add(place));
            traps.extend(found.map(|place| base.wrapping_add(narrow(2 * place as u64))));
        }
    }
    traps
}

/// Where undefined instructions begin, in half words.
fn undefined(code: &[u32]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(&first) = code.get(at) {
            let (place, is_long) = (at, first >> 11 >= 0b11101);
            at += if is_long { 2 } else { 1 };
            let second = code.get(place + 1).copied().unwrap_or(0);
            if first >> 8 == 0xde || is_long && first >> 4 == 0xf7f && second >> 12 == 0xa {
                return Some(place);
            }
        }
        None
    })
}

fn halves(code: &[u8]) -> Vec<u32> {
    let halves = code.chunks_exact(2);
    halves
        .map(|half| u32::from(half[0]) | u32::from(half[1]) << 8)
        .collect()
}

/// Where a function branches to, outside of itself: BL, and B.W as a last call. A function ends with its
/// constants, which may look like branches: those then go nowhere that begins a function.
fn branches(code: &[u8], address: u32) -> Vec<u32> {
    let halves = halves(code);
    let own = address..address.saturating_add(u32::try_from(code.len()).unwrap_or(0));
    let mut targets = Vec::new();
    for (place, pair) in (0_u32..).zip(halves.windows(2)) {
        let from = address.wrapping_add(2 * place);
        if let Some(target) = branch(pair[0], pair[1], from)
            && !own.contains(&target)
        {
            targets.push(target);
        }
    }
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// The target of BL (T1) or B.W (T3, T4), Armv7-M reference manual A7.7.12 and A7.7.18.
fn branch(first: u32, second: u32, from: u32) -> Option<u32> {
    if first >> 11 != 0b11110 || second >> 15 != 1 {
        return None;
    }
    let bit = |half: u32, n: u32| half >> n & 1;
    let s = bit(first, 10);
    let offset = if bit(second, 12) == 1 {
        // BL and B.W without a condition: 25 bits with sign.
        let (i1, i2) = (1 ^ bit(second, 13) ^ s, 1 ^ bit(second, 11) ^ s);
        let raw = s << 24 | i1 << 23 | i2 << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
        (raw << 7).cast_signed() >> 7
    } else if bit(second, 14) == 0 && first >> 7 & 7 != 7 {
        // B.W with a condition: 21 bits with sign.
        let (j2, j1) = (bit(second, 11), bit(second, 13));
        let raw = s << 20 | j2 << 19 | j1 << 18 | (first & 0x3f) << 12 | (second & 0x7ff) << 1;
        (raw << 11).cast_signed() >> 11
    } else {
        return None;
    };
    Some(from.wrapping_add(4).wrapping_add_signed(offset))
}

fn narrow(address: u64) -> u32 {
    u32::try_from(address).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{branch, undefined};

    /// As `llvm-mc -triple thumbv7em` encodes them.
    #[test]
    fn branches_go_where_the_assembler_meant() {
        // bl . + 4 + 0x1234
        assert_eq!(branch(0xf001, 0xf91a, 0x1000), Some(0x1004 + 0x1234));
        // bl . + 4 - 8
        assert_eq!(branch(0xf7ff, 0xfffc, 0x1000), Some(0x1004 - 8));
        // b.w . + 4 + 0x800
        assert_eq!(branch(0xf000, 0xbc00, 0x1000), Some(0x1004 + 0x800));
        // beq.w . + 4 + 0x800
        assert_eq!(branch(0xf000, 0x8400, 0x1000), Some(0x1004 + 0x400 * 2));
        // movw r0, #1
        assert_eq!(branch(0xf240, 0x0001, 0x1000), None);
    }

    /// udf #0; movw r0, #0xde00 (its second half looks like one); udf.w #0
    #[test]
    fn undefined_instructions_are_told_from_halves_of_others() {
        let code = [0xde00, 0xf64d, 0x6000, 0xf7f0, 0xa000];
        assert_eq!(undefined(&code).collect::<Vec<_>>(), [0, 3]);
        // add.w r0, r0, #0xde, whose second half is no instruction
        assert_eq!(undefined(&[0xf100, 0xdede]).next(), None);
    }
}
