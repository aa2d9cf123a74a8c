//! What an OpenID provider says about itself (OpenID Connect Discovery 1.0 section 3).

use std::collections::BTreeMap;

use privyseal_core::jws::Algorithm;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base::display::sanitize_for_display;
use crate::http::{BaseUrl, Http, Url, UrlError};
use crate::jose::jws::unique_members;
use crate::oauth;
use crate::oidc::OidcError;

/// Where the document is, below the issuer (section 4).
pub const PATH: &str = "/.well-known/openid-configuration";

/// The largest document that is read, in bytes; Keycloak's has 7 KiB.
pub const MAX_METADATA: usize = 64 * 1024;

/// The one algorithm that everything is signed with here.
pub(crate) const RS256: &[&str] = &[Algorithm::Rs256.name()];

/// The metadata of one provider. Each endpoint is `https`, or the whole document is refused.
#[derive(Clone)]
pub struct ProviderMetadata {
    issuer: String,
    /// None where its keys are in certificates.
    jwks_uri: Option<Url>,
    token_endpoint: Url,
    endpoints: BTreeMap<String, Url>,
    members: Map<String, Value>,
}

/// Why a document is not the metadata of a provider: a sentence that names the member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MetadataError(String);

impl ProviderMetadata {
    /// Reads the document of `issuer`, and makes sure that it is that issuer's.
    ///
    /// # Errors
    ///
    /// [`OidcError::Issuer`]; [`OidcError::OAuth`] if the document cannot be read or is another one.
    pub fn fetch(http: &Http, issuer: &str) -> Result<Self, OidcError> {
        let base: BaseUrl = issuer.parse().map_err(OidcError::Issuer)?;
        let url = base.join(PATH).map_err(OidcError::Issuer)?;
        let response = oauth::get_public(http, &url, MAX_METADATA)?;
        let read = |body: Zeroizing<Vec<u8>>| Self::from_bytes(issuer, &body);
        let source = "OpenID Connect Discovery section 4.2";
        Ok(oauth::parsed(&url, response, source, read)?)
    }

    /// Reads the document that was published below `issuer`.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] with the member that is missing, of another type, or refused.
    pub fn from_bytes(issuer: &str, body: &[u8]) -> Result<Self, MetadataError> {
        let members: Map<String, Value> =
            unique_members(body).map_err(|fault| MetadataError(format!("the document {fault}")))?;
        let missing = |name| {
            let source = "OpenID Connect Discovery section 3";
            MetadataError(format!("{name} is missing in the metadata ({source})"))
        };
        let stated = text(&members, "issuer")?.ok_or_else(|| missing("issuer"))?;
        if stated != issuer {
            let [stated, issuer] = [stated, issuer].map(|text| sanitize_for_display(text, None));
            return Err(MetadataError(format!(
                "the metadata are of the issuer {stated}, not of {issuer} (OpenID Connect Discovery section 4.3)"
            )));
        }
        let endpoint = |name| url(&members, name)?.ok_or_else(|| missing(name));
        let mut endpoints = BTreeMap::new();
        for name in members.keys().filter(|name| name.ends_with("_endpoint")) {
            endpoints.extend(url(&members, name)?.map(|url| (name.clone(), url)));
        }
        Ok(Self {
            issuer: stated.to_owned(),
            jwks_uri: Some(endpoint("jwks_uri")?),
            token_endpoint: endpoint("token_endpoint")?,
            endpoints,
            members,
        })
    }

    /// Of a provider that publishes no such document, and signs with certificates that it sends.
    pub(crate) fn without_document(
        issuer: &str,
        token_endpoint: Url,
        endpoints: BTreeMap<String, Url>,
    ) -> Self {
        Self {
            issuer: issuer.to_owned(),
            jwks_uri: None,
            token_endpoint,
            endpoints,
            members: Map::new(),
        }
    }

    /// `issuer`: what the `iss` of its tokens is, exactly.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `jwks_uri`: where its keys are; none where it signs with certificates that it sends.
    pub const fn jwks_uri(&self) -> Option<&Url> {
        self.jwks_uri.as_ref()
    }

    /// `token_endpoint`.
    pub const fn token_endpoint(&self) -> &Url {
        &self.token_endpoint
    }

    /// `introspection_endpoint` (RFC 8414 section 2), where there is one; also by the name that eHealth has for it
    /// (section 5.5).
    pub fn introspection_endpoint(&self) -> Option<&Url> {
        let registered = self.endpoint("introspection_endpoint");
        registered.or_else(|| self.endpoint("token_introspection_endpoint"))
    }

    /// An endpoint by the name of its member, which ends in `_endpoint`; for those that a provider adds.
    pub fn endpoint(&self, name: &str) -> Option<&Url> {
        self.endpoints.get(name)
    }
}

impl ProviderMetadata {
    /// The values of `scope` that are not in `scopes_supported`, where that is given. No error: a provider need not list all
    /// that it knows (OpenID Connect Discovery section 3, RFC 8414 section 2).
    pub fn unlisted_scopes<'s>(&self, scope: &'s str) -> impl Iterator<Item = &'s str> {
        scope.split(' ').filter(|value| {
            // itsme lists `service`, of which each service is one.
            let family = value.split(':').next().unwrap_or_default();
            !self.may_support("scopes_supported", &[value, family])
        })
    }

    /// Whether a member is there at all.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// An endpoint without which something cannot be done.
    pub(crate) fn offered(&self, name: &'static str) -> Result<&Url, OidcError> {
        self.endpoint(name).ok_or(OidcError::NotOffered(name))
    }

    /// Whether a list has one of these values, or is not given, which says nothing.
    pub(crate) fn may_support(&self, name: &str, values: &[&str]) -> bool {
        let list = self.members.get(name).and_then(Value::as_array);
        let is_there = |value| list.is_some_and(|list| list.iter().any(|item| item == value));
        !self.says(name) || values.iter().any(is_there)
    }

    /// Whether a member is there and true.
    pub(crate) fn says_yes(&self, name: &str) -> bool {
        self.members.get(name) == Some(&Value::Bool(true))
    }

    /// Whether a member is there and something else than true.
    pub(crate) fn says_no(&self, name: &str) -> bool {
        self.says(name) && !self.says_yes(name)
    }

    /// Compares with what every client here does, and with `more`: of each list that is given, one value must be there.
    pub(crate) fn fits(&self, more: &[(&'static str, &[&str])]) -> Result<(), OidcError> {
        let usual: [(_, &[&str]); 4] = [
            // A provider need not list its other scopes (OpenID Connect Discovery section 3).
            ("scopes_supported", &["openid"]),
            ("id_token_signing_alg_values_supported", RS256),
            (
                "token_endpoint_auth_methods_supported",
                &["private_key_jwt"],
            ),
            ("token_endpoint_auth_signing_alg_values_supported", RS256),
        ];
        let mut lists = usual.iter().chain(more);
        let unfit = lists.find(|(name, values)| !self.may_support(name, values));
        unfit.map_or(Ok(()), |(name, _)| Err(OidcError::Unfit(name)))
    }
}

fn url(members: &Map<String, Value>, name: &str) -> Result<Option<Url>, MetadataError> {
    let parse = |text: &str| {
        let url = text.parse();
        url.map_err(|error: UrlError| refused(name, &format!("is refused: {error}")))
    };
    text(members, name)?.map(parse).transpose()
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, MetadataError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refused(name, "is not a string")),
    }
}

fn refused(name: &str, what: &str) -> MetadataError {
    let name = sanitize_for_display(name, None);
    MetadataError(format!("{name} in the metadata {what}"))
}

privyseal_core::opaque_debug! { [] ProviderMetadata as it: issuer, members = it.members.len(); }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_are_not_listed() {
        let said = |more: &str| {
            let text = format!(
                r#"{{"issuer":"https://a.b","jwks_uri":"https://a.b/k","token_endpoint":"https://a.b/t"{more}}}"#
            );
            ProviderMetadata::from_bytes("https://a.b", text.as_bytes()).unwrap()
        };
        let unlisted = |said: &ProviderMetadata| -> Vec<String> {
            let values = said.unlisted_scopes("openid service:A profil x:y");
            values.map(str::to_owned).collect()
        };
        assert!(unlisted(&said("")).is_empty(), "nothing is listed");
        let listed = said(r#","scopes_supported":["openid","service","profile"]"#);
        assert_eq!(unlisted(&listed), ["profil", "x:y"]);
    }

    const ISSUER: &str = "https://idp.example/realms/M2M";

    /// With more members, or others in their place.
    fn read(more: &str) -> Result<ProviderMetadata, MetadataError> {
        let body = format!(
            r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/certs","token_endpoint":"{ISSUER}/token"{more}}}"#
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        ProviderMetadata::from_bytes(ISSUER, body.to_string().as_bytes())
    }

    #[test]
    fn endpoints_and_lists() {
        let metadata = read(
            r#","introspection_endpoint":"https://idp.example/i","x_endpoint":"https://x.example/",
            "userinfo_endpoint":null,"id_token_signing_alg_values_supported":["RS256","ES256",1]"#,
        )
        .unwrap();
        assert_eq!(metadata.issuer(), ISSUER);
        assert_eq!(
            metadata.jwks_uri().unwrap().as_str(),
            "https://idp.example/realms/M2M/certs"
        );
        assert_eq!(
            metadata.introspection_endpoint().unwrap().as_str(),
            "https://idp.example/i"
        );
        assert_eq!(
            metadata.endpoint("x_endpoint").unwrap().as_str(),
            "https://x.example/"
        );
        assert!(metadata.endpoint("userinfo_endpoint").is_none());
        assert!(
            metadata
                .endpoint("backchannel_authentication_endpoint")
                .is_none()
        );
        assert!(metadata.may_support("id_token_signing_alg_values_supported", &["RS256"]));
        assert!(!metadata.may_support("id_token_signing_alg_values_supported", &["none"]));
        assert!(
            metadata.may_support("absent", &["RS256"]),
            "that says nothing"
        );
    }

    #[test]
    fn what_is_refused() {
        for (more, words) in [
            (
                r#","token_endpoint":"http://idp.example/token""#,
                "token_endpoint in the metadata is refused: the URL is not https",
            ),
            (
                r#","userinfo_endpoint":"http://idp.example/u""#,
                "userinfo_endpoint in the metadata is refused: the URL is not https",
            ),
            (
                r#","userinfo_endpoint":["https://idp.example/u"]"#,
                "is not a string",
            ),
            (
                r#","jwks_uri":"/certs""#,
                "jwks_uri in the metadata is refused: the text is not a URL",
            ),
            (r#","jwks_uri":null"#, "jwks_uri is missing"),
            (
                r#","issuer":"https://evil.example""#,
                "of the issuer https://evil.example, not of",
            ),
            (r#","issuer":"https://idp.example/realms/M2M/""#, "not of"),
            (r#","issuer":null"#, "issuer is missing"),
        ] {
            let error = read(more).unwrap_err().to_string();
            assert!(error.contains(words), "{more}: {error}");
        }
        let twice = format!(r#"{{"issuer":"https://a.b","issuer":"{ISSUER}"}}"#);
        for (body, words) in [
            ("", "the document is not JSON"),
            ("[]", "the document is not a JSON object"),
            ("<html>", "the document is not JSON"),
            (&twice, "the document has a member twice"),
        ] {
            let error = ProviderMetadata::from_bytes(ISSUER, body.as_bytes());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
