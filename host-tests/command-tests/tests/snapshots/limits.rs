//! Times and sizes that users feel: none changes unseen.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use privyseal_test_base::scratch::workspace;

/// What their names have one of.
const KINDS: [&str; 12] = [
    "AGE", "COOLDOWN", "FRESH", "INTERVAL", "KEPT", "LEAD", "LIMIT", "MAX", "PAUSES", "TIMEOUT",
    "TRIES", "WAIT",
];

#[test]
fn no_limit_of_a_host_changes_unseen() {
    let mut limits = String::new();
    for crate_ in ["hsm-common", "hsm-pkcs11", "hsm-yubihsm", "host"] {
        collect(&workspace().join(crate_), &mut limits);
    }
    assert!(limits.contains("DEFAULT_TIMEOUT"), "{limits}");
    insta::with_settings!({ snapshot_path => "transcripts", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("limits", limits);
    });
}

fn collect(folder: &Path, limits: &mut String) {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, limits);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let shown = path.strip_prefix(workspace()).expect("inside").display();
            for constant in text.split(';').filter_map(constant) {
                writeln!(limits, "{shown}: {constant}").expect("a string");
            }
        }
    }
}

/// `NAME = value` of the statement's last line or lines, if it is a limit.
fn constant(statement: &str) -> Option<String> {
    let (_, constant) = statement.rsplit_once("const ")?;
    let (name, rest) = constant.split_once(':')?;
    let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let (_, value) = rest.split_once(" =")?;
    let is_limit = name.split('_').any(|word| KINDS.contains(&word));
    (is_name && is_limit).then(|| {
        let value: Vec<&str> = value.split_whitespace().collect();
        format!("{name} = {}", value.join(" "))
    })
}
