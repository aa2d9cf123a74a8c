//! The media type of an answer: what it means, and what of it may be shown.

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
