//! What an OpenID provider says about itself (OpenID Connect Discovery 1.0 section 3).

use core::fmt;

use serde_json::{Map, Value};

use crate::base::display::sanitize_for_display;
use crate::error::Error;
use crate::http::{BaseUrl, Http, Url, media_type};
use crate::oauth;

/// Where the document is, below the issuer (section 4).
pub const PATH: &str = "/.well-known/openid-configuration";

/// The largest document that is read, in bytes; Keycloak's has 7 KiB.
pub const MAX_METADATA: usize = 64 * 1024;

/// The metadata of one provider. Each endpoint is `https`, or the whole document is refused.
#[derive(Clone)]
pub struct ProviderMetadata {
    issuer: String,
    jwks_uri: Url,
    token_endpoint: Url,
    endpoints: Vec<(String, Url)>,
    members: Map<String, Value>,
}

impl ProviderMetadata {
    /// Reads the document of `issuer`, and makes sure that it is that issuer's.
    pub fn fetch(http: &Http, issuer: &str) -> Result<Self, Error> {
        let base: BaseUrl = issuer
            .parse()
            .map_err(|error| option(&format!("is no issuer: {error}")))?;
        let url = base
            .join(PATH)
            .map_err(|error| option(&format!("is refused: {error}")))?;
        let response = oauth::get_public(http, &url, MAX_METADATA)?;
        let metadata = Self::from_bytes(issuer, &response.body).and_then(|metadata| {
            let source = "OpenID Connect Discovery section 4.2";
            media_type::expect_json(response.media_type.as_deref(), source)?;
            Ok(metadata)
        });
        metadata.map_err(|reason| Error::Response { url, reason })
    }

    /// Reads the document that was published below `issuer`. The error is a clause about it.
    pub fn from_bytes(issuer: &str, body: &[u8]) -> Result<Self, String> {
        let members: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| "the metadata are not a JSON object".to_owned())?;
        let stated = text(&members, "issuer")?.ok_or_else(|| missing("issuer"))?;
        if stated != issuer {
            return Err(format!(
                "the metadata are of the issuer {}, not of {} (OpenID Connect Discovery section 4.3)",
                sanitize_for_display(stated, None),
                sanitize_for_display(issuer, None)
            ));
        }
        let endpoint = |name| url(&members, name)?.ok_or_else(|| missing(name));
        Ok(Self {
            issuer: stated.to_owned(),
            jwks_uri: endpoint("jwks_uri")?,
            token_endpoint: endpoint("token_endpoint")?,
            endpoints: endpoints(&members)?,
            members,
        })
    }

    /// `issuer`: what the `iss` of its tokens is, exactly.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `jwks_uri`: where its keys are.
    pub const fn jwks_uri(&self) -> &Url {
        &self.jwks_uri
    }

    /// `token_endpoint`.
    pub const fn token_endpoint(&self) -> &Url {
        &self.token_endpoint
    }

    /// `introspection_endpoint` (RFC 8414 section 2), where there is one.
    pub fn introspection_endpoint(&self) -> Option<&Url> {
        self.endpoint("introspection_endpoint")
    }

    /// `userinfo_endpoint`, where there is one.
    pub fn userinfo_endpoint(&self) -> Option<&Url> {
        self.endpoint("userinfo_endpoint")
    }

    /// `backchannel_authentication_endpoint` (CIBA Core section 4), where there is one.
    pub fn backchannel_authentication_endpoint(&self) -> Option<&Url> {
        self.endpoint("backchannel_authentication_endpoint")
    }

    /// An endpoint by the name of its member, which ends in `_endpoint`; for those that a provider adds.
    pub fn endpoint(&self, name: &str) -> Option<&Url> {
        let mut endpoints = self.endpoints.iter();
        endpoints
            .find(|(found, _)| found == name)
            .map(|(_, url)| url)
    }

    /// The texts of a list such as `id_token_signing_alg_values_supported`; `None` where it is not given.
    /// What stands for an absent list depends on its name.
    pub fn values(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.members.get(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }

    /// Whether such a list is given and has that value in it.
    pub fn supports(&self, name: &str, value: &str) -> bool {
        self.values(name)
            .is_some_and(|values| values.contains(&value))
    }
}

/// All members that name an endpoint.
fn endpoints(members: &Map<String, Value>) -> Result<Vec<(String, Url)>, String> {
    members
        .keys()
        .filter(|name| name.ends_with("_endpoint"))
        .filter_map(|name| {
            let url = url(members, name).transpose()?;
            Some(url.map(|url| (name.clone(), url)))
        })
        .collect()
}

fn url(members: &Map<String, Value>, name: &str) -> Result<Option<Url>, String> {
    let parse = |text: &str| {
        text.parse().map_err(|error| {
            format!(
                "{} in the metadata is refused: {error}",
                sanitize_for_display(name, None)
            )
        })
    };
    text(members, name)?.map(parse).transpose()
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!(
            "{} in the metadata is not a string",
            sanitize_for_display(name, None)
        )),
    }
}

fn missing(name: &str) -> String {
    format!("{name} is missing in the metadata (OpenID Connect Discovery section 3)")
}

fn option(reason: &str) -> Error {
    Error::Option {
        option: "--base-url",
        reason: reason.to_owned(),
    }
}

impl fmt::Debug for ProviderMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderMetadata")
            .field("issuer", &self.issuer)
            .field("members", &self.members.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://idp.example/realms/M2M";

    fn read(more: &str) -> Result<ProviderMetadata, String> {
        let body = format!(
            r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/certs","token_endpoint":"{ISSUER}/token"{more}}}"#
        );
        ProviderMetadata::from_bytes(ISSUER, body.as_bytes())
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
            metadata.jwks_uri().as_str(),
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
        assert!(metadata.userinfo_endpoint().is_none());
        assert!(metadata.backchannel_authentication_endpoint().is_none());
        assert!(metadata.supports("id_token_signing_alg_values_supported", "RS256"));
        assert!(!metadata.supports("id_token_signing_alg_values_supported", "none"));
        assert!(!metadata.supports("absent", "RS256"));
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
            let error = read(more).unwrap_err();
            assert!(error.contains(words), "{more}: {error}");
        }
        for body in ["", "[]", "<html>"] {
            let error = ProviderMetadata::from_bytes(ISSUER, body.as_bytes()).unwrap_err();
            assert!(error.contains("not a JSON object"), "{error}");
        }
    }
}
