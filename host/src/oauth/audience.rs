//! The audience of an assertion where it is not one fixed text: itsme has one for each endpoint, eHealth
//! one for each realm.

use privyseal_core::Scheme;
use privyseal_core::id::{AudienceBuf, IdSyntax};

use crate::error::Error;

/// The endpoint name that stands for a signed authentication request instead of an assertion.
pub const REQUEST: &str = "request";

/// What a caller says about the audience.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

impl AudienceParts<'_> {
    /// The audience that is meant; `None` for the scheme's own, if it has one.
    pub fn choose(&self, scheme: &Scheme) -> Result<Option<String>, Error> {
        let has_endpoints = !scheme.audience.value.endpoints.is_empty();
        let has_realms = has_realms(scheme);
        if self.endpoint.is_some() && !has_endpoints {
            return Err(needless(
                "--endpoint",
                scheme,
                "has one audience for all endpoints",
            ));
        }
        if self.realm.is_some() && !has_realms {
            return Err(needless("--realm", scheme, "has no realms"));
        }
        match (self.audience, self.endpoint, self.realm) {
            (Some(audience), _, _) => Ok(Some(audience.to_owned())),
            (None, Some(endpoint), _) => self.of_endpoint(scheme, endpoint).map(Some),
            (None, None, Some(realm)) => self.of_realm(scheme, realm).map(Some),
            (None, None, None) if has_endpoints => {
                let names = endpoint_names(scheme).join(", ");
                let reason = format!("{} has an audience for each of {names}", scheme.title);
                Err(Error::Missing {
                    option: "--endpoint",
                    reason,
                })
            }
            (None, None, None) if has_realms => {
                let reason = format!("its issuer is the audience ({})", scheme.audience.source);
                Err(Error::Missing {
                    option: "--realm",
                    reason,
                })
            }
            (None, None, None) => Ok(None),
        }
    }

    fn of_endpoint(&self, scheme: &Scheme, name: &str) -> Result<String, Error> {
        let request = scheme.request_object.filter(|_| name == REQUEST);
        let path = match (request, scheme.endpoint(name)) {
            (Some(request), _) => request.audience_path.value,
            (None, Some(endpoint)) => endpoint.audience_path,
            (None, None) => {
                let known = endpoint_names(scheme).join(", ");
                let reason = format!("is none of {}: {known}", scheme.title);
                return Err(Error::Option {
                    option: "--endpoint",
                    reason,
                });
            }
        };
        let audience = AudienceBuf::join(self.base(scheme)?, path)?;
        Ok(audience.as_audience().as_str().to_owned())
    }

    fn of_realm(&self, scheme: &Scheme, realm: &str) -> Result<String, Error> {
        let audience = AudienceBuf::realm(self.base(scheme)?, realm)?;
        Ok(audience.as_audience().as_str().to_owned())
    }

    fn base(&self, scheme: &Scheme) -> Result<&str, Error> {
        let public = scheme.token_request.base_url.map(|rule| rule.value);
        self.base_url.or(public).ok_or_else(|| Error::Missing {
            option: "--base-url",
            reason: format!("{} has a server for each participant", scheme.title),
        })
    }
}

/// Whether the audience of `scheme` is the issuer of a realm.
pub fn has_realms(scheme: &Scheme) -> bool {
    scheme
        .audience
        .value
        .syntax
        .contains(&IdSyntax::RealmIssuer)
}

/// The endpoints that have an audience of their own, and [`REQUEST`] where requests are signed.
fn endpoint_names(scheme: &Scheme) -> Vec<&'static str> {
    let endpoints = scheme
        .audience
        .value
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name);
    endpoints
        .chain(scheme.request_object.map(|_| REQUEST))
        .collect()
}

fn needless(option: &'static str, scheme: &Scheme, why: &str) -> Error {
    Error::Option {
        option,
        reason: format!("is not for {}, which {why}", scheme.title),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
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
        assert_eq!(error.exit(), Exit::Refused);
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
            (AudienceParts::default(), &ITSME, "--endpoint is needed"),
            (AudienceParts::default(), &EHEALTH, "--realm is needed"),
            (endpoint, &FIAM, "--endpoint is not for KPN FIAM"),
            (endpoint, &EHEALTH, "--endpoint is not for"),
            (realm, &ITSME, "--realm is not for"),
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
            assert_eq!(error.exit(), Exit::Usage, "{error}");
        }
        assert_eq!(AudienceParts::default().choose(&FIAM).unwrap(), None);
    }
}
