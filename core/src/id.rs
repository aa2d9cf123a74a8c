//! The texts that go into claims, each validated once and then trusted.

use core::fmt;
use core::ops::Deref;

use heapless::String;

use crate::cert::Certificate;
use crate::encoding::hex_digits;
use crate::field::{Field, FieldError, check_text, is_graphic};
use crate::limits::{MAX_AUDIENCE, MAX_CLIENT_ID, MAX_JTI};

mod audience;
pub mod syntax;

pub use audience::AudienceBuf;
pub use syntax::IdSyntax;

use syntax::organization_country;

/// Who signs: `client_id`, and the `iss` and `sub` claims. iSHARE and FIAM call it party identifier.
///
/// 1 to [`MAX_CLIENT_ID`] characters of printable ASCII, the space among them; which syntax it must have on top of that is
/// a rule of the scheme ([`IdSyntax`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientId(String<MAX_CLIENT_ID>);

impl ClientId {
    /// A client id of any syntax (RFC 6749 appendix A.1: `*VSCHAR`, %x20-7E; empty and blank ids are refused
    /// here, because no receiver can register them).
    ///
    /// # Errors
    /// [`Field::ClientId`]: empty, longer than [`MAX_CLIENT_ID`], or a character that is not
    /// allowed.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        const SOURCE: &str = "RFC 6749 appendix A.1: client-id = *VSCHAR; and none is blank";
        let (field, max) = (Field::ClientId, MAX_CLIENT_ID);
        let is_blank = text.bytes().all(|byte| byte == b' ');
        check_text(
            field,
            text,
            max,
            |byte| byte == b' ' && !is_blank || is_graphic(byte),
            SOURCE,
        )?;
        let too_long = |_| field.is_too_long(text.len(), max, SOURCE);
        String::try_from(text).map(Self).map_err(too_long)
    }

    /// The party id of the organisation that an eSeal leaf names:
    /// `did:ishare:EU.<country>.<organizationIdentifier>` (iSHARE 2.1, party identifiers).
    pub fn did_ishare(leaf: &Certificate<'_>) -> Option<Self> {
        Self::did_ishare_of(leaf.subject().organization_identifier()?)
    }

    /// The same, of an organizationIdentifier.
    pub fn did_ishare_of(organization: &str) -> Option<Self> {
        let country = organization_country(organization)?;
        let mut text = String::new();
        for part in ["did:ishare:EU.", country, ".", organization] {
            text.push_str(part).ok()?;
        }
        IdSyntax::DidIshare.accepts(&text).then_some(Self(text))
    }

    /// The organizationIdentifier in a `did:ishare` id.
    pub(crate) fn did_ishare_organization(&self) -> Option<&str> {
        let tail = self.0.strip_prefix("did:ishare:EU.")?;
        let (_country, rest) = tail.split_at_checked(2)?;
        rest.strip_prefix('.')
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for ClientId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

checked_text! {
    /// The `aud` claim, one string (RFC 7519 section 4.1.3), 1 to [`MAX_AUDIENCE`] characters of
    /// printable ASCII: a party id or a URL.
    pub struct Audience: Audience, at most MAX_AUDIENCE, "RFC 7519 section 4.1.3: aud is a StringOrURI";
}

checked_text! {
    /// What makes one assertion unlike every other: the `jti` claim (RFC 7519 section 4.1.7), 1 to
    /// [`MAX_JTI`] characters of printable ASCII. It must never repeat; [`JtiBuf::from_entropy`] makes
    /// one from 16 random bytes.
    pub struct Jti: Jti, at most MAX_JTI, "RFC 7519 section 4.1.7; itsme: at most 255 characters";
}

/// A random `jti` in the form of a version 4 UUID (RFC 9562 section 5.4): 122 random bits. No scheme
/// demands a UUID, and every receiver accepts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JtiBuf([u8; 36]);

impl JtiBuf {
    /// Makes a `jti` from 16 bytes of a cryptographic random generator. The caller must never pass
    /// the same bytes twice.
    pub fn from_entropy(mut entropy: [u8; 16]) -> Self {
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut entropy;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
        let mut text = [b'-'; 36];
        let mut digits = hex_digits(&entropy);
        for (position, place) in text.iter_mut().enumerate() {
            if !matches!(position, 8 | 13 | 18 | 23) {
                *place = digits.next().unwrap_or(b'0');
            }
        }
        Self(text)
    }

    /// The `jti` itself.
    pub fn as_jti(&self) -> Jti<'_> {
        // Hexadecimal digits and hyphens are ASCII.
        Jti(core::str::from_utf8(&self.0).unwrap_or("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Fault;
    use std::string::ToString;

    #[test]
    fn at_capacity_works_and_one_more_names_the_field() {
        assert!(ClientId::new(&"x".repeat(MAX_CLIENT_ID)).is_ok());
        assert!(Audience::new(&"x".repeat(MAX_AUDIENCE)).is_ok());
        assert!(Jti::new(&"x".repeat(MAX_JTI)).is_ok());

        let error = ClientId::new(&"x".repeat(MAX_CLIENT_ID + 1)).unwrap_err();
        assert_eq!(error.field, Field::ClientId);
        assert_eq!(
            error.fault,
            Fault::TooLong {
                len: MAX_CLIENT_ID + 1,
                max: MAX_CLIENT_ID
            }
        );
        let error = Audience::new(&"x".repeat(MAX_AUDIENCE + 1)).unwrap_err();
        assert_eq!(error.field, Field::Audience);
        assert_eq!(
            Jti::new(&"x".repeat(MAX_JTI + 1)).unwrap_err().field,
            Field::Jti
        );
    }

    #[test]
    fn empty_blank_and_control_characters_are_refused() {
        for bad in ["", " ", "  ", "a\n", "\u{7f}", "\0", "caf\u{e9}"] {
            assert!(ClientId::new(bad).is_err(), "{bad:?}");
            assert!(Audience::new(bad).is_err(), "{bad:?}");
            assert!(Jti::new(bad).is_err(), "{bad:?}");
        }
        // RFC 6749 appendix A: VSCHAR = %x20-7E.
        assert!(ClientId::new("a b ~").is_ok());
        assert!(Audience::new("a b").is_err() && Jti::new("a b").is_err());
        let message = Jti::new("ab\ncd").unwrap_err().to_string();
        assert!(
            message.starts_with("jti has byte 0x0a at position 2"),
            "{message}"
        );
    }

    /// The bits that RFC 9562 section 5.4 fixes, and nothing else, differ from the entropy.
    #[test]
    fn a_random_jti_is_a_version_4_uuid() {
        let jti = JtiBuf::from_entropy([0xff; 16]);
        assert_eq!(
            jti.as_jti().as_str(),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
        let jti = JtiBuf::from_entropy([0; 16]);
        assert_eq!(
            jti.as_jti().as_str(),
            "00000000-0000-4000-8000-000000000000"
        );
        let jti = JtiBuf::from_entropy(core::array::from_fn(|i| u8::try_from(i).unwrap() * 0x11));
        assert_eq!(
            jti.as_jti().as_str(),
            "00112233-4455-4677-8899-aabbccddeeff"
        );
    }
}
