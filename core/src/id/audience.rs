//! Audiences that are made of a base URL and something behind it.

use heapless::String;

use super::Audience;
use crate::field::{Field, FieldError, check_len, check_text};
use crate::limits::MAX_AUDIENCE;

/// An audience built from parts, at most [`MAX_AUDIENCE`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudienceBuf(String<MAX_AUDIENCE>);

impl AudienceBuf {
    /// `base`, without a slash at its end, and `path`: itsme's endpoints.
    ///
    /// # Errors
    /// [`Field::BaseUrl`] or [`Field::Audience`]: empty, too long, or a character that is not
    /// allowed.
    pub fn join(base: &str, path: &str) -> Result<Self, FieldError> {
        const SOURCE: &str = "RFC 7519 section 4.1.3: aud is a StringOrURI";
        let base = base.strip_suffix('/').unwrap_or(base);
        check_len(Field::BaseUrl, base.len(), MAX_AUDIENCE, SOURCE)?;
        Self::concat(&[base, path], SOURCE)
    }

    /// The issuer of a Keycloak realm: `<base>/realms/<realm>`.
    ///
    /// # Errors
    /// [`Field::Realm`] or [`Field::BaseUrl`]: empty, too long, or a character that is not allowed.
    pub fn realm(base: &str, realm: &str) -> Result<Self, FieldError> {
        const SOURCE: &str = "eHealth section 5.3: aud is [IAMConnectRoot]/auth/realms/[realm id]";
        let unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        check_text(Field::Realm, realm, MAX_AUDIENCE, unreserved, SOURCE)?;
        let base = base.strip_suffix('/').unwrap_or(base);
        if base.ends_with("/auth/auth") {
            let expected =
                "a base URL with one /auth: the templates add it to one that has it already";
            return Err(Field::BaseUrl.is_not(expected, SOURCE));
        }
        Self::concat(&[base, "/realms/", realm], SOURCE)
    }

    /// The audience.
    pub fn as_audience(&self) -> Audience<'_> {
        Audience(&self.0)
    }

    fn concat(parts: &[&str], source: &'static str) -> Result<Self, FieldError> {
        let mut text = String::new();
        for part in parts {
            text.push_str(part).map_err(|_| {
                let len = parts
                    .iter()
                    .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
                Field::Audience.is_too_long(len, MAX_AUDIENCE, source)
            })?;
        }
        Audience::new(&text)?;
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn itsme_endpoints() {
        for base in [
            "https://idp.e2e.itsme.services/v2",
            "https://idp.e2e.itsme.services/v2/",
        ] {
            let audience = AudienceBuf::join(base, "/token").unwrap();
            assert_eq!(
                audience.as_audience().as_str(),
                "https://idp.e2e.itsme.services/v2/token"
            );
        }
    }

    #[test]
    fn ehealth_realms() {
        let audience = AudienceBuf::realm("https://api.ehealth.fgov.be/auth", "M2M").unwrap();
        assert_eq!(
            audience.as_audience().as_str(),
            "https://api.ehealth.fgov.be/auth/realms/M2M"
        );
        let doubled = AudienceBuf::realm("https://api.ehealth.fgov.be/auth/auth", "M2M");
        assert_eq!(doubled.unwrap_err().field, Field::BaseUrl);
        for bad in ["", "a b", "a/b", "[realm id]"] {
            let error = AudienceBuf::realm("https://api.ehealth.fgov.be/auth", bad).unwrap_err();
            assert_eq!(error.field, Field::Realm, "{bad:?}");
        }
    }

    #[test]
    fn at_capacity_works_and_one_more_names_the_field() {
        let base = "x".repeat(MAX_AUDIENCE - "/token".len());
        assert!(AudienceBuf::join(&base, "/token").is_ok());
        let error = AudienceBuf::join(&std::format!("{base}x"), "/token").unwrap_err();
        assert_eq!(error.field, Field::Audience);
    }
}
