//! Properties of the URI parser and printer.

use privyseal_pkcs11::Pkcs11Uri;
use proptest::prelude::*;

/// Every byte escaped: the one spelling that suits every value.
fn escaped(value: &[u8]) -> String {
    let bytes: Vec<String> = value.iter().map(|byte| format!("%{byte:02x}")).collect();
    bytes.concat()
}

fn unpadded(name: &str) -> &str {
    name.trim_end_matches([' ', '\0'])
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = text.parse::<Pkcs11Uri>();
        let _ = format!("pkcs11:{text}").parse::<Pkcs11Uri>();
    }

    #[test]
    fn near_misses_do_not_either(text in "pkcs11:(token|id|slot-id|x|;|=|%|%4|%41|\\?|&|a|1){0,12}") {
        if let Ok(uri) = text.parse::<Pkcs11Uri>() {
            prop_assert_eq!(uri.to_string().parse::<Pkcs11Uri>().expect("its own text"), uri);
        }
    }

    #[test]
    fn what_is_printed_reads_back(
        token in ".{0,40}",
        object in any::<Option<String>>(),
        id in any::<Vec<u8>>(),
        slot in any::<Option<u64>>(),
        source in "[^\0]{1,40}",
    ) {
        prop_assume!(id.len() <= 256);
        let object_part = object.as_ref().map(|it| format!(";object={}", escaped(it.as_bytes())));
        let slot_part = slot.map(|slot| format!(";slot-id={slot}"));
        let text = format!(
            "pkcs11:token={};id={}{}{}?pin-source={}",
            escaped(token.as_bytes()),
            escaped(&id),
            object_part.unwrap_or_default(),
            slot_part.unwrap_or_default(),
            escaped(source.as_bytes()),
        );
        let uri: Pkcs11Uri = text.parse().expect("every value is escaped");
        // p11tool prints the padding of a token's label.
        prop_assert_eq!(uri.token(), Some(unpadded(&token)));
        prop_assert_eq!(uri.object(), object.as_deref());
        prop_assert_eq!(uri.id(), Some(id.as_slice()));
        prop_assert_eq!(uri.slot_id(), slot);
        prop_assert_eq!(uri.pin_source(), Some(source.as_str()));
        let printed = uri.to_string();
        prop_assert!(printed.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert!(!printed.contains(['\'', '"', '`', '$', '\\']), "fit for a shell: {}", printed);
        prop_assert_eq!(printed.parse::<Pkcs11Uri>().expect("its own text"), uri);
    }

    #[test]
    fn a_pin_is_never_printed(pin in "[0-9]{6,12}") {
        let uri: Pkcs11Uri = format!("pkcs11:token=t?pin-value={pin}").parse().expect("a URI");
        prop_assert_eq!(uri.to_string(), "pkcs11:token=t");
        let debug = format!("{uri:?}");
        prop_assert!(!debug.contains(&pin));
    }
}
