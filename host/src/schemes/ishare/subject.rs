//! A certificate's subject in the words of iSHARE 1.x: `C=NL, SERIALNUMBER=EU.EORI.NL000000001, CN=Name`, in
//! the order of the certificate and with every attribute ("if at least one attribute is missing validation
//! fails").

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use privyseal_core::cert::Certificate;

/// The subject of `certificate`; `None` where an attribute is not text.
pub fn text(certificate: &Certificate<'_>) -> Option<String> {
    let mut reader = SliceReader::new(certificate.subject().as_der()).ok()?;
    let attributes = reader.sequence(|names| {
        let mut attributes = Vec::new();
        while !names.is_finished() {
            let set = AnyRef::decode(names)?;
            let mut pairs = SliceReader::new(set.value())?;
            while !pairs.is_finished() {
                attributes.push(pairs.sequence(attribute)?);
            }
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
            core::str::from_utf8(value.value()).map_err(|_| value.tag().value_error())?
        }
        tag => return Err(tag.value_error().into()),
    };
    Ok(format!("{}={text}", name(kind)))
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
}
