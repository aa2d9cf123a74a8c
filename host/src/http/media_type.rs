//! The media type of a response: what it means, and what of it may be shown.

/// Those that are shown. A type is text of the server, which may repeat what it was sent, in another case or
/// in pieces.
const KNOWN: [&str; 9] = [
    "application/json",
    "application/jwt",
    "application/octet-stream",
    "application/problem+json",
    "application/xhtml+xml",
    "application/xml",
    "text/html",
    "text/plain",
    "text/xml",
];

/// Without parameters, in lower case.
pub(super) fn parse(value: &str) -> String {
    let media_type = value.split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

/// Makes sure of JSON: `application/json` (RFC 8259 section 11) or a type with the suffix `+json` (RFC 6838
/// section 4.2.8). The error is a clause about the response; `source` says where the type is demanded.
pub(crate) fn expect_json(media_type: Option<&str>, source: &str) -> Result<(), String> {
    let is_json = media_type.is_some_and(|media_type| {
        media_type == "application/json" || media_type.ends_with("+json")
    });
    if is_json {
        return Ok(());
    }
    let shown = shown(media_type);
    Err(format!(
        "the answer is JSON, but {shown}; it must be application/json ({source})"
    ))
}

/// A clause about the type: its name only if that is a known one.
pub(crate) fn shown(media_type: Option<&str>) -> String {
    let Some(media_type) = media_type else {
        return "it names no type".to_owned();
    };
    match KNOWN.iter().find(|known| **known == media_type) {
        Some(known) => format!("its type is {known}"),
        None => "its type is none that is known here".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_json_and_what_is_said_of_the_rest() {
        for value in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/problem+json",
            "application/jwk-set+json ;x=y",
        ] {
            assert_eq!(expect_json(Some(&parse(value)), "RFC"), Ok(()), "{value}");
        }
        for (value, words) in [
            ("text/html", "its type is text/html"),
            ("text/json", "none that is known"),
            ("application/jsonp", "none that is known"),
            ("s3cr3t", "none that is known"),
            ("", "none that is known"),
        ] {
            let error = expect_json(Some(&parse(value)), "RFC").unwrap_err();
            assert!(error.contains(words), "{value}: {error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
        let error = expect_json(None, "RFC").unwrap_err();
        assert!(error.contains("it names no type"), "{error}");
    }
}
