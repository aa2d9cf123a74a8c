//! A bounded run of mutations without a fuzzer, on every machine: `check` says something about every text,
//! and says it without a panic. Fuzzing with coverage is in `fuzz/`.

use privyseal_check::json::Value;
use privyseal_core::cert::Certificate;
use privyseal_core::scheme;
use proptest::prelude::*;

use crate::draft::Draft;
use crate::pki::seal_chain;

/// Cuts, repeats and overwrites.
fn damaged(bytes: &[u8], edits: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, what, byte) in edits {
        if bytes.is_empty() {
            break;
        }
        let place = place.index(bytes.len());
        match what % 4 {
            0 => bytes[place] = *byte,
            1 => drop(bytes.drain(place..(place + usize::from(*byte)).min(bytes.len()))),
            2 => bytes.insert(place, *byte),
            _ => {
                let piece = bytes[place..(place + usize::from(*byte)).min(bytes.len())].to_vec();
                bytes.splice(place..place, piece);
            }
        }
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn claims_of_any_shape(edits in edits(), scheme in prop::sample::select(scheme::ALL.to_vec())) {
        let mut draft = Draft::of(scheme);
        draft.scheme = None;
        let claims = damaged(draft.claims.to_string().as_bytes(), &edits);
        draft.raw_claims = Some(String::from_utf8_lossy(&claims).into_owned());
        prop_assert!(!draft.report().findings().is_empty());
    }

    #[test]
    fn headers_of_any_shape(edits in edits()) {
        let mut draft = Draft::of(&scheme::ISHARE);
        let header = damaged(draft.header.to_string().as_bytes(), &edits);
        draft.raw_header = Some(String::from_utf8_lossy(&header).into_owned());
        prop_assert!(!draft.report().findings().is_empty());
    }

    #[test]
    fn certificates_of_any_shape(edits in edits(), which in 0..4_usize) {
        let mut chain = seal_chain().to_vec();
        chain[which] = damaged(&chain[which], &edits);
        let _ = Certificate::from_der(&chain[which]);
        let mut draft = Draft::of(&scheme::ISHARE);
        draft.certificates(&chain);
        let report = draft.report();
        prop_assert!(report.broken().next().is_some() || chain == seal_chain());
    }

    /// Our reader takes what `serde_json` takes, and nothing else.
    #[test]
    fn json_of_any_shape(edits in edits()) {
        let text = r#"{"a":[1,-0.5e3,"x\u00e9\ud83d\ude00\\"],"b":{"c":null,"d":[true,false,{}]},"e":""}"#;
        let bytes = damaged(text.as_bytes(), &edits);
        if let Ok(text) = core::str::from_utf8(&bytes) {
            let theirs = serde_json::from_str::<serde_json::Value>(text);
            // A number beyond a double is JSON all the same.
            let is_json = theirs.as_ref().map_or_else(|error| error.to_string().contains("out of range"), |_| true);
            prop_assert_eq!(Value::parse(text).is_ok(), is_json, "{} {:?}", text, theirs);
        }
    }
}
