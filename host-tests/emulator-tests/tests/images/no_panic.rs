//! No panic is left in what a device runs: not "none is expected", but none is linked, save those that stand here.
//!
//! A check that the compiler could not prove superfluous ends in a call of one of core's panics, an abort in an
//! undefined instruction. An image in which none of these is left has no such check. Where one is left, the
//! way from the start of the program to it is shown: that is what to fix.

use std::collections::{BTreeMap, VecDeque};
use std::fs;

use privyseal_test_simulators::firmware;

use crate::elf::Elf;

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

/// Panics that stay, by the exact names of what is called and of what calls it, in how many copies, and why it
/// cannot happen. Another number of copies is another program: somebody has to look again.
const ALLOWED: [Allowed; 5] = [
    Allowed {
        panic: LEN_MISMATCH,
        caller: "<T as der::decode::Decode>::decode",
        copies: 2,
        why: "der copies what its reader gave for an array of a fixed length, and the reader gives that many bytes \
              or an error",
    },
    Allowed {
        panic: LEN_MISMATCH,
        caller: "der::tag::parse_parts",
        copies: 2,
        why: "the same: one byte",
    },
    Allowed {
        panic: LEN_MISMATCH,
        caller: "privyseal_core::asn1::moment",
        copies: 1,
        why: "the same: the 13 or 15 bytes of a time whose length der has compared",
    },
    Allowed {
        panic: "core::result::unwrap_failed",
        caller: "privyseal_firmware_app::at_rest::Secrets::seal",
        copies: 1,
        why: "cipher fails at the end of ChaCha20's key stream of 256 GiB; what is encrypted has 592 bytes at most",
    },
    Allowed {
        panic: "core::result::unwrap_failed",
        caller: "privyseal_firmware_app::at_rest::Secrets::open",
        copies: 1,
        why: "the same",
    },
];
/// The same in a first stage, which reads a public key and nothing else with der.
const IN_A_FIRST_STAGE: [Allowed; 2] = {
    let [first, second, ..] = ALLOWED;
    [
        Allowed { copies: 1, ..first },
        Allowed {
            copies: 1,
            ..second
        },
    ]
};
const LEN_MISMATCH: &str = "core::slice::copy_from_slice_impl::len_mismatch_fail";

/// A panic that cannot happen, which the compiler does not see.
struct Allowed {
    panic: &'static str,
    caller: &'static str,
    copies: usize,
    why: &'static str,
}

/// The only undefined instruction that stays: behind `main`, which does not return. In a first stage another one is behind
/// the program that it starts.
const ALLOWED_TRAPS: [&str; 2] = ["Reset", "mps2_an386_first_stage::run"];
const FIRST_STAGE: &str = "mps2-an386-first-stage";

/// Images that no device with a real key is given; every other one is judged.
const NOT_FOR_DEVICES: [&str; 9] = [
    "stm32f405-debug",
    "stm32f405-qemu",
    FAULTS,
    "mps2-an386",
    "mps2-an386-faults",
    "mps2-an386-measure",
    "mps2-an386-slot",
    "bench-portable",
    "bench-umaal",
];

/// Panics on purpose.
const FAULTS: &str = "stm32f405-faults";

#[test]
fn no_panic_allocator_or_console_is_in_what_a_device_runs() {
    let images = fs::read_dir(firmware::images()).expect("images");
    let names = images.filter_map(|entry| {
        let path = entry.expect("an entry").path();
        let is_image = path.extension().is_some_and(|extension| extension == "elf");
        is_image.then(|| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
    });
    let names = names.filter(|name| !NOT_FOR_DEVICES.contains(&name.as_str()));
    let mut found = Vec::new();
    for name in names {
        let elf = Elf::read(&firmware::image(&name));
        let (allowed, allowed_traps) = if name == FIRST_STAGE {
            (&IN_A_FIRST_STAGE[..], &ALLOWED_TRAPS[..])
        } else {
            (&ALLOWED[..], &ALLOWED_TRAPS[..1])
        };
        let mut ways = panics(&elf, allowed);
        ways.extend(traps(&elf, allowed_traps));
        found.extend(ways.iter().map(|way| format!("{name}: {way}")));
        found.extend(
            elf.named(|name| ALLOCATOR.iter().any(|a| name.starts_with(a)))
                .map(|(_, f)| format!("{name}: an allocator is linked: {}", f.name)),
        );
        found.extend(
            elf.named(|name| CONSOLES.iter().any(|console| name.contains(console)))
                .map(|(_, f)| format!("{name}: a debugger's console: {}", f.name)),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What finds nothing there finds nothing anywhere.
#[test]
fn the_searches_find_what_is_there() {
    let faults = Elf::read(&firmware::image(FAULTS));
    assert!(
        !panics(&faults, &[]).is_empty(),
        "{FAULTS} panics on purpose"
    );
    let others = NOT_FOR_DEVICES.map(|name| Elf::read(&firmware::image(name)));
    for console in CONSOLES {
        let has_it = |elf: &Elf| elf.named(|name| name.contains(console)).next().is_some();
        assert!(others.iter().any(has_it), "{console} is in no image at all");
    }
}

fn is_panic(name: &str) -> bool {
    PANICS.iter().any(|known| name.contains(known)) && FAILING.iter().any(|f| name.contains(f))
}

/// Each way into a panic that is not allowed: what is called, from where, and how the program comes there. Calls
/// between panics are their own business.
fn panics(elf: &Elf, allowed: &[Allowed]) -> Vec<String> {
    let ways = ways_from_start(elf);
    let mut found = Vec::new();
    let mut copies = vec![0; allowed.len()];
    for (address, panic) in elf.named(is_panic) {
        let mut callers = elf.callers(address).peekable();
        // Not called by name: then by a pointer, or from an exception.
        if callers.peek().is_none() {
            found.push(format!("{} (by a pointer)", panic.name));
        }
        for (caller_address, caller) in callers.filter(|(_, caller)| !is_panic(&caller.name)) {
            let excuse =
                |it: &Allowed| it.panic == panic.name.as_str() && it.caller == caller.name.as_str();
            if let Some(place) = allowed.iter().position(excuse) {
                copies[place] += 1;
                continue;
            }
            let way = ways
                .get(&caller_address)
                .map_or_else(|| "by a pointer".to_owned(), |way| way.join(" > "));
            found.push(format!("{} in {} ({way})", panic.name, caller.name));
        }
    }
    for (allowed, copies) in allowed.iter().zip(copies) {
        let (panic, caller) = (allowed.panic, allowed.caller);
        if copies == allowed.copies {
            // Shown by --nocapture.
            eprintln!(
                "allowed: {panic} in {caller}, {copies} times: {}",
                allowed.why
            );
        } else {
            let expected = allowed.copies;
            found.push(format!(
                "{panic} in {caller}: {copies} times, not {expected}"
            ));
        }
    }
    found
}

/// Undefined instructions that are not allowed, and allowed ones that are not there.
fn traps(elf: &Elf, allowed: &[&'static str]) -> Vec<String> {
    let mut allowed = allowed.to_vec();
    let mut found = Vec::new();
    for name in &elf.traps {
        match allowed.iter().position(|known| known == name) {
            Some(place) => {
                allowed.swap_remove(place);
            }
            None => found.push(format!("an undefined instruction in {name}")),
        }
    }
    let missing = allowed.iter();
    found.extend(
        missing.map(|name| format!("no undefined instruction in {name}: was it searched?")),
    );
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
    use super::*;
    use crate::elf::Function;

    fn function(name: &str, calls: &[u32]) -> Function {
        Function {
            name: name.to_owned(),
            calls: calls.to_vec(),
        }
    }

    fn elf<const N: usize>(functions: [(u32, Function); N]) -> Elf {
        Elf {
            functions: functions.into(),
            traps: Vec::new(),
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
        let elf = elf(functions);
        let found = panics(&elf, &[]);
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
        let elf = elf(functions);
        assert_eq!(panics(&elf, &[]), Vec::<String>::new());
    }

    #[test]
    fn names_that_only_look_alike_are_left_alone() {
        assert!(is_panic("core::slice::index::slice_index_fail"));
        assert!(is_panic("core::num::imp::overflow_panic::add"));
        assert!(!is_panic("core::num::bignum::mul"));
        assert!(!is_panic("app::panicking"));
    }

    #[test]
    fn an_excuse_covers_one_name_and_one_number_of_copies() {
        let excuse = |copies| Allowed {
            panic: LEN_MISMATCH,
            caller: "der::tag::parse_parts",
            copies,
            why: "for the test",
        };
        let image = |caller| {
            elf([
                (0, function("Reset", &[8])),
                (8, function(caller, &[16])),
                (16, function(LEN_MISMATCH, &[])),
            ])
        };
        let excused = image("der::tag::parse_parts");
        assert_eq!(panics(&excused, &[excuse(1)]), Vec::<String>::new());
        assert_eq!(panics(&excused, &[excuse(2)]).len(), 1);
        assert_eq!(panics(&excused, &[]).len(), 1);
        // Its name contains `der::`, too.
        let decoder = image("privyseal_protocol::frame::FrameDecoder::feed");
        assert_eq!(panics(&decoder, &[excuse(0)]).len(), 1);
    }

    #[test]
    fn an_undefined_instruction_is_found_unless_it_is_the_one_behind_main() {
        let with = |names: &[&str]| {
            let mut elf = elf([(0, function("Reset", &[]))]);
            elf.traps = names.iter().map(|&name| name.to_owned()).collect();
            traps(&elf, &ALLOWED_TRAPS[..1])
        };
        assert_eq!(with(&["Reset"]), Vec::<String>::new());
        assert_eq!(with(&["Reset", "app::sign"]).len(), 1);
        assert_eq!(with(&["Reset", "Reset"]).len(), 1);
        assert_eq!(with(&[]).len(), 1);
    }
}
