//! The subject of a certification request: a distinguished name of typed, bounded attributes.

use heapless::Vec;

use crate::encoding::sink::Sink;
use crate::encoding::tlv::{Der, Each, Element, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING};
use crate::field::{Fault, Field, FieldError, check_len};
use crate::limits::{MAX_SUBJECT_ATTRIBUTES, MAX_SUBJECT_VALUE};

/// A distinguished name of 1 to [`MAX_SUBJECT_ATTRIBUTES`] attributes, in the order in which they are
/// written: country first, as CAs have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'a>(Vec<SubjectAttribute<'a>, MAX_SUBJECT_ATTRIBUTES>);

/// One attribute of a subject, with a value of 1 to [`MAX_SUBJECT_VALUE`] characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectAttribute<'a> {
    kind: SubjectAttributeType,
    value: &'a str,
}

named! {
    /// The attributes that the subject of an eSeal has (ETSI EN 319 412-3 section 4.2.1), and OU.
    #[non_exhaustive]
    pub enum SubjectAttributeType {
        /// `C`: two letters (ISO 3166-1).
        Country = "C",
        /// `O`.
        Organization = "O",
        /// `OU`; the only one that may stand more than once.
        OrganizationalUnit = "OU",
        /// `organizationIdentifier`, 2.5.4.97: `NTRNL-10000001` (ETSI EN 319 412-1 section 5.1.4).
        OrganizationIdentifier = "organizationIdentifier",
        /// `serialNumber`: where iSHARE 1.x certificates carry the EORI.
        SerialNumber = "serialNumber",
        /// `CN`.
        CommonName = "CN",
    }
}

impl SubjectAttributeType {
    /// The type of that short name or dotted identifier, in whatever case (RFC 4514 section 2.3).
    pub fn by_name_or_oid(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            kind.name().eq_ignore_ascii_case(name)
                || name
                    .strip_prefix("2.5.4.")
                    .is_some_and(|arc| arc.parse() == Ok(kind.arc()))
        })
    }

    /// The type of that [`SubjectAttributeType::arc`].
    pub fn by_arc(arc: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.arc() == arc)
    }

    /// The last arc of its identifier, below id-at (2.5.4).
    pub const fn arc(self) -> u8 {
        match self {
            Self::CommonName => 3,
            Self::SerialNumber => 5,
            Self::Country => 6,
            Self::Organization => 10,
            Self::OrganizationalUnit => 11,
            Self::OrganizationIdentifier => 97,
        }
    }

    /// X.520 gives country and serial number a PrintableString; the others are UTF-8 (RFC 5280 section
    /// 4.1.2.4).
    const fn string_tag(self) -> u8 {
        match self {
            Self::Country | Self::SerialNumber => PRINTABLE_STRING,
            _ => UTF8_STRING,
        }
    }
}

impl<'a> SubjectAttribute<'a> {
    /// An attribute of that type and value.
    ///
    /// # Errors
    /// [`Field::Subject`]: empty, too long, or characters that the type does not allow.
    pub fn new(kind: SubjectAttributeType, value: &'a str) -> Result<Self, FieldError> {
        const SOURCE: &str =
            "RFC 5280 appendix A.1: ub-common-name and its siblings, 64 characters";
        check_len(
            Field::Subject,
            value.chars().count(),
            MAX_SUBJECT_VALUE,
            SOURCE,
        )?;
        let bad = if kind.string_tag() == PRINTABLE_STRING {
            value.char_indices().find(|&(_, c)| !is_printable_string(c))
        } else {
            value.char_indices().find(|&(_, c)| c.is_control())
        };
        if let Some((position, _)) = bad {
            let byte = value.as_bytes().get(position).copied().unwrap_or(0);
            let fault = Fault::Character { position, byte };
            let source = "X.520: C and serialNumber are PrintableString; no control characters";
            return Err(FieldError::new(Field::Subject, fault, source));
        }
        let is_country = || value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase());
        if kind == SubjectAttributeType::Country && !is_country() {
            let expected = "a country of two capital letters";
            return Err(Field::Subject.is_not(expected, "X.520: C is ISO 3166-1 alpha-2"));
        }
        Ok(Self { kind, value })
    }

    /// Its type.
    pub const fn kind(&self) -> SubjectAttributeType {
        self.kind
    }

    /// Its value.
    pub const fn value(&self) -> &'a str {
        self.value
    }
}

impl<'a> Subject<'a> {
    /// A name of these attributes. Only OU may stand more than once.
    ///
    /// # Errors
    /// [`Field::Subject`]: no attribute, too many, or one twice that may stand once.
    pub fn new(attributes: &[SubjectAttribute<'a>]) -> Result<Self, FieldError> {
        const SOURCE: &str = "ETSI EN 319 412-3 section 4.2.1; RFC 2986 section 4.1";
        check_len(
            Field::Subject,
            attributes.len(),
            MAX_SUBJECT_ATTRIBUTES,
            SOURCE,
        )?;
        let mut kept = Vec::new();
        for attribute in attributes {
            let repeats = |other: &SubjectAttribute<'_>| {
                other.kind == attribute.kind
                    && other.kind != SubjectAttributeType::OrganizationalUnit
            };
            if kept.iter().any(repeats) {
                let expected = "a name that has each attribute once (OU excepted)";
                return Err(Field::Subject.is_not(expected, SOURCE));
            }
            // There are at most as many as it holds.
            let _ = kept.push(*attribute);
        }
        Ok(Self(kept))
    }

    /// Its attributes, in order.
    pub fn attributes(&self) -> &[SubjectAttribute<'a>] {
        &self.0
    }
}

impl Der for &Subject<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        Element(SEQUENCE, Each(&self.0)).write(sink)
    }
}

/// A RelativeDistinguishedName of one attribute (RFC 5280 section 4.1.2.4).
impl Der for SubjectAttribute<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let kind: &[u8] = &[0x06, 3, 0x55, 4, self.kind.arc()];
        let value = Element(self.kind.string_tag(), self.value.as_bytes());
        Element(SET, Element(SEQUENCE, (kind, value))).write(sink)
    }
}

/// The characters of a PrintableString (X.680 section 41.4).
const fn is_printable_string(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            ' ' | '\'' | '(' | ')' | '+' | ',' | '-' | '.' | '/' | ':' | '=' | '?'
        )
}
