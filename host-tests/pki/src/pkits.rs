//! NIST's Public Key Interoperability Test Suite, with the verdict of each case.

use std::collections::HashMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde::Deserialize;

/// Within the validity of all of NIST's certificates that have not expired on purpose.
pub const NOW: u64 = 1_767_225_600;

/// All cases, and the names of the files in the order in which they are packed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    files: Vec<String>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One path, with names of files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The number of its section.
    pub test: String,
    /// Its name.
    pub name: String,
    /// The end of the path.
    pub leaf: String,
    /// The CAs between, in issuing order.
    pub others: Vec<String>,
    /// The lists, but for the root's.
    pub crls: Vec<String>,
    /// NIST's verdict.
    pub valid: bool,
    /// What is demanded of policies.
    #[serde(default)]
    pub policy: Policy,
}

/// The inputs of RFC 5280 section 6.1.1 that are about policies.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_field_names, reason = "as the table names them")]
pub struct Policy {
    /// Those that are accepted; any where there are none.
    pub user_initial_policy_set: Option<Vec<String>>,
    /// Whether one must be valid.
    pub initial_explicit_policy: bool,
    /// Whether mappings do not count.
    pub initial_policy_mapping_inhibit: bool,
    /// Whether anyPolicy does not count.
    pub initial_any_policy_inhibit: bool,
}

/// The suite, and its files by name.
///
/// # Panics
///
/// If the fixture is damaged.
pub fn suite() -> (Suite, HashMap<String, Vec<u8>>) {
    let suite: Suite = serde_json::from_str(include_str!("../../fixtures/pkits/cases.json"))
        .expect("the fixture is whole");
    let packed = include_bytes!("../../fixtures/pkits/files.der.gz");
    let mut der = Vec::new();
    GzDecoder::new(packed.as_slice())
        .read_to_end(&mut der)
        .expect("the fixture is whole");
    let mut rest = der.as_slice();
    let files = suite.files.iter().map(|name| {
        let len = match *rest {
            [0x30, 0x81, len, ..] => 3 + usize::from(len),
            [0x30, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([high, low])),
            _ => panic!("{name} is no sequence of middling length"),
        };
        let (file, after) = rest.split_at(len);
        rest = after;
        (name.clone(), file.to_vec())
    });
    let files = files.collect();
    assert!(rest.is_empty());
    (suite, files)
}
