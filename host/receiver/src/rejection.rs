//! Why an assertion is not accepted: for the log, and for the wire.

use core::fmt;

use privyseal_check::RuleId;
use serde_json::{Map, Value};

/// The longest `iss` and `jti` that are told, in bytes: that of 255 characters.
const MAX_CLAIMED: usize = 1024;

/// What an assertion, or the request around it, breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The request is no form of RFC 6749 and RFC 7523, or has a parameter twice.
    Request,
    /// The request has no assertion.
    Authentication,
    /// `resource` is not the one of the scheme (RFC 8707).
    Resource,
    /// `grant_type` is another.
    GrantType,
    /// `scope` is not the one of the scheme.
    Scope,
    /// A rule of the scheme.
    Token(RuleId),
    /// None is known to be broken: what is needed to tell is not there now.
    Unavailable,
}

/// Why there is no verified party.
///
/// `Display` is for the log of the receiver. What the client may be told is [`Rejection::oauth_error`], which says nothing
/// about parties, certificates or other clients.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {text}", rule.name())]
pub struct Rejection {
    rule: Rule,
    text: String,
    claimed: Option<(String, String)>,
}

impl Rule {
    /// The rule's name, which stays.
    pub const fn name(&self) -> &'static str {
        self.words().0
    }

    /// Its name, and the error code for the client (RFC 6749 section 5.2, RFC 8707 section 2).
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Request => ("token-request", "invalid_request"),
            Self::Authentication => ("client-authentication", "invalid_client"),
            Self::Resource => ("resource", "invalid_target"),
            Self::GrantType => ("grant-type", "unsupported_grant_type"),
            Self::Scope => ("scope", "invalid_scope"),
            Self::Token(rule) => (rule.name(), "invalid_client"),
            Self::Unavailable => ("unavailable", "temporarily_unavailable"),
        }
    }
}

impl Rejection {
    pub(crate) fn new(rule: Rule, text: impl fmt::Display) -> Self {
        Self {
            rule,
            text: text.to_string(),
            claimed: None,
        }
    }

    /// The same unless it holds.
    pub(crate) fn unless(holds: bool, rule: Rule, text: impl fmt::Display) -> Result<(), Self> {
        if holds {
            return Ok(());
        }
        Err(Self::new(rule, text))
    }

    /// A rule of the scheme is broken; how, as a clause about it.
    pub(crate) fn of(rule: RuleId, text: impl fmt::Display) -> Self {
        Self::new(Rule::Token(rule), text)
    }

    /// Something that is needed to tell is not there.
    pub(crate) fn unavailable(what: &str, why: impl fmt::Display) -> Self {
        Self::new(Rule::Unavailable, format_args!("{what}: {why}"))
    }

    /// RFC 6749 section 2.3: "The client MUST NOT use more than one authentication method in each request."
    pub(crate) fn second_method(name: &str) -> Self {
        let text =
            format_args!("{name} is there beside the assertion: a second way to authenticate");
        Self::new(Rule::Request, text)
    }

    /// RFC 6749 section 5.2: "no client authentication included, or unsupported authentication method".
    pub(crate) fn unauthenticated() -> Self {
        let text = "there is no client_assertion, and no other way to authenticate here";
        Self::new(Rule::Authentication, text)
    }

    /// The same of an assertion with that payload.
    pub(crate) fn claimed_in(mut self, payload: &[u8]) -> Self {
        let claims: Map<String, Value> = serde_json::from_slice(payload).unwrap_or_default();
        let text = |name| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let text = |name| text(name).filter(|text| text.len() <= MAX_CLAIMED);
        self.claimed = text("iss").map(|issuer| (issuer, text("jti").unwrap_or_default()));
        self
    }

    /// Whose assertion it says that it is, where it does, and its `jti`, empty where it has none; neither longer than 1024
    /// bytes. For the log: nobody proved either, and each may be any text.
    pub fn claimed(&self) -> Option<(&str, &str)> {
        let claimed = self.claimed.as_ref()?;
        Some((&claimed.0, &claimed.1))
    }

    /// The rule.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// How it is broken, as a clause about the rule; for the log.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the same assertion may be accepted later: nothing was found against it.
    pub fn is_temporary(&self) -> bool {
        self.rule == Rule::Unavailable
    }

    /// The error code for the client (RFC 6749 section 5.2, RFC 8707 section 2). The same for every rule of an assertion.
    pub const fn oauth_error(&self) -> &'static str {
        self.rule.words().1
    }

    /// The HTTP status for the client: 400, or 503 where it may try again.
    pub const fn status(&self) -> u16 {
        if matches!(self.rule, Rule::Unavailable) {
            return 503;
        }
        400
    }
}
