//! The syntaxes a scheme may demand of a party identifier.

use crate::field::{Field, FieldError};

/// One syntax of a client id. A scheme lists those it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdSyntax {
    /// `EU.EORI.` and an EORI number: a country code and 1 to 15 capital letters or digits
    /// (Commission Delegated Regulation (EU) 2015/2446, annex 12-01, group 2); or `EU.EORI.KVK` and the eight
    /// digits of a number of the Dutch trade register, the form that FIAM's page prints.
    Eori,
    /// `did:ishare:EU.<country>.<organizationIdentifier>`, the last part as in ETSI EN 319 412-1
    /// section 5.1.4: three capital letters, a country code, a hyphen and the national identifier.
    DidIshare,
    /// An `https` URL without query and fragment; `http` for a loopback host only, where a developer's
    /// server listens.
    HttpsUrl,
    /// Such a URL that ends in `/realms/<realm>` and has no doubled `/auth` (Keycloak's issuer).
    RealmIssuer,
    /// Whatever the authorization server registered.
    Opaque,
}

impl IdSyntax {
    /// The form in words, for messages.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Eori => "EU.EORI.<country code><1 to 15 capital letters or digits>",
            Self::DidIshare => "did:ishare:EU.<country code>.<organizationIdentifier>",
            Self::HttpsUrl => "an https URL without query and fragment",
            Self::RealmIssuer => {
                "an https URL that ends in /realms/<realm>, with one /auth at most"
            }
            Self::Opaque => "printable ASCII",
        }
    }

    /// Whether `text` has this syntax.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Eori => text.strip_prefix("EU.EORI.").is_some_and(is_eori),
            Self::DidIshare => text.strip_prefix("did:ishare:EU.").is_some_and(is_did_tail),
            Self::HttpsUrl => is_url(text),
            Self::RealmIssuer => is_url(text) && is_realm(text),
            Self::Opaque => true,
        }
    }

    /// Whether `text` has one of `syntaxes`; the error names the first of them.
    ///
    /// # Errors
    /// [`Fault::Form`](crate::field::Fault::Form) of the first syntax.
    pub fn check(
        syntaxes: &[Self],
        field: Field,
        text: &str,
        source: &'static str,
    ) -> Result<(), FieldError> {
        if syntaxes.iter().any(|syntax| syntax.accepts(text)) {
            return Ok(());
        }
        let expected = syntaxes
            .first()
            .map_or("acceptable", |syntax| syntax.expected());
        Err(field.is_not(expected, source))
    }
}

/// `<country><1 to 15 capital letters or digits>`.
fn is_eori(text: &str) -> bool {
    let trade_register = text.strip_prefix("KVK");
    if trade_register
        .is_some_and(|number| number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return true;
    }
    text.split_at_checked(2).is_some_and(|(country, number)| {
        is_country(country)
            && matches!(number.len(), 1..=15)
            && number
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// `<country>.<organizationIdentifier>`.
fn is_did_tail(text: &str) -> bool {
    text.split_at_checked(2).is_some_and(|(country, rest)| {
        let organization = rest.strip_prefix('.').and_then(organization_country);
        is_country(country) && organization.is_some()
    })
}

// Both look at bytes: core's searches in a `str` can panic as far as the compiler knows, and nothing here may.
fn is_url(text: &str) -> bool {
    let (rest, loopback_only) = match (text.strip_prefix("https://"), text.strip_prefix("http://"))
    {
        (Some(rest), _) => (rest.as_bytes(), false),
        (None, Some(rest)) => (rest.as_bytes(), true),
        (None, None) => return false,
    };
    let authority = rest.split(|byte| *byte == b'/').next().unwrap_or(&[]);
    let port = authority.iter().rposition(|byte| *byte == b':');
    let host = port
        .and_then(|port| authority.get(..port))
        .unwrap_or(authority);
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'\\');
    !host.is_empty()
        && !host.contains(&b'@')
        && text.bytes().all(allowed)
        && (!loopback_only || matches!(host, b"localhost" | b"127.0.0.1" | b"[::1]"))
}

fn is_realm(text: &str) -> bool {
    let text = text.as_bytes();
    let mut parts = text.rsplitn(2, |byte| *byte == b'/');
    let (realm, before) = (parts.next(), parts.next());
    realm.is_some_and(|realm| !realm.is_empty())
        && before.is_some_and(|before| before.ends_with(b"/realms"))
        && !text.windows(11).any(|window| window == b"/auth/auth/")
}

/// The country code inside an organizationIdentifier such as `NTRNL-10000001`, if the text has the
/// form of ETSI EN 319 412-1 section 5.1.4. `XG` stands for the global LEI scheme.
pub(crate) fn organization_country(text: &str) -> Option<&str> {
    let (kind, rest) = text.split_at_checked(3)?;
    let (country, reference) = rest.split_at_checked(2)?;
    let reference = reference.strip_prefix('-')?;
    let well_formed = kind.bytes().all(|byte| byte.is_ascii_uppercase())
        && (is_country(country) || country == "XG")
        && !reference.is_empty()
        && reference.bytes().all(|byte| byte.is_ascii_graphic());
    well_formed.then_some(country)
}

/// Whether an EORI number or an iSHARE id may start with this: the EU member states, Northern
/// Ireland, the United Kingdom, the EFTA states, and the candidates that use the EU's registers.
fn is_country(text: &str) -> bool {
    const COUNTRIES: &[[u8; 2]] = &[
        *b"AL", *b"AT", *b"BA", *b"BE", *b"BG", *b"CH", *b"CY", *b"CZ", *b"DE", *b"DK", *b"EE",
        *b"ES", *b"FI", *b"FR", *b"GB", *b"GE", *b"GR", *b"HR", *b"HU", *b"IE", *b"IS", *b"IT",
        *b"LI", *b"LT", *b"LU", *b"LV", *b"MD", *b"ME", *b"MK", *b"MT", *b"NL", *b"NO", *b"PL",
        *b"PT", *b"RO", *b"RS", *b"SE", *b"SI", *b"SK", *b"TR", *b"UA", *b"XI",
    ];
    <[u8; 2]>::try_from(text.as_bytes()).is_ok_and(|country| COUNTRIES.contains(&country))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Fault;

    #[test]
    fn eori() {
        for good in [
            "EU.EORI.NLKPNFIAMPROD",
            "EU.EORI.NL123456789",
            "EU.EORI.BE0000000000001",
            "EU.EORI.KVK12345678",
        ] {
            assert!(IdSyntax::Eori.accepts(good), "{good}");
        }
        // The second is a placeholder, and KV is no country.
        for bad in [
            "",
            "EU.EORI.KVKxxxxxx",
            "EU.EORI.KVK123456",
            "EU.EORI.NL",
            "EU.EORI.NL1234567890123456",
            "EU.EORI.nl123",
            "EU.EORI.NL12 3",
            "EU.EORI NL123",
            "NL123456789",
        ] {
            assert!(!IdSyntax::Eori.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn did_ishare() {
        assert!(IdSyntax::DidIshare.accepts("did:ishare:EU.NL.NTRNL-10000001"));
        // The second is the iSHARE seed's own typing mistake.
        for bad in [
            "did:ishare:EU.NL.NTRNL",
            "did:ishare:EU.NL.NTRLNL-10000001",
            "did:ishare:EU.NL.NTRNL-",
            "did:ishare:NL.NTRNL-10000001",
            "did:ishare:EU.XX.NTRNL-10000001",
            "EU.NL.NTRNL-10000001",
        ] {
            assert!(!IdSyntax::DidIshare.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn organization_identifiers() {
        assert_eq!(organization_country("NTRNL-10000001"), Some("NL"));
        assert_eq!(organization_country("LEIXG-5299001"), Some("XG"));
        for bad in [
            "LEIXX-1",
            "leiXG-1",
            "NTrNL-1",
            "NTRNL-",
            "NTRNL-a b",
            "NTRNL1",
            "NTRN",
        ] {
            assert_eq!(organization_country(bad), None, "{bad}");
        }
    }

    #[test]
    fn urls() {
        for good in [
            "https://idp.prd.itsme.services/v2/token",
            "https://api.ehealth.fgov.be/auth",
            "http://127.0.0.1:8080/realms/x",
            "http://localhost",
            "http://[::1]:1/",
        ] {
            assert!(IdSyntax::HttpsUrl.accepts(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///token",
            "http://idp.prd.itsme.services/v2/token",
            "http://localhost.example",
            "https://user@host/",
            "https://host/?a=b",
            "https://host/#a",
            "ftp://host/",
            "EU.EORI.NL1",
        ] {
            assert!(!IdSyntax::HttpsUrl.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn realm_issuers() {
        assert!(IdSyntax::RealmIssuer.accepts("https://api.ehealth.fgov.be/auth/realms/M2M"));
        // The first is what the eHealth seed's base URL and template make together.
        for bad in [
            "https://api.ehealth.fgov.be/auth/auth/realms/M2M",
            "https://api.ehealth.fgov.be/auth/realms/",
            "https://api.ehealth.fgov.be/auth/realms/M2M/protocol",
            "https://api.ehealth.fgov.be/auth",
        ] {
            assert!(!IdSyntax::RealmIssuer.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn the_error_names_the_form() {
        let error =
            IdSyntax::check(&[IdSyntax::Eori], Field::ClientId, "NL1", "a source").unwrap_err();
        assert_eq!(
            error.fault,
            Fault::Form {
                expected: IdSyntax::Eori.expected()
            }
        );
        assert_eq!(error.source, "a source");
    }
}
