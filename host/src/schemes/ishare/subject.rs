//! A certificate's subject in the words of iSHARE 1.x: `C=NL, SERIALNUMBER=EU.EORI.NL000000001, CN=Name`, in
//! the order of the certificate and with every attribute ("if at least one attribute is missing validation
//! fails"). Values are escaped by RFC 4514 section 2.4, so that no name of one attribute reads as two: a registry that writes them in
//! another way does not find such a party.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use privyseal_core::cert::Certificate;

/// The subject of `certificate`; `None` where an attribute is not text, or has control characters.
pub fn text(certificate: &Certificate<'_>) -> Option<String> {
    let mut reader = SliceReader::new(certificate.subject().as_der()).ok()?;
    let attributes = reader.sequence(|names| {
        let mut attributes = Vec::new();
        while !names.is_finished() {
            let set = AnyRef::decode(names)?;
            let mut pairs = SliceReader::new(set.value())?;
            let mut parts = Vec::new();
            while !pairs.is_finished() {
                parts.push(pairs.sequence(attribute)?);
            }
            attributes.push(parts.join("+"));
        }
        Ok::<_, der::Error>(attributes)
    });
    Some(attributes.ok()?.join(", "))
}

/// One attribute (RFC 5280 section 4.1.2.4).
fn attribute<'d>(pair: &mut SliceReader<'d>) -> Result<String, der::Error> {
    let kind = ObjectIdentifier::decode(pair)?;
    let value: AnyRef<'d> = AnyRef::decode(pair)?;
    let text = match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            let text = core::str::from_utf8(value.value()).ok();
            let text = text.filter(|text| !text.chars().any(char::is_control));
            text.ok_or_else(|| value.tag().value_error())?
        }
        tag => return Err(tag.value_error().into()),
    };
    Ok(format!("{}={}", name(kind), escaped(text)))
}

fn escaped(value: &str) -> String {
    let mut text = String::new();
    for (at, char) in value.char_indices() {
        let is_last = at + char.len_utf8() == value.len();
        let is_edge = (char == ' ' && (at == 0 || is_last)) || (char == '#' && at == 0);
        if is_edge || "\"+,;<>\\".contains(char) {
            text.push('\\');
        }
        text.push(char);
    }
    text
}

/// The names that iSHARE's examples use; other attributes go by their identifiers (RFC 4514 section 2.3).
fn name(kind: ObjectIdentifier) -> String {
    const NAMES: [(&str, &str); 10] = [
        ("2.5.4.3", "CN"),
        ("2.5.4.4", "SN"),
        ("2.5.4.5", "SERIALNUMBER"),
        ("2.5.4.6", "C"),
        ("2.5.4.7", "L"),
        ("2.5.4.8", "ST"),
        ("2.5.4.10", "O"),
        ("2.5.4.11", "OU"),
        ("2.5.4.42", "GN"),
        ("2.5.4.97", "organizationIdentifier"),
    ];
    let kind = kind.to_string();
    let known = NAMES.iter().find(|(identifier, _)| *identifier == kind);
    known.map_or(kind, |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_of_the_portal_s_example() {
        let leaf = include_bytes!("../../../../host-tests/fixtures/ishare-test-chain/0-leaf.der");
        let leaf = Certificate::from_der(leaf).unwrap();
        assert_eq!(
            text(&leaf).unwrap(),
            "C=NL, O=Test Service Consumer, CN=Test Service Consumer, \
             organizationIdentifier=NTRNL-10000001"
        );
    }

    /// A name of one attribute is not the name of another party in two.
    #[test]
    fn no_value_reads_as_more_attributes_than_it_is() {
        for (value, expected) in [
            ("Victim, CN=Seal", "Victim\\, CN=Seal"),
            ("a+b;c<d>e\"f\\g", "a\\+b\\;c\\<d\\>e\\\"f\\\\g"),
            (" # ", "\\ #\\ "),
            ("#a#", "\\#a#"),
            ("é ü", "é ü"),
            ("", ""),
        ] {
            assert_eq!(escaped(value), expected);
        }
    }
}
