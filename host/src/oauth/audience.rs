//! The audience of an assertion where it is not one fixed text: itsme has one for each endpoint, eHealth
//! one for each realm.

use privyseal_core::SchemeRules;
use privyseal_core::id::{AudienceBuf, IdSyntax};

/// The endpoint name that stands for a signed authentication request instead of an assertion.
pub const REQUEST: &str = "request";

/// What a caller says about the audience.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudienceParts<'a> {
    /// The audience itself.
    pub audience: Option<&'a str>,
    /// The endpoint that is called, where each has its audience; [`REQUEST`] for a signed request.
    pub endpoint: Option<&'a str>,
    /// The server; the scheme's public one if there is none.
    pub base_url: Option<&'a str>,
    /// The realm, where the audience is one.
    pub realm: Option<&'a str>,
}

/// Why no audience can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AudienceError {
    /// An endpoint is named, and the scheme has one audience for all.
    #[error("{scheme} has one audience for all endpoints, so no endpoint can be chosen")]
    NeedlessEndpoint {
        /// The scheme's title.
        scheme: &'static str,
    },
    /// An endpoint must be named.
    #[error("{scheme} has an audience for each of {endpoints}, so one of them must be chosen")]
    MissingEndpoint {
        /// The scheme's title.
        scheme: &'static str,
        /// The names of its endpoints.
        endpoints: String,
    },
    /// The scheme has no such endpoint.
    #[error("the endpoint is none of {scheme}, which has {endpoints}")]
    UnknownEndpoint {
        /// The scheme's title.
        scheme: &'static str,
        /// The names of its endpoints.
        endpoints: String,
    },
    /// A realm is named, and the scheme has none.
    #[error("{scheme} has no realms, so none can be chosen")]
    NeedlessRealm {
        /// The scheme's title.
        scheme: &'static str,
    },
    /// A realm must be named.
    #[error("{scheme} needs a realm: its issuer is the audience ({rule})")]
    MissingRealm {
        /// The scheme's title.
        scheme: &'static str,
        /// Where that is written.
        rule: &'static str,
    },
    /// The server must be named.
    #[error("{scheme} has a server for each participant, so its base URL is needed")]
    MissingBaseUrl {
        /// The scheme's title.
        scheme: &'static str,
    },
    /// Base URL, realm or path make no audience.
    #[error("{0}")]
    Core(#[from] privyseal_core::Error),
}

impl AudienceParts<'_> {
    /// The audience that is meant; `None` for the scheme's own, if it has one.
    ///
    /// # Errors
    ///
    /// [`AudienceError`]: what is given leaves no audience, or more than one.
    pub fn choose(&self, scheme: &SchemeRules) -> Result<Option<String>, AudienceError> {
        let title = scheme.title();
        let has_endpoints = !scheme.audience().value().endpoints().is_empty();
        if self.endpoint.is_some() && !has_endpoints {
            return Err(AudienceError::NeedlessEndpoint { scheme: title });
        }
        if self.realm.is_some() && !has_realms(scheme) {
            return Err(AudienceError::NeedlessRealm { scheme: title });
        }
        if let Some(audience) = self.audience {
            return Ok(Some(audience.to_owned()));
        }
        let audience = match (self.endpoint, self.realm) {
            (Some(endpoint), _) => AudienceBuf::join(self.base(scheme)?, path(scheme, endpoint)?),
            (None, Some(realm)) => AudienceBuf::realm(self.base(scheme)?, realm),
            (None, None) if has_endpoints => {
                return Err(AudienceError::MissingEndpoint {
                    scheme: title,
                    endpoints: endpoint_names(scheme),
                });
            }
            (None, None) if has_realms(scheme) => {
                return Err(AudienceError::MissingRealm {
                    scheme: title,
                    rule: scheme.audience().source(),
                });
            }
            (None, None) => return Ok(None),
        };
        let audience = audience.map_err(privyseal_core::Error::from)?;
        Ok(Some(audience.as_audience().as_str().to_owned()))
    }

    fn base(&self, scheme: &SchemeRules) -> Result<&str, AudienceError> {
        let public = scheme.token_request().base_url().map(|rule| rule.value());
        self.base_url
            .or(public)
            .ok_or(AudienceError::MissingBaseUrl {
                scheme: scheme.title(),
            })
    }
}

/// What an endpoint's audience has behind the base URL.
fn path(scheme: &SchemeRules, endpoint: &str) -> Result<&'static str, AudienceError> {
    let request = scheme.request_object().filter(|_| endpoint == REQUEST);
    match (request, scheme.endpoint(endpoint)) {
        (Some(request), _) => Ok(request.audience_path().value()),
        (None, Some(endpoint)) => Ok(endpoint.audience_path()),
        (None, None) => Err(AudienceError::UnknownEndpoint {
            scheme: scheme.title(),
            endpoints: endpoint_names(scheme),
        }),
    }
}

/// Whether the audience of `scheme` is the issuer of a realm.
pub fn has_realms(scheme: &SchemeRules) -> bool {
    scheme
        .audience()
        .value()
        .syntax()
        .contains(&IdSyntax::RealmIssuer)
}

/// The endpoints that have an audience of their own, and [`REQUEST`] where requests are signed.
fn endpoint_names(scheme: &SchemeRules) -> String {
    let endpoints = scheme.audience().value().endpoints().iter();
    let endpoints = endpoints.map(privyseal_core::scheme::Endpoint::name);
    let names: Vec<_> = endpoints
        .chain(scheme.request_object().map(|_| REQUEST))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use privyseal_core::scheme::{EHEALTH, FIAM, ITSME};

    /// The rows of itsme's table.
    #[test]
    fn itsme_has_an_audience_for_each_endpoint() {
        for base_url in [None, Some("https://idp.e2e.itsme.services/v2")] {
            let base = base_url.unwrap_or("https://idp.prd.itsme.services/v2");
            for (endpoint, path) in [
                ("discovery", "/backchannel/authentication"),
                ("backchannel", "/token"),
                ("token", "/token"),
                ("request", ""),
            ] {
                let endpoint = Some(endpoint);
                let parts = AudienceParts {
                    endpoint,
                    base_url,
                    ..AudienceParts::default()
                };
                assert_eq!(parts.choose(&ITSME).unwrap(), Some(format!("{base}{path}")));
            }
        }
    }

    #[test]
    fn ehealth_has_an_audience_for_each_realm() {
        let realm = Some("M2M");
        let parts = AudienceParts {
            realm,
            ..AudienceParts::default()
        };
        let audience = parts.choose(&EHEALTH).unwrap();
        assert_eq!(
            audience.as_deref(),
            Some("https://api.ehealth.fgov.be/auth/realms/M2M")
        );
        let base_url = Some("https://api.ehealth.fgov.be/auth/auth");
        let error = AudienceParts { base_url, ..parts }
            .choose(&EHEALTH)
            .unwrap_err();
        assert!(error.to_string().contains("one /auth"), "{error}");
        assert!(matches!(error, AudienceError::Core(_)), "{error:?}");
    }

    #[test]
    fn what_is_missing_or_needless_is_wrong_usage() {
        let endpoint = AudienceParts {
            endpoint: Some("token"),
            ..AudienceParts::default()
        };
        let realm = AudienceParts {
            realm: Some("M2M"),
            ..AudienceParts::default()
        };
        for (parts, scheme, words) in [
            (
                AudienceParts::default(),
                &ITSME,
                "one of them must be chosen",
            ),
            (AudienceParts::default(), &EHEALTH, "needs a realm"),
            (endpoint, &FIAM, "KPN FIAM has one audience"),
            (endpoint, &EHEALTH, "so no endpoint can be chosen"),
            (realm, &ITSME, "has no realms"),
            (
                AudienceParts {
                    endpoint: Some("tokn"),
                    ..endpoint
                },
                &ITSME,
                "discovery, ",
            ),
        ] {
            let error = parts.choose(scheme).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(!matches!(error, AudienceError::Core(_)), "{error:?}");
        }
        assert_eq!(AudienceParts::default().choose(&FIAM).unwrap(), None);
    }
}
