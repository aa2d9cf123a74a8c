use super::*;

const TEXT: &str = r#"
[scheme.acme]
title = "ACME"
key = "kid"
audience = "https://as.example/token"
lifetime = 60

[scheme.acme.token-request]
path = "/token"
base-url = "https://as.example"
scope = "read write"
members = { resource = "https://api.example" }
"#;

#[test]
fn a_table_is_a_scheme_and_the_same_when_read_again() {
    let schemes = from_toml(TEXT).unwrap();
    let [scheme] = schemes.as_slice() else {
        panic!("{schemes:?}");
    };
    assert_eq!((scheme.name(), scheme.title()), ("acme", "ACME"));
    assert_eq!(scheme.lifetime().value().max(), 60);
    assert_eq!(
        scheme.token_request().members(),
        [("resource", "https://api.example")]
    );
    let again = from_toml(&format!("# moved\n{TEXT}")).unwrap();
    assert!(core::ptr::eq(*scheme, again[0]));
    let other = from_toml(&TEXT.replace("60", "61")).unwrap();
    assert_eq!(other[0].lifetime().value().max(), 61);
}

/// Each with the line that it stands in, and words of the reason.
#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (from, to, line, words) in [
        (
            "lifetime = 60",
            "lifetime = 601",
            6,
            "lifetime is 601, allowed are 1 to 600",
        ),
        ("lifetime = 60", "lifetime = \"a\"", 6, "seconds"),
        (
            "lifetime = 60",
            "lifetime = { default = 60, min = 1 }",
            6,
            "with all three",
        ),
        (
            "lifetime = 60",
            "lifetime = { default = 5, min = 9, max = 8 }",
            6,
            "is 9, allowed are 1 to 8 (own scheme: 1 <= min <= default <= max <= 600 s)",
        ),
        ("lifetime = 60", "", 2, "lifetime"),
        ("key = \"kid\"", "key = \"none\"", 4, "x5t#S256"),
        ("key = \"kid\"", "key = \"kid\"\nalg = \"none\"", 5, "alg"),
        ("key = \"kid\"", "key = \"kid\"\njti = false", 5, "jti"),
        (
            "\"https://as.example/token\"",
            "[\"a\", \"b\"]",
            5,
            "one audience",
        ),
        ("\"https://as.example/token\"", "\"\"", 5, "aud is empty"),
        (
            "\"https://as.example/token\"",
            "{ syntax = \"x\" }",
            5,
            "one audience",
        ),
        (
            "[scheme.acme]",
            "[scheme.fiam]",
            2,
            "a built-in scheme has it",
        ),
        ("title = \"ACME\"", "title = \"\"", 3, "title is empty"),
        ("\"/token\"", "\"token\"", 9, "slash"),
        (
            "https://as.example\"",
            "http://as.example\"",
            10,
            "https URL",
        ),
        ("read write", "read  write", 11, "scope"),
        ("resource =", "client_secret =", 12, "form member"),
        ("[scheme.acme]", "[scheme.acme", 2, ""),
    ] {
        let text = TEXT.replacen(from, to, 1);
        assert_ne!(text, TEXT);
        let text = if from == "[scheme.acme]" && words.is_empty() {
            text
        } else {
            text.replace("[scheme.acme.", &format!("[scheme.{}.", name(&text)))
        };
        let error = from_toml(&text).unwrap_err();
        assert_eq!(error.line, line, "{to}: {error}");
        assert!(error.to_string().contains(words), "{to}: {error}");
    }
}

fn name(text: &str) -> &str {
    let rest = text.split_once("[scheme.").unwrap().1;
    rest.split_once(']').unwrap().0
}
