//! A token request as it comes in (RFC 6749 section 4.4.2, RFC 7523 section 2.2).

use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::scheme::SchemeRules;
use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use zeroize::Zeroizing;

use crate::{Rejection, Rule};

/// The members that a receiver reads. `Debug` does not show the assertion.
#[derive(Clone, Default)]
pub struct TokenForm {
    grant_type: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    assertion_type: Option<String>,
    assertion: Option<Zeroizing<String>>,
    /// Whether the client also shows a password.
    has_secret: bool,
}

impl TokenForm {
    /// The largest form that is read, in bytes: an assertion at its longest, with every byte of it escaped.
    pub const MAX_BYTES: usize = 3 * MAX_COMPACT_JWS + 4096;

    /// Reads the body of a request, `application/x-www-form-urlencoded`. Members that are not known are left out.
    ///
    /// # Errors
    ///
    /// [`Rule::Request`] if the body is too long, or has a member twice (RFC 6749 section 3.2).
    pub fn parse(body: &[u8]) -> Result<Self, Rejection> {
        if body.len() > Self::MAX_BYTES {
            let (len, max) = (body.len(), Self::MAX_BYTES);
            let text = format_args!("the body has {len} bytes, more than {max}");
            return Err(Rejection::new(Rule::Request, text));
        }
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let first = match &*name {
                "grant_type" => form.grant_type.replace(value.into_owned()).is_none(),
                "scope" => form.scope.replace(value.into_owned()).is_none(),
                "client_id" => form.client_id.replace(value.into_owned()).is_none(),
                "client_assertion_type" => {
                    form.assertion_type.replace(value.into_owned()).is_none()
                }
                "client_assertion" => {
                    let assertion = Zeroizing::new(value.into_owned());
                    form.assertion.replace(assertion).is_none()
                }
                "client_secret" => {
                    form.has_secret |= !value.is_empty();
                    true
                }
                _ => true,
            };
            if !first {
                let text = format_args!("{name} is there twice");
                return Err(Rejection::new(Rule::Request, text));
            }
        }
        Ok(form.without_empty())
    }

    /// RFC 6749 section 3.2: "Parameters sent without a value MUST be treated as if they were omitted from the request."
    fn without_empty(mut self) -> Self {
        for value in [
            &mut self.grant_type,
            &mut self.scope,
            &mut self.client_id,
            &mut self.assertion_type,
        ] {
            value.take_if(|value| value.is_empty());
        }
        self.assertion.take_if(|assertion| assertion.is_empty());
        self
    }

    /// A request with that assertion, and no `client_id`.
    pub fn of_assertion(assertion: impl Into<String>) -> Self {
        Self {
            assertion_type: Some(CLIENT_ASSERTION_TYPE.to_owned()),
            assertion: Some(Zeroizing::new(assertion.into())),
            ..Self::default()
        }
    }

    /// The same of that client.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Whether it asks for an access token as the scheme has it: its `grant_type`, and its `scope`, or none where the scheme has
    /// none.
    ///
    /// # Errors
    ///
    /// [`Rule::Request`] if one is missing, [`Rule::GrantType`] and [`Rule::Scope`] if one is another.
    pub fn check_token_request(&self, scheme: &SchemeRules) -> Result<(), Rejection> {
        let rules = scheme.token_request();
        let is = |name: &str, found: Option<&str>, wanted: &str, rule| match found {
            None => Err(Rejection::new(
                Rule::Request,
                format_args!("{name} is missing"),
            )),
            Some(found) if found == wanted => Ok(()),
            Some(_) => Err(Rejection::new(rule, format_args!("is not {wanted}"))),
        };
        let grant = self.grant_type.as_deref();
        is(
            "grant_type",
            grant,
            rules.grant_type().value(),
            Rule::GrantType,
        )?;
        match rules.scope() {
            Some(scope) => is("scope", self.scope.as_deref(), scope.value(), Rule::Scope),
            None if self.scope.is_some() => Err(Rejection::new(
                Rule::Scope,
                "is there, and the scheme has none",
            )),
            None => Ok(()),
        }
    }

    /// The assertion and who the request says has sent it, where it says so or `scheme` demands it.
    pub(crate) fn authentication(
        &self,
        scheme: &SchemeRules,
    ) -> Result<(&str, Option<&str>), Rejection> {
        let missing = |name| Rejection::new(Rule::Request, format_args!("{name} is missing"));
        let kind = self.assertion_type.as_deref();
        let kind = kind.ok_or_else(|| missing("client_assertion_type"))?;
        if kind != CLIENT_ASSERTION_TYPE {
            let text = format_args!("client_assertion_type is not {CLIENT_ASSERTION_TYPE}");
            return Err(Rejection::new(Rule::Request, text));
        }
        if self.has_secret {
            return Err(Rejection::second_method("client_secret"));
        }
        let assertion = self.assertion.as_deref();
        let assertion = assertion.ok_or_else(|| missing("client_assertion"))?;
        let client_id = self.client_id.as_deref();
        // RFC 7521 section 4.2 leaves it to the client; iSHARE has it say who asks.
        if client_id.is_none() && scheme.registry().is_some() {
            return Err(missing("client_id"));
        }
        Ok((assertion, client_id))
    }
}

privyseal_core::opaque_debug! { [] TokenForm: grant_type, scope, client_id; }
