//! The program that a fault befalls.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use object::{Object as _, ObjectSegment as _, ObjectSymbol as _, SymbolKind};
use privyseal_core::encoding::hex;
use privyseal_test_base::scratch::target_dir;
use privyseal_test_simulators::emulator::Machine;
use privyseal_test_simulators::firmware;
use sha2::{Digest as _, Sha256};

/// An image, by its symbols.
pub(super) struct Program {
    image: &'static str,
    /// Of what is loaded, which is the same wherever it was built.
    hash: String,
    /// Where each begins.
    functions: BTreeMap<u32, String>,
}

impl Program {
    pub(super) fn of(machine: Machine) -> Self {
        let bytes = fs::read(firmware::image(machine.image)).expect("the image");
        let file = object::File::parse(&*bytes).expect("an ELF");
        let mut hash = Sha256::new();
        for segment in file.segments() {
            hash.update(segment.data().expect("an ELF"));
        }
        let functions = file.symbols();
        let functions = functions.filter(|symbol| symbol.kind() == SymbolKind::Text);
        let functions = functions.filter_map(|symbol| {
            let address = u32::try_from(symbol.address()).ok()? & !1;
            Some((address, symbol.name().ok()?.to_owned()))
        });
        Self {
            image: machine.image,
            functions: functions.collect(),
            hash: hex(&hash.finalize()[..8]).collect(),
        }
    }

    /// Where a function begins.
    pub(super) fn named(&self, part: &str) -> u32 {
        let mut found = self.functions.iter();
        let found = found.find(|(_, name)| name.contains(part));
        *found.unwrap_or_else(|| panic!("no {part}")).0
    }

    /// The function that an address lies in.
    pub(super) fn place(&self, at: u32) -> String {
        let (start, name) = self.functions.range(..=at).next_back().expect("a function");
        format!("{:#}+{:x}", rustc_demangle::demangle(name), at - start)
    }

    /// Whether it lies in what a signature does most of its time.
    pub(super) fn is_arithmetic(&self, at: u32) -> bool {
        let name = self.place(at);
        let mut parts = ["rsa::", "privyseal_product", "privyseal_reduce"].iter();
        parts.any(|part| name.contains(part))
    }

    /// Where it is noted what came of a case.
    pub(super) fn report(&self, fault: &str, case: &str) -> PathBuf {
        let folder = target_dir().join("skips");
        fs::create_dir_all(&folder).expect("target/ can be written");
        let Self { image, hash, .. } = self;
        folder.join(format!("{image}-{hash}-{fault}-{case}.txt"))
    }
}
