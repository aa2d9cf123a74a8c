//! A token request as it comes in (RFC 6749 section 4.4.2, RFC 7523 section 2.2).

use std::collections::BTreeSet;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::scheme::{Scheme, SchemeRules};
use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use zeroize::Zeroizing;

use crate::{Rejection, Rule};

/// What is read of each request, and so is there once.
const READ: [&str; 5] = [
    "grant_type",
    "scope",
    "client_id",
    "client_assertion_type",
    "client_assertion",
];

/// The members of a request. `Debug` does not show the assertion.
#[derive(Clone, Default)]
pub struct TokenForm(Vec<(String, Zeroizing<String>)>);

impl TokenForm {
    /// The largest form that is read, in bytes: an assertion at its longest, with every byte of it escaped.
    pub const MAX_BYTES: usize = 3 * MAX_COMPACT_JWS + 4096;

    /// Reads the body of a request, `application/x-www-form-urlencoded`. Members that are not known count for nothing.
    ///
    /// # Errors
    ///
    /// [`Rule::Request`] if the body is too long, or has a member twice that is read (RFC 6749 section 3.2).
    pub fn parse(body: &[u8]) -> Result<Self, Rejection> {
        let (len, max) = (body.len(), Self::MAX_BYTES);
        let why = format_args!("the body has {len} bytes, more than {max}");
        Rejection::unless(len <= max, Rule::Request, why)?;
        let mut form = Self::read(body);
        for name in READ {
            form.get(name)?;
        }
        // RFC 6749 section 3.2: "Parameters sent without a value MUST be treated as if they were omitted from the request."
        // Beside one with a value, it is there twice.
        let given = form.0.iter().filter(|(_, value)| !value.is_empty());
        let given: BTreeSet<_> = given.map(|(name, _)| name.clone()).collect();
        form.0
            .retain(|(name, value)| !value.is_empty() || given.contains(name));
        Ok(form)
    }

    /// The same of what may be no good request.
    pub(crate) fn read(body: &[u8]) -> Self {
        let members = form_urlencoded::parse(body);
        let members = members.map(|(name, value)| (name.into_owned(), value.into_owned().into()));
        Self(members.collect())
    }

    /// The first assertion, where there are any.
    pub(crate) fn assertion(&self) -> Option<&str> {
        let mut values = self.0.iter();
        values.find_map(|(name, value)| (name == "client_assertion").then_some(value.as_str()))
    }

    /// The same rejection, with what its assertion says of itself.
    pub(crate) fn names(&self, rejection: Rejection) -> Rejection {
        let payload = self.assertion().and_then(|it| it.split('.').nth(1));
        let payload = payload.and_then(|it| Base64UrlUnpadded::decode_vec(it).ok());
        rejection.claimed_in(&payload.unwrap_or_default())
    }

    /// The value of a member that is there once.
    fn get(&self, name: &str) -> Result<Option<&str>, Rejection> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        let first = values.next().map(|(_, value)| value.as_str());
        let why = format_args!("{name} is there twice");
        Rejection::unless(values.next().is_none(), Rule::Request, why)?;
        Ok(first)
    }

    pub(crate) fn needed(&self, name: &str) -> Result<&str, Rejection> {
        let missing = || Rejection::new(Rule::Request, format_args!("{name} is missing"));
        self.get(name)?.ok_or_else(missing)
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.retain(|(found, _)| found != name);
        self.0.push((name.to_owned(), value.into().into()));
        self
    }

    /// A request with that assertion, and no `client_id`.
    pub fn of_assertion(assertion: impl Into<String>) -> Self {
        let form = Self::default().with("client_assertion_type", CLIENT_ASSERTION_TYPE);
        form.with("client_assertion", assertion)
    }

    /// The same of that client.
    #[must_use]
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        self.with("client_id", client_id)
    }

    /// Whether it asks for an access token as the scheme has it: its `grant_type`, its `scope` in any order, or none where the
    /// scheme has none, each other member that it names, and no `client_id` where a scheme of one's own has none.
    ///
    /// # Errors
    ///
    /// [`Rule::GrantType`] if that is another, [`Rule::Scope`] if it is another or missing (RFC 6749 section 3.3: a server
    /// without a default must "fail the request indicating an invalid scope"), [`Rule::Resource`] the same of `resource`,
    /// [`Rule::Request`] for the others.
    pub fn check_token_request(&self, scheme: &SchemeRules) -> Result<(), Rejection> {
        let rules = scheme.token_request();
        let grant_type = rules.grant_type().value();
        let is_it = self.needed("grant_type")? == grant_type;
        Rejection::unless(is_it, Rule::GrantType, format_args!("is not {grant_type}"))?;
        let wanted = rules.scope().map_or("", |scope| scope.value());
        let given = self.get("scope")?.unwrap_or_default();
        // RFC 6749 section 3.3: "their order does not matter".
        let [given, wanted_too] = [given, wanted].map(|it| it.split(' ').collect::<BTreeSet<_>>());
        let why = format_args!("is not {wanted:?}, that of the scheme");
        Rejection::unless(given == wanted_too, Rule::Scope, why)?;
        for (name, wanted) in rules.members() {
            let rule = match *name {
                "resource" => Rule::Resource,
                _ => Rule::Request,
            };
            let why = format_args!("{name} is not {wanted}");
            Rejection::unless(self.get(name)? == Some(wanted), rule, why)?;
        }
        // RFC 7521 section 4.2 leaves it to the client where nothing is written of it, as in FIAM's document.
        let may_be = Scheme::by_name(scheme.name()).is_some() || rules.client_id().value();
        let why = "client_id is there, and the scheme has none in a request";
        Rejection::unless(
            may_be || self.get("client_id")?.is_none(),
            Rule::Request,
            why,
        )
    }

    /// The assertion and who the request says has sent it, where it says so or `scheme` demands it.
    pub(crate) fn authentication(
        &self,
        scheme: &SchemeRules,
    ) -> Result<(&str, Option<&str>), Rejection> {
        let kind = self.get("client_assertion_type")?;
        if kind.or(self.get("client_assertion")?).is_none() {
            return Err(Rejection::unauthenticated());
        }
        let is_it = self.needed("client_assertion_type")? == CLIENT_ASSERTION_TYPE;
        let why = format_args!("client_assertion_type is not {CLIENT_ASSERTION_TYPE}");
        Rejection::unless(is_it, Rule::Request, why)?;
        if self.get("client_secret")?.is_some() {
            return Err(Rejection::second_method("client_secret"));
        }
        let assertion = self.needed("client_assertion")?;
        // RFC 7521 section 4.2 leaves it to the client; iSHARE has it say who asks.
        let client_id = match scheme.registry() {
            Some(_) => Some(self.needed("client_id")?),
            None => self.get("client_id")?,
        };
        Ok((assertion, client_id))
    }
}

privyseal_core::opaque_debug! {
    [] TokenForm as it:
        grant_type = it.get("grant_type"), scope = it.get("scope"), client_id = it.get("client_id");
}

#[cfg(test)]
mod tests {
    use privyseal_core::scheme::{FIAM, ISHARE};

    use super::*;

    const GRANT: &str = "grant_type=client_credentials&scope=iSHARE";

    fn rule_of<T>(outcome: Result<T, Rejection>) -> Option<Rule> {
        outcome.err().map(|rejection| rejection.rule())
    }

    fn read(body: &str) -> TokenForm {
        TokenForm::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn the_longest_body_is_read_and_one_byte_more_is_not() {
        let body = |len: usize| TokenForm::parse(&vec![b'a'; len]);
        assert!(body(TokenForm::MAX_BYTES).is_ok());
        assert_eq!(rule_of(body(TokenForm::MAX_BYTES + 1)), Some(Rule::Request));
        assert!(TokenForm::MAX_BYTES >= 3 * MAX_COMPACT_JWS + GRANT.len());
    }

    #[test]
    fn what_is_read_is_there_once_and_a_member_without_a_value_is_not_there() {
        for name in READ {
            let twice = format!("{name}=a&{name}=");
            let read = TokenForm::parse(twice.as_bytes());
            assert_eq!(rule_of(read), Some(Rule::Request), "{name}");
        }
        let form = read("unknown=1&unknown=2&client_id=&resource=a&resource=");
        assert_eq!(form.get("client_id").unwrap(), None);
        assert_eq!(rule_of(form.needed("client_id")), Some(Rule::Request));
        assert_eq!(rule_of(form.get("resource")), Some(Rule::Request));
    }

    #[test]
    fn a_request_is_the_one_of_the_scheme() {
        let asks = |body: &str| rule_of(read(body).check_token_request(ISHARE.rules()));
        assert_eq!(asks(GRANT), None);
        assert_eq!(asks("scope=iSHARE"), Some(Rule::Request));
        let password = GRANT.replace("client_credentials", "password");
        assert_eq!(asks(&password), Some(Rule::GrantType));
        for scope in ["", "&scope=", "&scope=iSHARE other", "&scope=ishare"] {
            let body = format!("grant_type=client_credentials{scope}");
            assert_eq!(asks(&body), Some(Rule::Scope), "{scope}");
        }
    }

    #[test]
    fn an_assertion_comes_with_its_type_and_alone() {
        let of = |form: TokenForm| {
            let found = form.authentication(FIAM.rules());
            found.map(|(assertion, id)| (assertion.to_owned(), id.map(str::to_owned)))
        };
        let form = TokenForm::of_assertion("a.b.c");
        let found = of(form.clone().client_id("me")).unwrap();
        assert_eq!(found, ("a.b.c".to_owned(), Some("me".to_owned())));
        assert_eq!(of(form.clone()).unwrap().1, None);
        // iSHARE has it say who asks.
        assert_eq!(
            rule_of(form.authentication(ISHARE.rules())),
            Some(Rule::Request)
        );
        assert_eq!(rule_of(of(read(GRANT))), Some(Rule::Authentication));
        let other = form.clone().with("client_assertion_type", "other");
        assert_eq!(rule_of(of(other)), Some(Rule::Request));
        let both = form.with("client_secret", "s");
        assert_eq!(rule_of(of(both)), Some(Rule::Request));
        assert_eq!(rule_of(of(read("client_assertion=a"))), Some(Rule::Request));
    }

    #[test]
    fn a_rejection_says_whose_assertion_it_claims_to_be() {
        let claimed = |claims: &str| {
            let payload = Base64UrlUnpadded::encode_string(claims.as_bytes());
            let form = TokenForm::of_assertion(format!("a.{payload}.c"));
            let rejection = form.names(Rejection::unauthenticated());
            let claimed = rejection.claimed();
            claimed.map(|(issuer, jti)| (issuer.to_owned(), jti.to_owned()))
        };
        let both = |issuer: &str, jti: &str| Some((issuer.to_owned(), jti.to_owned()));
        assert_eq!(claimed(r#"{"iss":"me","jti":"1"}"#), both("me", "1"));
        assert_eq!(claimed(r#"{"iss":"me"}"#), both("me", ""));
        assert_eq!(claimed(r#"{"iss":5,"jti":"1"}"#), None);
        let long = |len| claimed(&format!(r#"{{"iss":"{}"}}"#, "m".repeat(len)));
        assert!(long(1024).is_some() && long(1025).is_none());
        assert_eq!(TokenForm::default().assertion(), None);
    }
}
