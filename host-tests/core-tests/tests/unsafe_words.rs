//! Where the core has the word `unsafe`: a promise of the README.

use std::fs;
use std::path::Path;

#[test]
fn the_core_has_no_unsafe_code_but_two_markers() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core");
    let mut found = Vec::new();
    for crate_folder in ["src", "check/src", "protocol/src"] {
        look(&core.join(crate_folder), &mut found);
    }
    found.sort();
    assert_eq!(
        found,
        [
            "prover.rs: pub unsafe trait Prover: VerifyLink {}",
            "prover.rs: unsafe impl Prover for RsaLinks {}",
            "stable.rs: pub unsafe trait StableBytes: AsRef<[u8]> {}",
        ]
    );
}

fn look(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            look(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        let code = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        let name = path.file_name().expect("a name").to_string_lossy();
        let words = code.filter(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "unsafe")
        });
        found.extend(words.map(|line| format!("{name}: {line}")));
    }
}
