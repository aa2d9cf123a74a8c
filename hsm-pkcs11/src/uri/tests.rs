//! The examples of RFC 7512 section 3, and what must be refused.

use super::*;
use privyseal_hsm::Secret;

fn parse(text: &str) -> Pkcs11Uri {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> UriError {
    match text.parse::<Pkcs11Uri>() {
        Err(error) => error,
        Ok(uri) => panic!("{text} was accepted as {uri}"),
    }
}

/// What the examples mean, in the order of the RFC.
#[test]
fn rfc_7512_examples() {
    assert_eq!(parse("pkcs11:"), Pkcs11Uri::default());

    let uri = parse("pkcs11:object=my-pubkey;type=public");
    assert_eq!(
        (uri.object(), uri.object_type()),
        (Some("my-pubkey"), Some(ObjectType::Public))
    );

    let uri = parse("pkcs11:object=my-key;type=private?pin-source=file:/etc/token");
    assert_eq!(
        (uri.object(), uri.object_type()),
        (Some("my-key"), Some(ObjectType::Private))
    );
    assert_eq!(uri.pin_source(), Some("file:/etc/token"));

    let uri = parse(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;\
         model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=\
         ?pin-source=file:/etc/token_pin",
    );
    assert_eq!(uri.token(), Some("The Software PKCS#11 Softtoken"));
    assert_eq!(uri.manufacturer.as_deref(), Some("Snake Oil, Inc."));
    assert_eq!(
        (uri.model.as_deref(), uri.serial.as_deref()),
        (Some("1.0"), Some(""))
    );
    assert_eq!(
        uri.id(),
        Some(&[0x69, 0x95, 0x3e, 0x5c, 0xf4, 0xbd, 0xec, 0x91][..])
    );
    assert_eq!(uri.object_type(), Some(ObjectType::Certificate));

    let uri = parse("pkcs11:object=my-sign-key;type=private?module-name=mypkcs11");
    assert_eq!(uri.module_name.as_deref(), Some("mypkcs11"));

    let uri = parse("pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1");
    assert_eq!(
        uri.module_path().unwrap(),
        Path::new("/mnt/libmypkcs11.so.1")
    );

    let uri = parse(
        "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.\
         ?pin-value=the-pin",
    );
    assert_eq!(uri.pin_value(), Some(&Secret::new("the-pin").unwrap()));

    let uri = parse("pkcs11:slot-description=Sun%20Metaslot");
    assert_eq!(uri.slot_description.as_deref(), Some("Sun Metaslot"));

    let uri = parse(
        "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;\
         library-description=Soft%20Token%20Library;library-version=1.23",
    );
    assert_eq!(uri.library_manufacturer.as_deref(), Some("Snake Oil, Inc."));
    assert_eq!(
        uri.library_description.as_deref(),
        Some("Soft Token Library")
    );
    assert_eq!(uri.library_version.as_deref(), Some("1.23"));

    let uri = parse(
        "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;\
         id=%01%02%03%Ba%dd%Ca%fe%04%05%06",
    );
    assert_eq!(uri.token(), Some("My token% created by Joe"));
    assert_eq!(uri.library_version.as_deref(), Some("3.0"));
    assert_eq!(
        uri.id(),
        Some(&[1, 2, 3, 0xba, 0xdd, 0xca, 0xfe, 4, 5, 6][..])
    );

    let uri = parse(
        "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert",
    );
    assert_eq!(uri.token(), Some("A name with a substring %;"));

    let uri = parse(
        "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;\
         object=my-certificate;type=cert",
    );
    assert_eq!(uri.token(), Some("Name with a small A with acute: \u{e1}"));

    let uri = parse(
        "pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a\
         ?pin-source=file:/etc/token_pin&vendor-bbb=value-b",
    );
    assert_eq!(
        (uri.token(), uri.object()),
        (Some("my-token"), Some("my-certificate"))
    );
    assert_eq!(uri.pin_source(), Some("file:/etc/token_pin"));
}

/// The form that `step kms` documents, with the query's attributes in the path.
#[test]
fn query_attributes_may_stand_in_the_path() {
    let uri = parse(
        "pkcs11:module-path=/usr/lib/softhsm/libsofthsm2.so;token=smallstep;slot-id=4\
         ?pin-value=password",
    );
    assert_eq!(
        uri.module_path().unwrap(),
        Path::new("/usr/lib/softhsm/libsofthsm2.so")
    );
    assert_eq!((uri.token(), uri.slot_id()), (Some("smallstep"), Some(4)));
    assert_eq!(parse("PKCS11:?max-sessions=16").max_sessions(), Some(16));
}

#[test]
fn a_printed_uri_reads_back_and_has_no_pin() {
    for text in [
        "pkcs11:token=A%20%25%3B%26%3F/b;serial=;id=%00%ff;object=%C3%A1'$(x);type=private;\
         slot-id=18446744073709551615?module-path=/a%20b/c.so&pin-source=file:/x%26y&max-sessions=3",
        "pkcs11:library-version=2.40;slot-description=a;slot-manufacturer=b;model=m;manufacturer=n\
         ?module-name=z",
        "pkcs11:",
    ] {
        let uri = parse(text);
        assert_eq!(parse(&uri.to_string()), uri, "{uri}");
    }
    let uri = parse("pkcs11:token=t;id=%01k?pin-value=471147&x-pin=471147&module-path=/m.so");
    assert_eq!(
        uri.to_string(),
        "pkcs11:token=t;id=%01%6B?module-path=/m.so"
    );
    assert!(!format!("{uri:?}").contains("471147"));
}

/// A URI, what is wrong with it (but for the rules of single attributes), and words of the message.
const REFUSED: &[(&str, UriFault, &str)] = &[
    ("", UriFault::Scheme("pkcs11"), "does not begin"),
    (
        "pkcs12:token=a",
        UriFault::Scheme("pkcs11"),
        "does not begin",
    ),
    ("pkcs11:token", UriFault::NoValue, "token has no \"=\""),
    (
        "pkcs11:token=a;",
        UriFault::NoValue,
        "path attribute number 2",
    ),
    (
        "pkcs11:?module-path=/a&",
        UriFault::NoValue,
        "query attribute number 2",
    ),
    ("pkcs11:=a", UriFault::Name, "path attribute number 1"),
    (
        "pkcs11:to%6ben=a",
        UriFault::Name,
        "path attribute number 1",
    ),
    (
        "pkcs11:token=a;token=a",
        UriFault::Duplicate,
        "token stands there more than once",
    ),
    (
        "pkcs11:module-path=/a?module-path=/a",
        UriFault::Duplicate,
        "module-path",
    ),
    (
        "pkcs11:x-a=1;x-a=1",
        UriFault::Duplicate,
        "path attribute number 2",
    ),
    (
        "pkcs11:?token=a",
        UriFault::NotOfQuery,
        "token belongs before",
    ),
    (
        "pkcs11:token=a b",
        UriFault::Character { position: 1 },
        "token has a character",
    ),
    (
        "pkcs11:token=a#b",
        UriFault::Character { position: 1 },
        "token",
    ),
    (
        "pkcs11:token=\u{e1}",
        UriFault::Character { position: 0 },
        "token",
    ),
    (
        "pkcs11:object=a%2",
        UriFault::Percent { position: 1 },
        "object has a \"%\"",
    ),
    (
        "pkcs11:object=%zz",
        UriFault::Percent { position: 0 },
        "object",
    ),
    (
        "pkcs11:x-a=%zz",
        UriFault::Percent { position: 0 },
        "path attribute number 1",
    ),
    ("pkcs11:token=%ff", UriFault::Utf8, "token is not UTF-8"),
    (
        "pkcs11:slot-id=",
        UriFault::Rule(""),
        "slot-id is not a decimal",
    ),
    ("pkcs11:slot-id=+1", UriFault::Rule(""), "slot-id"),
    (
        "pkcs11:slot-id=18446744073709551616",
        UriFault::Rule(""),
        "slot-id",
    ),
    (
        "pkcs11:library-version=1.2.3",
        UriFault::Rule(""),
        "library-version",
    ),
    (
        "pkcs11:library-version=256",
        UriFault::Rule(""),
        "library-version",
    ),
    (
        "pkcs11:type=certificate",
        UriFault::Rule(""),
        "type is none of",
    ),
    (
        "pkcs11:?module-path=",
        UriFault::Empty,
        "module-path is empty",
    ),
    (
        "pkcs11:?module-path=a%00b",
        UriFault::Nul,
        "module-path has a NUL",
    ),
    (
        "pkcs11:?module-name=../m",
        UriFault::Rule(""),
        "module-name is a path",
    ),
    ("pkcs11:?pin-value=", UriFault::Empty, "pin-value is empty"),
    (
        "pkcs11:?pin-value=1%002",
        UriFault::Rule(""),
        "pin-value has a control character",
    ),
    (
        "pkcs11:?max-sessions=0",
        UriFault::Rule(""),
        "max-sessions is not a decimal number from 1",
    ),
    (
        "pkcs11:?max-sessions=1025",
        UriFault::Rule(""),
        "max-sessions",
    ),
];

#[test]
fn refused_with_the_attributes_name() {
    for (text, fault, words) in REFUSED {
        let error = refusal(text);
        match (&error.fault, fault) {
            (UriFault::Rule(_), UriFault::Rule("")) => {}
            (found, expected) => assert_eq!(found, expected, "{text}"),
        }
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn a_misspelt_attribute_is_refused_by_name() {
    for (text, words) in [
        (
            "pkcs11:token=a;objet=b",
            "path attribute number 2 (objet) is none of library-description, library-manufacturer, ",
        ),
        ("pkcs11:tokn=a", "(tokn) is none of library-description"),
        (
            "pkcs11:?pinsource=a",
            "pin-source, pin-value and max-sessions",
        ),
    ] {
        let error = refusal(text);
        assert!(matches!(error.fault, UriFault::Unknown { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

/// The limits stand in the rules' texts.
#[test]
fn rules_name_the_limits() {
    let error = refusal(&format!("pkcs11:?max-sessions={}", MAX_SESSIONS + 1));
    let rule = format!("from 1 to {MAX_SESSIONS}");
    assert!(error.to_string().ends_with(&rule), "{error}");
}

#[test]
fn vendor_attributes_may_repeat_in_the_query() {
    assert_eq!(parse("pkcs11:x-a=1?x-a=1&x-a=2"), Pkcs11Uri::default());
}

#[test]
fn bounds() {
    use crate::limits::{MAX_ID, MAX_PIN, MAX_URI};
    assert_eq!(
        parse(&format!("pkcs11:id={}", "a".repeat(MAX_ID)))
            .id()
            .unwrap()
            .len(),
        MAX_ID
    );
    assert!(
        parse(&format!("pkcs11:?pin-value={}", "1".repeat(MAX_PIN)))
            .pin_value()
            .is_some()
    );
    let error = refusal(&format!("pkcs11:id={}", "a".repeat(MAX_ID + 1)));
    assert_eq!(error.fault, UriFault::TooLong { max: MAX_ID });
    assert!(
        error.to_string().contains("id is longer than 256 bytes"),
        "{error}"
    );
    let error = refusal(&format!("pkcs11:?pin-value={}", "1".repeat(MAX_PIN + 1)));
    assert_eq!(error.fault, UriFault::TooLong { max: MAX_PIN });
    let longest = format!(
        "pkcs11:token={}",
        "a".repeat(MAX_URI - "pkcs11:token=".len())
    );
    assert_eq!(
        parse(&longest).token().unwrap().len() + "pkcs11:token=".len(),
        MAX_URI
    );
    assert_eq!(
        refusal(&format!("{longest}a")).fault,
        UriFault::TooLong { max: MAX_URI }
    );
}

/// A PIN with a bare separator ends up where names stand: it must not be repeated to the reader.
#[test]
fn no_error_shows_a_value() {
    for text in [
        "pkcs11:?pin-value=47&1147secret",
        "pkcs11:?pin-value=secret%4",
        "pkcs11:?pin-value=secret;a b",
        "pkcs11:secret",
        "secret",
    ] {
        let error = refusal(text);
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}
