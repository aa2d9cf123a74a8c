//! A certificate's subject in the words of iSHARE 1.x: `C=NL, SERIALNUMBER=EU.EORI.NL000000001, CN=Name`, in
//! the order of the certificate and with every attribute ("if at least one attribute is missing validation
//! fails"). Values are escaped by RFC 4514 section 2.4, so that no name of one attribute reads as two: a registry that writes them in
//! another way does not find such a party.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag, Tagged};
use privyseal_core::cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

use crate::pki::path::{escaped_value, text as text_of};

/// The subject of `certificate`; `None` where an attribute is not text, or has control characters.
pub fn text(certificate: &Certificate<'_>) -> Option<String> {
    let subject = Name::from_der(certificate.subject().as_der()).ok()?;
    let parts = subject.iter_rdn().map(|part| {
        let attributes: Option<Vec<_>> = part.iter().map(attribute).collect();
        Some(attributes?.join("+"))
    });
    let parts: Option<Vec<_>> = parts.collect();
    Some(parts?.join(", "))
}

/// One attribute (RFC 5280 section 4.1.2.4).
fn attribute(pair: &AttributeTypeAndValue) -> Option<String> {
    let tags = [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String];
    let value = Some(&pair.value).filter(|value| tags.contains(&value.tag()))?;
    let value = text_of(value.tag(), value.value())?;
    let is_shown = !value.chars().any(char::is_control);
    is_shown.then(|| format!("{}={}", name(pair.oid), escaped_value(&value)))
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
            assert_eq!(escaped_value(value), expected);
        }
    }
}
