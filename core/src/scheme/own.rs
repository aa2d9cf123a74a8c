//! A scheme that a user writes down: any server that takes client assertions (RFC 7523, `private_key_jwt`).
//!
//! What may be said about it cannot loosen what every scheme keeps: RS256, [`MAX_OWN_LIFETIME`], one audience, `iat`, and
//! a new `jti` each time.

use core::ops::Deref;

use super::{
    AudienceRule, KeyReference, Lifetime, NotBefore, Rule, Scheme, SchemeRules, TokenRequestRules,
};
use crate::field::{Fault, Field, FieldError, check_range, check_text, is_graphic};
use crate::id::{Audience, IdSyntax};
use crate::jws::Algorithm;
use crate::limits::{
    MAX_AUDIENCE, MAX_FORM_MEMBERS, MAX_FORM_NAME, MAX_FORM_VALUE, MAX_OWN_LIFETIME,
    MAX_SCHEME_NAME, MAX_SCHEME_TITLE, MAX_SCOPE, MAX_TOKEN_PATH,
};

/// A user's own scheme: checked, and of another type than [`Scheme`], for which it cannot stand in.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnScheme(SchemeRules);

/// What a user says about a scheme.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "callers decide on each rule")]
pub struct OwnRules {
    /// Its name in files: lower-case letters, digits and hyphens, and not that of a [`Scheme`].
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How the header names the key.
    pub key_reference: KeyReference,
    /// Syntaxes of `iss` and `sub`, the preferred one first.
    pub client_id: &'static [IdSyntax],
    /// What `aud` may be.
    pub audience: OwnAudience,
    /// `exp - iat`, at most [`MAX_OWN_LIFETIME`].
    pub lifetime: Lifetime,
    /// Whether `nbf` is there.
    pub not_before: NotBefore,
    /// What the token request looks like.
    pub token_request: OwnTokenRequest,
}

/// What `aud` may be.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_enums, reason = "callers choose one")]
pub enum OwnAudience {
    /// This one only.
    Only(&'static str),
    /// One of these syntaxes; each assertion says which audience is meant.
    OfSyntax(&'static [IdSyntax]),
}

/// What a token request looks like: `grant_type` is `client_credentials` always.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "callers decide on each member")]
pub struct OwnTokenRequest {
    /// Path of the token endpoint below the base URL.
    pub path: &'static str,
    /// The base URL, if all users have the same.
    pub base_url: Option<&'static str>,
    /// `scope`, if it is always the same.
    pub scope: Option<&'static str>,
    /// Whether the form carries `client_id`.
    pub client_id: bool,
    /// What else the form carries: names and values.
    pub members: &'static [(&'static str, &'static str)],
}

/// Seconds that an assertion of a gateway lives where nobody says how long.
const OWN_LIFETIME: u64 = 60;

const NAME: &str = "own scheme: a name of lower-case letters, digits and hyphens";
const KEY: &str = "own scheme: how the header names the key";
const CLIENT_ID: &str = "own scheme: the syntax of the client id";
const AUDIENCE: &str = "own scheme: the audience";
const LIFETIME: &str = "own scheme: 1 <= min <= default <= max <= 600 s";
const NOT_BEFORE: &str = "own scheme: nbf";
const REQUEST: &str = "RFC 9101 section 4; own scheme: as long as an assertion";
const NO_RULE: &str = "own scheme: no rule for the leaf's usage";
const TOKEN_REQUEST: &str = "own scheme: the token request";
const MEMBERS: &str = "own scheme: the token request's other members";

/// Members of a token request that are made here, or that no file may hold.
const RESERVED: &[&str] = &[
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "assertion",
    "refresh_token",
];

impl OwnScheme {
    /// The scheme, if what is said about it is within bounds.
    ///
    /// # Errors
    /// [`FieldError`] names what is not.
    pub fn new(own: &OwnRules) -> Result<Self, FieldError> {
        check_name(own)?;
        check_syntaxes(Field::ClientId, own.client_id, CLIENT_ID)?;
        let audience = own.audience.checked()?;
        check_lifetime(own.lifetime)?;
        own.token_request.check()?;
        Ok(Self(rules(own, audience)))
    }
}

/// What a scheme of a user's own demands, with what every scheme keeps.
const fn rules(own: &OwnRules, audience: AudienceRule) -> SchemeRules {
    SchemeRules {
        name: own.name,
        title: own.title,
        algorithms: Rule::new(&[Algorithm::Rs256], "every scheme: RS256"),
        key_reference: Rule::new(own.key_reference, KEY),
        client_id: Rule::new(own.client_id, CLIENT_ID),
        client_id_in_leaf: None,
        audience: Rule::new(audience, AUDIENCE),
        lifetime: Rule::new(own.lifetime, LIFETIME),
        issued_at_required: Rule::new(true, "own scheme: its lifetime is bounded, from iat on"),
        not_before: Rule::new(own.not_before, NOT_BEFORE),
        leaf_key_usage: Rule::new(&[], NO_RULE),
        leaf_purposes: Rule::new(&[], NO_RULE),
        registry: None,
        request_object: None,
        authorization_request: Some(Rule::new(own.lifetime, REQUEST)),
        token_request: own.token_request.rules(),
    }
}

/// Schemes of users' own as a gateway has them: whose text differs in nothing but values, which its policy has in full.
/// Whoever asks it keeps to the rest.
pub static OWN_FORMS: [SchemeRules; 6] = [
    form("own-x5c", KeyReference::X5cWithRoot, NotBefore::Absent),
    form(
        "own-x5c-nbf",
        KeyReference::X5cWithRoot,
        NotBefore::EqualsIssuedAt,
    ),
    form("own-x5t", KeyReference::X5tS256, NotBefore::Absent),
    form(
        "own-x5t-nbf",
        KeyReference::X5tS256,
        NotBefore::EqualsIssuedAt,
    ),
    form("own-kid", KeyReference::Kid, NotBefore::Absent),
    form("own-kid-nbf", KeyReference::Kid, NotBefore::EqualsIssuedAt),
];

const fn form(
    name: &'static str,
    key_reference: KeyReference,
    not_before: NotBefore,
) -> SchemeRules {
    let own = OwnRules {
        name,
        title: "a scheme of one's own",
        key_reference,
        client_id: &[IdSyntax::Opaque],
        audience: OwnAudience::OfSyntax(&[IdSyntax::Opaque]),
        lifetime: Lifetime::new(OWN_LIFETIME, 1, MAX_OWN_LIFETIME),
        not_before,
        token_request: OwnTokenRequest {
            path: "",
            base_url: None,
            scope: None,
            client_id: false,
            members: &[],
        },
    };
    rules(&own, AudienceRule::of(&[IdSyntax::Opaque], &[]))
}

impl Deref for OwnScheme {
    type Target = SchemeRules;

    fn deref(&self) -> &SchemeRules {
        &self.0
    }
}

impl OwnAudience {
    fn checked(self) -> Result<AudienceRule, FieldError> {
        match self {
            Self::Only(text) => Ok(AudienceRule {
                default: Some(Audience::new(text)?.as_str()),
                only_default: true,
                ..AudienceRule::of(&[IdSyntax::Opaque], &[])
            }),
            Self::OfSyntax(syntaxes) => {
                check_syntaxes(Field::Audience, syntaxes, AUDIENCE)?;
                Ok(AudienceRule::of(syntaxes, &[]))
            }
        }
    }
}

impl OwnTokenRequest {
    fn check(&self) -> Result<(), FieldError> {
        if !self.path.is_empty() {
            let (field, max) = (Field::TokenPath, MAX_TOKEN_PATH);
            let allowed =
                |byte: u8| is_graphic(byte) && !matches!(byte, b'?' | b'#' | b'\\' | b'"');
            check_text(field, self.path, max, allowed, TOKEN_REQUEST)?;
            if !self.path.starts_with('/') {
                return Err(field.is_not("a path that begins with a slash", TOKEN_REQUEST));
            }
        }
        if let Some(url) = self.base_url {
            check_text(Field::BaseUrl, url, MAX_AUDIENCE, is_graphic, TOKEN_REQUEST)?;
            IdSyntax::check(&[IdSyntax::HttpsUrl], Field::BaseUrl, url, TOKEN_REQUEST)?;
        }
        if let Some(scope) = self.scope {
            // RFC 6749 section 3.3: scope-token, with one space between two.
            let allowed = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
            check_text(Field::Scope, scope, MAX_SCOPE, allowed, TOKEN_REQUEST)?;
            if scope.split(' ').any(str::is_empty) {
                return Err(Field::Scope.is_not("values with one space between two", TOKEN_REQUEST));
            }
        }
        self.check_members()
    }

    fn check_members(&self) -> Result<(), FieldError> {
        let (field, members) = (Field::FormMember, self.members);
        if members.len() > MAX_FORM_MEMBERS {
            return Err(field.is_too_long(members.len(), MAX_FORM_MEMBERS, MEMBERS));
        }
        for (position, (name, value)) in members.iter().enumerate() {
            let in_name =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            check_text(field, name, MAX_FORM_NAME, in_name, MEMBERS)?;
            let in_value = |byte: u8| matches!(byte, b' '..=b'~');
            check_text(field, value, MAX_FORM_VALUE, in_value, MEMBERS)?;
            let is_there = members
                .iter()
                .take(position)
                .any(|(other, _)| other == name);
            if is_there || RESERVED.contains(name) {
                return Err(field.is_not(
                    "a member that is neither made here nor there twice",
                    MEMBERS,
                ));
            }
        }
        Ok(())
    }

    const fn rules(self) -> TokenRequestRules {
        TokenRequestRules {
            path: Rule::new(self.path, TOKEN_REQUEST),
            grant_type: Rule::new("client_credentials", TOKEN_REQUEST),
            scope: match self.scope {
                Some(scope) => Some(Rule::new(scope, TOKEN_REQUEST)),
                None => None,
            },
            client_id: Rule::new(self.client_id, TOKEN_REQUEST),
            base_url: match self.base_url {
                Some(url) => Some(Rule::new(url, TOKEN_REQUEST)),
                None => None,
            },
            members: self.members,
        }
    }
}

fn check_name(own: &OwnRules) -> Result<(), FieldError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    check_text(Field::Scheme, own.name, MAX_SCHEME_NAME, allowed, NAME)?;
    if Scheme::by_name(own.name).is_some() {
        return Err(Field::Scheme.is_not("a name of its own: a built-in scheme has it", NAME));
    }
    let allowed = |byte: u8| matches!(byte, b' '..=b'~');
    check_text(
        Field::SchemeTitle,
        own.title,
        MAX_SCHEME_TITLE,
        allowed,
        "own scheme: the title",
    )
}

fn check_syntaxes(
    field: Field,
    syntaxes: &[IdSyntax],
    source: &'static str,
) -> Result<(), FieldError> {
    match syntaxes {
        [] => Err(FieldError::new(field, Fault::Missing, source)),
        _ => Ok(()),
    }
}

/// Of at least a second, at most [`MAX_OWN_LIFETIME`], and with a default inside.
fn check_lifetime(Lifetime { default, min, max }: Lifetime) -> Result<(), FieldError> {
    check_range(Field::Lifetime, max, (1, MAX_OWN_LIFETIME), LIFETIME)?;
    check_range(Field::Lifetime, min, (1, max), LIFETIME)?;
    check_range(Field::Lifetime, default, (min, max), LIFETIME)
}

#[cfg(test)]
mod tests;
