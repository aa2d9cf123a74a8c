//! Which way a signature goes through the code and the memory: the same for every key and message. And so does a content
//! key that is unwrapped, and what is refused as none.

use std::fs;
use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSymbol as _};
use privyseal_test_base::scratch::{cache_dir, host_tests};
use privyseal_test_base::tool::{command, run};
use privyseal_test_simulators::emulator::{AN386, Emulator};
use privyseal_test_simulators::firmware;

/// The image asks for the time before and after what it measures, and nowhere else.
const CLOCK: &str = "privyseal_firmware_mps2_an386::timer::now";

/// A count alone would not notice a table that is read at a place which the key decides, nor two ways of one length.
#[test]
fn every_key_and_message_reads_writes_and_branches_at_the_same_places() {
    let clock = address(&firmware::image("bench-umaal"), CLOCK);
    let dir = tempfile::tempdir_in(cache_dir("tmp")).expect("target/ can be written");
    let plugin = format!("{},at={clock:#x}", plugin(dir.path()).display());
    let emulator = Emulator::watched(AN386, "bench-umaal", &plugin);
    let (mut last, mut ways, mut unwrapped) = (String::new(), Vec::new(), Vec::new());
    loop {
        let line = emulator.said();
        if line.starts_with("way ") {
            last = line;
        } else if line.starts_with("signature bits=2048 ") {
            ways.push((last.clone(), line));
        } else if line.starts_with("other bits=2048 ") && line.contains("name=unwrapping ") {
            unwrapped.push((last.clone(), line));
        } else if line.starts_with("planted ") {
            // All of the first size are behind it.
            break;
        }
    }
    assert_eq!(ways.len(), 16, "four keys, four messages: {ways:?}");
    for (way, signature) in &ways {
        assert!(signature.ends_with("genuine=1"), "{signature}");
        assert_eq!(*way, ways[0].0, "{signature}");
    }
    assert_eq!(
        unwrapped.len(),
        28,
        "four keys, seven ciphertexts: {unwrapped:?}"
    );
    for (way, what) in &unwrapped {
        assert_eq!(*way, unwrapped[0].0, "{what}");
    }
    let number = |name: &str| {
        let mut words = ways[0].0.split([' ', '=']).skip_while(|word| *word != name);
        words.nth(1).and_then(|value| value.parse::<u64>().ok())
    };
    assert!(number("instructions") > Some(9_000_000), "{ways:?}");
    assert!(number("accesses") > Some(1_000_000), "{ways:?}");
}

/// Of a function.
fn address(image: &Path, function: &str) -> u64 {
    let bytes = fs::read(image).expect("an image that was built");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let mut symbols = file.symbols();
    let found = symbols.find(|symbol| {
        let name = rustc_demangle::demangle(symbol.name().unwrap_or_default());
        format!("{name:#}") == function
    });
    // The lowest bit says "Thumb".
    found.expect("it is in the image").address() & !1
}

/// The plugin, built for the QEMU that is here.
fn plugin(folder: &Path) -> PathBuf {
    let said = run(&mut command("qemu-system-arm", ["--version"]));
    let said = String::from_utf8_lossy(&said);
    let version = said.split([' ', '.']).find_map(|word| word.parse().ok());
    let interface = if version.is_some_and(|version: u32| version < 9) {
        1
    } else {
        2
    };
    let library = folder.join("way.so");
    let mut compile = command("cc", ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra"]);
    compile.arg(format!("-DPLUGIN_VERSION={interface}"));
    compile.arg(host_tests("emulator-tests/tests/rsa_qemu/way.c"));
    run(compile.arg("-o").arg(&library));
    library
}
