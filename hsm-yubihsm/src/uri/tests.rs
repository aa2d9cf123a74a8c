use super::*;
use crate::limits::{MAX_CERTIFICATES, MAX_LABEL, MAX_PASSWORD, MAX_URI};
use privyseal_hsm::Secret;

fn parse(text: &str) -> YubihsmUri {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn unknown() -> UriFault {
    let known = String::new();
    UriFault::Unknown { known }
}

fn refusal(text: &str) -> UriError {
    match text.parse::<YubihsmUri>() {
        Err(error) => error,
        Ok(uri) => panic!("{text} was accepted as {uri}"),
    }
}

#[test]
fn everything() {
    let uri = parse(
        "yubihsm:host=hsm.example;port=4711;auth-key=0x10;key-id=100;cert-ids=101,0x66,103\
         ?pin-source=file:/run/pin&timeout=9&audit-dir=/var/lib/a%20b",
    );
    let http = Endpoint::Http {
        host: "hsm.example".into(),
        port: 4711,
    };
    assert_eq!(
        (uri.endpoint(), uri.auth_key(), uri.key_id()),
        (http, 16, Some(100))
    );
    assert_eq!(uri.cert_ids(), [101, 102, 103]);
    assert_eq!(uri.pin_source(), Some("file:/run/pin"));
    assert_eq!(uri.timeout(), Duration::from_secs(9));
    assert_eq!(uri.audit_dir(), Some(Path::new("/var/lib/a b")));
}

#[test]
fn defaults_are_those_of_the_connector_and_the_factory() {
    let uri = parse("YubiHSM:key-id=7");
    assert_eq!(
        uri,
        parse("yubihsm:host=127.0.0.1;port=12345;auth-key=1;key-id=7")
    );
    assert_eq!(uri.endpoint().to_string(), "http://127.0.0.1:12345");
    assert_eq!((uri.auth_key(), uri.timeout()), (1, CALL_TIMEOUT));
    let ipv6 = parse("yubihsm:host=[::1]");
    assert_eq!(ipv6.endpoint().to_string(), "http://[::1]:12345");
}

#[test]
fn usb() {
    let uri = parse("yubihsm:usb;serial=0012345678;key-id=1");
    assert_eq!(
        uri.endpoint(),
        Endpoint::Usb {
            serial: Some("0012345678".into())
        }
    );
    assert_eq!(
        parse("yubihsm:usb").endpoint(),
        Endpoint::Usb { serial: None }
    );
}

#[test]
fn a_printed_uri_reads_back_and_has_no_password() {
    for text in [
        "yubihsm:",
        "yubihsm:host=h;port=1;auth-key=2;key-id=3;cert-ids=4,5?pin-source=file:/x%26y",
        "yubihsm:usb;serial=0012345678;cert-label=eSeal%20%C3%A1%3B?timeout=60&session-wait=0&audit-dir=/a%3fb",
    ] {
        let uri = parse(text);
        assert_eq!(parse(&uri.to_string()), uri, "{uri}");
    }
    let uri = parse("yubihsm:key-id=3?pin-value=471147");
    assert_eq!(uri.pin_value(), Some(&Secret::new("471147").unwrap()));
    assert!(!format!("{uri} {uri:?}").contains("471147"));
}

/// `Rule("")` stands for any rule of a single attribute.
fn is_refused(text: &str, fault: &UriFault, words: &str) {
    let error = refusal(text);
    match (&error.fault, fault) {
        (UriFault::Rule(_), UriFault::Rule(""))
        | (UriFault::Unknown { .. }, UriFault::Unknown { .. }) => {}
        (found, expected) => assert_eq!(found, expected, "{text}"),
    }
    assert!(error.to_string().contains(words), "{text}: {error}");
}

#[test]
fn bounds() {
    let long_label = format!("yubihsm:cert-label={}", "a".repeat(MAX_LABEL + 1));
    let long_pin = format!("yubihsm:?pin-value={}", "a".repeat(MAX_PASSWORD + 1));
    let many_ids = format!("yubihsm:cert-ids={}1", "1,".repeat(MAX_CERTIFICATES));
    let long = format!("yubihsm:?pin-source={}", "a".repeat(MAX_URI));
    for (text, fault, words) in [
        (
            &long_label,
            UriFault::TooLong { max: MAX_LABEL },
            "longer than 40",
        ),
        (
            &long_pin,
            UriFault::TooLong { max: MAX_PASSWORD },
            "longer than 256",
        ),
        (&many_ids, UriFault::Rule(""), "more than 6"),
        (
            &long,
            UriFault::TooLong { max: MAX_URI },
            "the URI is longer",
        ),
    ] {
        is_refused(text, &fault, words);
    }
}

#[test]
fn refused_with_the_attributes_name() {
    for (text, fault, words) in [
        ("", UriFault::Scheme("yubihsm"), "does not begin"),
        (
            "pkcs11:key-id=1",
            UriFault::Scheme("yubihsm"),
            "does not begin",
        ),
        (
            "yubihsm:keyid=1",
            unknown(),
            "path attribute number 1 (keyid) is none of host, ",
        ),
        (
            "yubihsm:key-id=1;",
            UriFault::NoValue,
            "path attribute number 2",
        ),
        ("yubihsm:?x=1", unknown(), "query attribute number 1"),
        (
            "yubihsm:key-id",
            UriFault::NoValue,
            "key-id has no \"=\" and no value",
        ),
        ("yubihsm:key-id=", UriFault::Empty, "key-id is empty"),
        (
            "yubihsm:key-id=1;key-id=1",
            UriFault::Duplicate,
            "more than once",
        ),
        (
            "yubihsm:key-id=0",
            UriFault::Rule(""),
            "key-id is not an object id",
        ),
        ("yubihsm:key-id=65535", UriFault::Rule(""), "key-id"),
        ("yubihsm:key-id=0x", UriFault::Rule(""), "key-id"),
        ("yubihsm:key-id=+1", UriFault::Rule(""), "key-id"),
        ("yubihsm:auth-key=65536", UriFault::Rule(""), "auth-key"),
        ("yubihsm:cert-ids=1,,2", UriFault::Rule(""), "cert-ids"),
        (
            "yubihsm:cert-ids=1;cert-label=a",
            UriFault::Rule(""),
            "cert-label",
        ),
        ("yubihsm:port=0", UriFault::Rule(""), "port is not a port"),
        ("yubihsm:host=a/b", UriFault::Rule(""), "host"),
        ("yubihsm:host=[::1", UriFault::Rule(""), "host"),
        ("yubihsm:host=a%0d%0ab", UriFault::Rule(""), "host"),
        (
            "yubihsm:host=a;usb",
            UriFault::Rule(""),
            "host does not fit",
        ),
        ("yubihsm:serial=0012345678", UriFault::Rule(""), "serial"),
        ("yubihsm:usb=1", UriFault::Value, "usb takes no value"),
        (
            "yubihsm:usb;serial=12345678",
            UriFault::Rule(""),
            "ten digits",
        ),
        ("yubihsm:pin-source=a", UriFault::OfQuery, "belongs after"),
        ("yubihsm:?key-id=1", UriFault::NotOfQuery, "belongs before"),
        (
            "yubihsm:?pin-source=%zz",
            UriFault::Percent { position: 0 },
            "pin-source has a \"%\"",
        ),
        (
            "yubihsm:?pin-source=%",
            UriFault::Percent { position: 0 },
            "pin-source",
        ),
        (
            "yubihsm:?pin-source=a b",
            UriFault::Character { position: 1 },
            "pin-source",
        ),
        ("yubihsm:?pin-source=%ff", UriFault::Utf8, "not UTF-8"),
        (
            "yubihsm:?timeout=0",
            UriFault::Rule(""),
            "seconds from 1 to 60",
        ),
        (
            "yubihsm:?session-wait=61",
            UriFault::Rule(""),
            "seconds from 0 to 60",
        ),
        ("yubihsm:?timeout=61", UriFault::Rule(""), "timeout"),
    ] {
        is_refused(text, &fault, words);
    }
}

#[test]
fn no_error_shows_a_value() {
    for text in [
        "yubihsm:?pin-value=47&1147secret",
        "yubihsm:?pin-value=secret%4",
        "yubihsm:secret",
        "secret",
    ] {
        let error = refusal(text);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}
