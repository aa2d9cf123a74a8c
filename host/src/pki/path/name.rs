//! Names as RFC 5280 section 7 compares them.

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _, Tag, Tagged as _};
use privyseal_core::cert;
use privyseal_core::csr::SubjectAttributeType;
use privyseal_core::encoding::hex;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::{Name, RelativeDistinguishedName};

use crate::base::display::sanitize_for_display;

/// emailAddress (PKCS #9), which names of certificates still have.
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

/// A distinguished name in the one form of all names that are equal to it: the string type, the case and the
/// blanks around and between words do not count (RFC 5280 section 7.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NormalName(Vec<Vec<(ObjectIdentifier, Value)>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Value {
    Text(String),
    Other(Vec<u8>),
}

impl NormalName {
    /// Of a Name, DER.
    pub(crate) fn from_der(name: &[u8]) -> Result<Self, der::Error> {
        Ok(Self::new(&Name::from_der(name)?))
    }

    pub(crate) fn new(name: &Name) -> Self {
        Self(name.iter_rdn().map(relative).collect())
    }

    /// This name, with one more part (nameRelativeToCRLIssuer).
    pub(crate) fn joined(&self, part: &RelativeDistinguishedName) -> Self {
        let mut parts = self.0.clone();
        parts.push(relative(part));
        Self(parts)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `base` is this name or stands above it.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        self.0.starts_with(&base.0)
    }
}

/// The mail addresses in a name, as it writes them: case counts before the `@` (RFC 5280 section 7.5).
pub(super) fn emails(name: &Name) -> Vec<String> {
    let attributes = name.iter_rdn().flat_map(RelativeDistinguishedName::iter);
    let emails = attributes.filter(|attribute| attribute.oid == EMAIL_ADDRESS);
    let text = emails.map(|email| text(email.value.tag(), email.value.value()));
    // What is no text is no address, and within nothing that can be told.
    text.map(Option::unwrap_or_default).collect()
}

fn relative(part: &RelativeDistinguishedName) -> Vec<(ObjectIdentifier, Value)> {
    let attributes = part.iter().map(|attribute| {
        let (tag, bytes) = (attribute.value.tag(), attribute.value.value());
        let text = text(tag, bytes).map(|text| Value::Text(normal(&text)));
        let other = || Value::Other(attribute.value.to_der().unwrap_or_default());
        let value = text.unwrap_or_else(other);
        (attribute.oid, value)
    });
    let mut attributes: Vec<_> = attributes.collect();
    attributes.sort();
    attributes
}

pub(crate) fn text(tag: Tag, bytes: &[u8]) -> Option<String> {
    Some(match tag {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            core::str::from_utf8(bytes).ok()?.to_owned()
        }
        // As every CA that still uses it means it: ISO 8859-1.
        Tag::TeletexString => bytes.iter().copied().map(char::from).collect(),
        Tag::BmpString => {
            let (pairs, odd) = bytes.as_chunks::<2>();
            let units = pairs.iter().copied().map(u16::from_be_bytes);
            let text: Result<_, _> = char::decode_utf16(units).collect();
            text.ok().filter(|_| odd.is_empty())?
        }
        _ => return None,
    })
}

/// Lower case, one blank where there are several, none around (RFC 4518 without its compatibility forms).
fn normal(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// All attributes of a name, the most specific first (RFC 4514), made safe for display.
pub(crate) fn display_name(name: cert::Name<'_>) -> String {
    let name = Name::from_der(name.as_der());
    name.map_or_else(|_| "(a malformed name)".to_owned(), |it| shown_name(&it))
}

/// The same, of a name that is read already.
pub(crate) fn shown_name(name: &Name) -> String {
    let part = |part: &RelativeDistinguishedName| {
        let attributes = part.iter().map(|attribute| {
            let kind = attribute_name(attribute.oid);
            format!("{kind}={}", shown_value(&attribute.value))
        });
        attributes.collect::<Vec<_>>().join("+")
    };
    let mut parts: Vec<_> = name.iter_rdn().map(part).collect();
    parts.reverse();
    if parts.is_empty() {
        return "(an empty name)".to_owned();
    }
    parts.join(", ")
}

fn attribute_name(oid: ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    let known = SubjectAttributeType::by_name_or_oid(&dotted).map(SubjectAttributeType::name);
    let known = known.or_else(|| der::oid::db::DB.by_oid(&oid));
    known.map_or(dotted, str::to_owned)
}

fn shown_value(value: &der::Any) -> String {
    let Some(text) = text(value.tag(), value.value()) else {
        return format!(
            "#{}",
            hex(&value.to_der().unwrap_or_default()).collect::<String>()
        );
    };
    sanitize_for_display(&escaped_value(&text), None)
}

/// What would end a value is none of its ends (RFC 4514 section 2.4).
pub(crate) fn escaped_value(text: &str) -> String {
    let mut escaped = String::new();
    for (position, c) in text.char_indices() {
        let is_at_end = position == 0 || position + c.len_utf8() == text.len();
        if r#"\,+"<>;"#.contains(c) || (c == ' ' && is_at_end) || (c == '#' && position == 0) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The first value of that attribute, if it is text.
pub(crate) fn attribute(name: &Name, wanted: ObjectIdentifier) -> Option<String> {
    let found = attributes(name, wanted).next()?;
    text(found.value.tag(), found.value.value())
}

/// The values of that attribute.
pub(crate) fn attributes(
    name: &Name,
    wanted: ObjectIdentifier,
) -> impl Iterator<Item = &AttributeTypeAndValue> {
    let attributes = name.iter_rdn().flat_map(RelativeDistinguishedName::iter);
    attributes.filter(move |attribute| attribute.oid == wanted)
}

/// Whether `name` is within the subtree `base` (RFC 5280 section 4.2.1.10); `None` if they are of different forms,
/// an error if it is a form, or a value, that is not judged here.
pub(super) fn is_within(name: &GeneralName, base: &GeneralName) -> Result<Option<bool>, ()> {
    use GeneralName as G;
    Ok(Some(match (name, base) {
        (G::DirectoryName(name), G::DirectoryName(base)) => {
            NormalName::new(name).is_within(&NormalName::new(base))
        }
        (G::DnsName(name), G::DnsName(base)) => host_is_within(name.as_str(), base.as_str(), true)?,
        (G::Rfc822Name(name), G::Rfc822Name(base)) => {
            email_is_within(name.as_str(), base.as_str())?
        }
        (G::UniformResourceIdentifier(name), G::UniformResourceIdentifier(base)) => {
            host_is_within(uri_host(name.as_str())?, base.as_str(), false)?
        }
        (G::IpAddress(name), G::IpAddress(base)) => {
            let (name, base) = (name.as_bytes(), base.as_bytes());
            match (name.len(), base.len()) {
                (4, 8) | (16, 32) => {}
                // An address of the other family.
                (4, 32) | (16, 8) => return Ok(Some(false)),
                _ => return Err(()),
            }
            let (address, mask) = base.split_at_checked(name.len()).ok_or(())?;
            let mut bytes = name.iter().zip(address).zip(mask);
            bytes.all(|((name, address), mask)| name & mask == address & mask)
        }
        (name, base) if core::mem::discriminant(name) == core::mem::discriminant(base) => {
            return Err(());
        }
        _ => return Ok(None),
    }))
}

/// Whether a mail address is within `base`: a mailbox, a host, or `.` and a domain.
pub(super) fn email_is_within(address: &str, base: &str) -> Result<bool, ()> {
    let (local, host) = address.rsplit_once('@').ok_or(())?;
    Ok(match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            local == base_local && host.eq_ignore_ascii_case(base_host)
        }
        None => host_is_within(host, base, false)?,
    })
}

/// Whether a host is `base`; or below it, where `base` begins with a dot or `with_below`. An error if it has what no
/// host has: another reader may end it there.
fn host_is_within(host: &str, base: &str, with_below: bool) -> Result<bool, ()> {
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    if !host.bytes().all(is_of_host) {
        return Err(());
    }
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    if base.is_empty() || (!base.starts_with('.') && host == base) {
        return Ok(true);
    }
    let below = host.strip_suffix(base.trim_start_matches('.'));
    let is_below = below.is_some_and(|below| below.len() > 1 && below.ends_with('.'));
    Ok(is_below && (with_below || base.starts_with('.')))
}

/// The host of a URI, which must be a name (RFC 5280 section 4.2.1.10).
fn uri_host(uri: &str) -> Result<&str, ()> {
    let (_, rest) = uri.split_once("://").ok_or(())?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = host.split(':').next().unwrap_or_default();
    let is_name = host.ends_with(|last: char| last.is_ascii_alphabetic());
    if is_name { Ok(host) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::asn1::{Ia5String, OctetString};

    #[test]
    fn a_name_is_shown_whole() {
        // O="A, B" + OU, then organizationIdentifier, an unknown attribute that is no text, and CN with blanks around it.
        let set = |attributes: &[&[u8]]| element(0x31, &attributes.concat());
        let attribute = |oid: &[u8], tag, value: &[u8]| {
            element(0x30, &[element(6, oid), element(tag, value)].concat())
        };
        let name = element(
            0x30,
            &[
                set(&[
                    &attribute(b"\x55\x04\x0a", 0x0c, b"A, B"),
                    &attribute(b"\x55\x04\x0b", 0x1e, b"\0\xe9"),
                ]),
                set(&[&attribute(b"\x55\x04\x61", 0x0c, b"NTRNL-1")]),
                set(&[&attribute(b"\x2a\x03", 0x02, b"\x07")]),
                set(&[&attribute(b"\x55\x04\x03", 0x13, b" # ")]),
            ]
            .concat(),
        );
        let expected =
            "CN=\\ #\\ , 1.2.3=#020107, organizationIdentifier=NTRNL-1, OU=\u{e9}+O=A\\, B";
        assert_eq!(shown_name(&Name::from_der(&name).unwrap()), expected);
        assert_eq!(
            shown_name(&Name::from_der(b"\x30\0").unwrap()),
            "(an empty name)"
        );
    }

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u8::try_from(content.len()).unwrap();
        [&[tag, len], content].concat()
    }

    #[test]
    fn addresses_are_within_their_network() {
        let ip = |bytes: &[u8]| GeneralName::IpAddress(OctetString::new(bytes).unwrap());
        let v4 = [10, 1, 0, 0, 255, 255, 0, 0];
        let v6 = [[0x20; 16], [255; 16]].concat();
        for (name, base, expected) in [
            (&[10, 1, 2, 3][..], &v4[..], Ok(Some(true))),
            (&[10, 2, 2, 3], &v4, Ok(Some(false))),
            (&[0x20; 16], &v6, Ok(Some(true))),
            (&[0x21; 16], &v6, Ok(Some(false))),
            (&[10, 1, 2, 3], &v6, Ok(Some(false))),
            (&[0x20; 16], &v4, Ok(Some(false))),
            (&[10, 1, 2], &v4, Err(())),
            (&[10, 1, 2, 3], &v4[..7], Err(())),
        ] {
            assert_eq!(is_within(&ip(name), &ip(base)), expected, "{name:?}");
        }
    }

    #[test]
    fn mail_addresses_are_a_mailbox_a_host_or_a_domain() {
        for (address, base, expected) in [
            ("Joe@a.test", "Joe@A.test", Ok(true)),
            ("joe@a.test", "Joe@a.test", Ok(false)),
            ("joe@a.test", "a.test", Ok(true)),
            ("joe@b.a.test", "a.test", Ok(false)),
            ("joe@b.a.test", ".a.test", Ok(true)),
            ("joe@a.test", ".a.test", Ok(false)),
            ("joe@ba.test", ".a.test", Ok(false)),
            ("joe", "a.test", Err(())),
            ("joe@a\0.a.test", ".a.test", Err(())),
        ] {
            assert_eq!(email_is_within(address, base), expected, "{address} {base}");
        }
    }

    #[test]
    fn hosts_are_within_by_whole_labels() {
        let dns = |name: &str| GeneralName::DnsName(Ia5String::new(name).unwrap());
        let uri =
            |name: &str| GeneralName::UniformResourceIdentifier(Ia5String::new(name).unwrap());
        for (name, base, expected) in [
            (dns("a.test"), dns("A.test"), Ok(Some(true))),
            (dns("b.a.test"), dns("a.test"), Ok(Some(true))),
            (dns("ba.test"), dns("a.test"), Ok(Some(false))),
            (dns("a.test"), dns(""), Ok(Some(true))),
            (dns("*.a.test"), dns("a.test"), Ok(Some(true))),
            (dns("b\0.a.test"), dns("a.test"), Err(())),
            (uri("https://b\0.a.test"), uri(".a.test"), Err(())),
            (uri("https://a.test/x"), uri("a.test"), Ok(Some(true))),
            (uri("https://b.a.test"), uri("a.test"), Ok(Some(false))),
            (uri("https://b.a.test:1?x"), uri(".a.test"), Ok(Some(true))),
            (uri("https://a.test@b.test"), uri("a.test"), Ok(Some(false))),
            (uri("https://10.0.0.1/"), uri("a.test"), Err(())),
            (uri("mailto:a.test"), uri("a.test"), Err(())),
            (dns("a.test"), uri("a.test"), Ok(None)),
        ] {
            assert_eq!(is_within(&name, &base), expected, "{name:?} {base:?}");
        }
    }
}
