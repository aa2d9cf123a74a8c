//! Reads the subject of a certification request from text, in either of the two forms that people use:
//! `CN=Name,O=Org,C=NL` (RFC 4514, the most specific first) and `/C=NL/O=Org/CN=Name` (OpenSSL's
//! `-subj`, in the order of encoding).

use privyseal_core::csr::{SubjectAttribute, SubjectAttributeType};

use super::PkiError;

/// Attributes of a subject as owned text, in the order in which they are encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName(Vec<(SubjectAttributeType, String)>);

impl DistinguishedName {
    /// Reads either form.
    ///
    /// # Errors
    ///
    /// [`PkiError::Subject`], which says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, PkiError> {
        let (separator, parts) = match text.strip_prefix('/') {
            Some(rest) => ('/', rest),
            None => (',', text),
        };
        let mut attributes = split(parts, separator)?
            .iter()
            .map(|part| attribute(part))
            .collect::<Result<Vec<_>, _>>()?;
        if separator == ',' {
            // RFC 4514 section 2.1: the string starts with the last element of the sequence.
            attributes.reverse();
        }
        Ok(Self(attributes))
    }

    /// The attributes, each checked by the core.
    ///
    /// # Errors
    ///
    /// [`PkiError::Core`] for a value that the attribute cannot have.
    pub fn attributes(&self) -> Result<Vec<SubjectAttribute<'_>>, PkiError> {
        let checked = self
            .0
            .iter()
            .map(|(kind, value)| SubjectAttribute::new(*kind, value));
        Ok(checked.collect::<Result<_, _>>()?)
    }
}

/// Splits at `separator` where no backslash stands before it. Backslashes stay.
fn split(text: &str, separator: char) -> Result<Vec<String>, PkiError> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == separator {
            parts.push(String::new());
            continue;
        }
        let Some(part) = parts.last_mut() else {
            continue;
        };
        match character {
            '\\' => {
                part.push('\\');
                part.push(
                    characters
                        .next()
                        .ok_or_else(|| wrong("ends in a backslash"))?,
                );
            }
            '+' => {
                return Err(wrong(
                    "has a `+`: an attribute of several values is not supported",
                ));
            }
            other => part.push(other),
        }
    }
    Ok(parts)
}

/// One `TYPE=value`.
fn attribute(part: &str) -> Result<(SubjectAttributeType, String), PkiError> {
    let (kind, value) = part
        .split_once('=')
        .ok_or_else(|| wrong("has a part without `=`"))?;
    let Some(kind) = SubjectAttributeType::by_name_or_oid(kind.trim()) else {
        let known = SubjectAttributeType::ALL
            .map(SubjectAttributeType::name)
            .join(", ");
        return Err(wrong(&format!(
            "has an attribute that is not known; known are {known}"
        )));
    };
    Ok((kind, unescape(value.trim())?))
}

/// Resolves `\,` and `\2C` (RFC 4514 section 2.4). What else it has is refused: quotation marks around a value (RFC 2253
/// section 4), a value in hexadecimal BER.
fn unescape(value: &str) -> Result<String, PkiError> {
    if value.starts_with('#') {
        return Err(wrong(
            "has a value that begins with `#`, for which hexadecimal BER is not supported; a `#` that is meant is `\\#`",
        ));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'"' {
            return Err(wrong(
                "has a quotation mark: a value stands without; one that is meant is `\\\"`",
            ));
        }
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        match rest {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push((nibble(*high) << 4) | nibble(*low));
                rest = after;
            }
            [escaped, after @ ..] => {
                bytes.push(*escaped);
                rest = after;
            }
            [] => return Err(wrong("ends in a backslash")),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong("has an escaped byte that makes it no UTF-8"))
}

/// The value of a hexadecimal digit.
const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        letter => (letter | 0x20) - b'a' + 10,
    }
}

fn wrong(reason: &str) -> PkiError {
    PkiError::Subject(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, String)> {
        let name = DistinguishedName::parse(text).unwrap();
        name.0
            .into_iter()
            .map(|(kind, value)| (kind.name(), value))
            .collect()
    }

    #[test]
    fn both_forms_mean_the_same() {
        let expected = [
            ("C", "NL".to_owned()),
            ("O", "A, B".to_owned()),
            ("organizationIdentifier", "NTRNL-1".to_owned()),
            ("CN", "x/y".to_owned()),
        ];
        for text in [
            r"CN=x/y,organizationIdentifier=NTRNL-1,O=A\, B,C=NL",
            r"cn = x/y , 2.5.4.97=NTRNL-1, o=A\2c B, c=NL",
            r"/C=NL/O=A, B/organizationIdentifier=NTRNL-1/CN=x\/y",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        for (text, words) in [
            ("", "without `=`"),
            ("Name", "without `=`"),
            ("CN=a,,O=b", "without `=`"),
            ("CN=a+O=b", "several values"),
            ("E=a@b", "not known"),
            ("CN=a\\", "backslash"),
            (r"CN=\ff", "UTF-8"),
            ("CN=\"q\"", "quotation mark"),
            ("O=a \"b\" c,CN=d", "quotation mark"),
            ("/CN=\"q\"", "quotation mark"),
            ("CN=#0403", "begins with `#`"),
            ("C=NL,CN= #0403", "begins with `#`"),
        ] {
            let error = DistinguishedName::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_escaped_is_itself() {
        for (text, value) in [
            (r"CN=a\+b", "a+b"),
            (r#"CN=\"q\""#, "\"q\""),
            (r"CN=\22q", "\"q"),
            (r"CN=\#0403", "#0403"),
            ("CN=No. #3", "No. #3"),
        ] {
            assert_eq!(read(text), [("CN", value.to_owned())], "{text}");
        }
        assert_eq!(read(r"CN=Caf\C3\A9"), [("CN", "Caf\u{e9}".to_owned())]);
    }
}
