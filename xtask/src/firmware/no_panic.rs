//! No panic is left in what a device runs: not "none is expected", but none is linked.
//!
//! A check that the compiler could not prove superfluous ends in a call of one of core's panics. An image in
//! which none of these functions is left has no such check. Where one is left, the way from the start of the
//! program to it is shown: that is what to mend.

use std::collections::{BTreeMap, VecDeque};

use super::elf::Elf;
use super::image;
use crate::failure::{Failure, fail};

/// Functions that end in a panic, by what their names begin with or contain. `core::panicking` has all
/// that the language needs; the rest fail on behalf of a method.
const PANICS: [&str; 12] = [
    "core::panicking::",
    "core::slice::index::",
    "core::str::slice_error_fail",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "core::cell::panic_already",
    "::copy_from_slice::len_mismatch_fail",
    "copy_from_slice_impl::len_mismatch_fail",
    "core::num::",
    "core::hint::assert_",
    "rust_begin_unwind",
];
/// What those names have in common when they do fail: `core::num::` has harmless functions too.
const FAILING: [&str; 6] = ["panic", "fail", "assert", "unwind", "overflow", "mismatch"];

/// An allocator, by the functions that every use of one ends in.
const ALLOCATOR: [&str; 4] = [
    "__rust_alloc",
    "__rust_dealloc",
    "__rustc::__rust_alloc",
    "alloc::alloc::",
];

/// Consoles of a debugger: without one they fault or say what nobody should read.
const CONSOLES: [&str; 2] = ["defmt", "semihosting"];

/// Panics that stay, each with what it is called from and why it cannot happen.
const ALLOWED: [Allowed; 1] = [Allowed {
    panic: "len_mismatch_fail",
    callers: &[
        "der::",
        "const_oid::",
        "privyseal_core::cert::certificate::moment",
    ],
    why: "der copies what its reader gave for an array of a fixed length, and the reader gives that many \
          bytes or an error",
}];

/// A panic that cannot happen, which the compiler does not see.
struct Allowed {
    panic: &'static str,
    callers: &'static [&'static str],
    why: &'static str,
}

impl Allowed {
    fn covers(&self, panic: &str, caller: &str) -> bool {
        panic.contains(self.panic) && self.callers.iter().any(|known| caller.contains(known))
    }
}

/// Looks through all images that a device may be given.
pub(crate) fn check() -> Result<(), Failure> {
    let mut found = Vec::new();
    image::build_all()?;
    for image in image::ALL.iter().filter(|image| image.for_devices) {
        let elf = Elf::read(&image.path())?;
        let panics = panics(&elf);
        println!(
            "{}: {} functions, {} ways to a panic",
            image.name,
            elf.functions.len(),
            panics.len()
        );
        found.extend(panics.iter().map(|way| format!("{}: {way}", image.name)));
        found.extend(
            elf.named(|name| ALLOCATOR.iter().any(|a| name.starts_with(a)))
                .map(|(_, f)| format!("{}: an allocator is linked: {}", image.name, f.name)),
        );
        found.extend(
            elf.named(|name| CONSOLES.iter().any(|console| name.contains(console)))
                .map(|(_, f)| format!("{}: a debugger's console: {}", image.name, f.name)),
        );
    }
    // The same searches where there is something to find: what finds nothing there finds nothing anywhere.
    for console in CONSOLES {
        let mut has_it = false;
        for image in image::ALL.iter().filter(|image| !image.for_devices) {
            let elf = Elf::read(&image.path())?;
            has_it |= elf.named(|name| name.contains(console)).next().is_some();
        }
        if !has_it {
            found.push(format!("{console} was found in no image at all"));
        }
    }
    // One panics on purpose.
    if panics(&Elf::read(&image::FAULTS.path())?).is_empty() {
        found.push(format!("{}: its panic was not found", image::FAULTS.name));
    }
    if found.is_empty() {
        println!(
            "no panic can be reached; neither an allocator nor a debugger's console is linked"
        );
        return Ok(());
    }
    fail!("{}", found.join("\n"))
}

fn is_panic(name: &str) -> bool {
    PANICS.iter().any(|known| name.contains(known)) && FAILING.iter().any(|f| name.contains(f))
}

/// Each way into a panic: what is called, by whom, and how the program comes there. Calls between panics
/// are their own business.
fn panics(elf: &Elf) -> Vec<String> {
    let ways = ways_from_start(elf);
    let mut found = Vec::new();
    for (address, panic) in elf.named(is_panic) {
        let callers: Vec<_> = elf
            .callers(address)
            .filter(|(_, caller)| !is_panic(&caller.name))
            .collect();
        for (caller_address, caller) in &callers {
            let covers = |allowed: &&Allowed| allowed.covers(&panic.name, &caller.name);
            if let Some(allowed) = ALLOWED.iter().find(covers) {
                println!("allowed in {}: {}", caller.name, allowed.why);
                continue;
            }
            let way = ways
                .get(caller_address)
                .map_or_else(|| "by a pointer".to_owned(), |way| way.join(" > "));
            found.push(format!("{} in {} ({way})", panic.name, caller.name));
        }
        // Not called by name: then by a pointer, or from an exception.
        if elf.callers(address).next().is_none() {
            found.push(format!("{} (by a pointer)", panic.name));
        }
    }
    found
}

/// The shortest chain of calls to each function from those that nobody calls.
fn ways_from_start(elf: &Elf) -> BTreeMap<u32, Vec<&str>> {
    let mut ways = BTreeMap::new();
    let mut next: VecDeque<(u32, Vec<&str>)> = elf
        .functions
        .keys()
        .filter(|address| elf.callers(**address).next().is_none())
        .map(|address| (*address, Vec::new()))
        .collect();
    while let Some((address, mut way)) = next.pop_front() {
        let Some(function) = elf.functions.get(&address) else {
            continue;
        };
        if ways.contains_key(&address) {
            continue;
        }
        way.push(function.name.as_str());
        next.extend(function.calls.iter().map(|call| (*call, way.clone())));
        ways.insert(address, way);
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::super::elf::Function;
    use super::*;

    fn function(name: &str, calls: &[u32]) -> Function {
        Function {
            name: name.to_owned(),
            calls: calls.to_vec(),
        }
    }

    #[test]
    fn a_panic_is_found_with_the_way_to_it() {
        let functions = [
            (0, function("Reset", &[8])),
            (8, function("app::sign", &[16])),
            (16, function("core::panicking::panic_bounds_check", &[24])),
            (24, function("core::panicking::panic_fmt", &[])),
        ];
        let elf = Elf {
            sections: Vec::new(),
            functions: functions.into(),
        };
        let found = panics(&elf);
        assert_eq!(
            found,
            ["core::panicking::panic_bounds_check in app::sign (Reset > app::sign)"]
        );
    }

    #[test]
    fn an_image_without_panics_has_none() {
        let functions = [
            (0, function("Reset", &[8])),
            (8, function("app::sign", &[])),
        ];
        let elf = Elf {
            sections: Vec::new(),
            functions: functions.into(),
        };
        assert_eq!(panics(&elf), Vec::<String>::new());
    }

    #[test]
    fn names_that_only_look_alike_are_left_alone() {
        assert!(is_panic("core::slice::index::slice_index_fail"));
        assert!(is_panic("core::num::imp::overflow_panic::add"));
        assert!(!is_panic("core::num::bignum::mul"));
        assert!(!is_panic("app::panicking"));
    }
}
