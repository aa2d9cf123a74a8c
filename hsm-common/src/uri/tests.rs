//! The grammar itself, with attributes of its own; the backends test theirs.

use super::*;

crate::key_uri_grammar! {
    GRAMMAR = Attributes("toy", 64);
    NAME = Path "name";
    BARE = Flag "bare";
    ID = Path "id";
    MODULE = Anywhere "module";
    PIN_VALUE = Query "pin-value";
}

fn refusal(text: &str) -> UriError {
    GRAMMAR.parse(text).expect_err(text)
}

#[test]
fn what_is_written_is_read_again() {
    let mut out = UriWriter::new(&GRAMMAR, "");
    out.text(NAME, Some("a/b;\u{e1}"))
        .flag(BARE, true)
        .bytes(ID, Some(b"k1"))
        .text(MODULE, Some("/m.so"))
        .plain(PIN_VALUE, Some(12));
    let text = "toy:name=a%2Fb%3B%C3%A1;bare;id=%6B%31?module=/m.so&pin-value=12";
    assert_eq!(out.as_str(), text);
    let given = GRAMMAR.parse(text).unwrap();
    let name = given.read(NAME, value::text).unwrap();
    assert_eq!(name.as_deref(), Some("a/b;\u{e1}"));
    assert_eq!(given.read(ID, value::bytes(2)), Ok(Some(b"k1".to_vec())));
    assert_eq!(given.read(PIN_VALUE, value::decimal), Ok(Some(12_u8)));
    assert!(given.has(BARE) && GRAMMAR.parse("TOY:module=/m").unwrap().has(MODULE));
    let mut only_query = UriWriter::new(&GRAMMAR, "");
    only_query.flag(BARE, false).text(MODULE, Some("/m"));
    assert_eq!(only_query.as_str(), "toy:?module=/m");
}

#[test]
fn a_misspelt_attribute_is_refused_by_name() {
    for (text, words) in [
        (
            "toy:nam=a",
            "toy URI: path attribute number 1 (nam) is none of name, bare, id, module and pin-value",
        ),
        (
            "toy:name=a?modul=b",
            "query attribute number 1 (modul) is none of",
        ),
        ("toy:Name=a", "(Name) is none of"),
    ] {
        let error = refusal(text).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_vendors_attribute_is_ignored_if_it_is_well_formed() {
    assert!(GRAMMAR.parse("toy:x-a=1;vendor-b=2?x-a=1&x-a=2").is_ok());
    assert_eq!(refusal("toy:x-a=1;x-a=1").fault, UriFault::Duplicate);
    let percent = UriFault::Percent { position: 0 };
    assert_eq!(refusal("toy:x-a=%zz").fault, percent);
}

/// A secret with a bare separator ends up where names stand: it must not be repeated to the reader.
#[test]
fn no_error_shows_a_value_or_a_piece_of_a_secret() {
    for text in [
        "toy:?pin-value=47&1147secret",
        "toy:?pin-value=47&secret=1147",
        "toy:?x-pin=47&secret=1147",
        "toy:?pin-value=secret%4",
        "toy:?pin-value=secret;a b",
        "toy:?pin-value=1&pin-value=secret",
        "toy:secret",
        "toy:se cret=1",
        "secret",
    ] {
        let error = refusal(text);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}

#[test]
fn a_path_may_be_taken_as_it_stands() {
    static OPAQUE: Grammar = Grammar::new("toy", 64, PathForm::Opaque, &[MODULE]);
    let given = OPAQUE.parse("toy:/dev/a%20b;c?module=d").unwrap();
    assert_eq!(given.path(), "/dev/a%20b;c");
    assert_eq!(given.read(MODULE, value::text), Ok(Some("d".into())));
}
