//! One table: what a user may say.

use core::ops::Range;
use std::collections::BTreeMap;

use privyseal_core::field::{Field, FieldError};
use privyseal_core::id::IdSyntax;
use privyseal_core::scheme::{
    KeyReference, Lifetime, NotBefore, OwnAudience, OwnRules, OwnScheme, OwnTokenRequest,
};
use serde::Deserialize;
use toml::Spanned;

/// A table `[scheme.NAME]`, read and not yet checked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SchemeTable {
    title: Option<Spanned<String>>,
    key: KeyReference,
    #[serde(default)]
    client_id: Syntax,
    audience: Spanned<AudienceMember>,
    lifetime: Spanned<LifetimeMember>,
    #[serde(default)]
    nbf: NotBefore,
    token_request: Option<Spanned<TokenRequestTable>>,
}

/// The syntax of an id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Syntax {
    #[default]
    Any,
    Eori,
    DidIshare,
    Url,
    RealmUrl,
}

/// One audience, or any of a syntax.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected the one audience, or { syntax = .. }")]
enum AudienceMember {
    Only(String),
    OfSyntax(OfSyntax),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfSyntax {
    syntax: Syntax,
}

/// Seconds: the default, which is the most; or a range.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected seconds, or { default = .., min = .., max = .. } with all three"
)]
enum LifetimeMember {
    AtMost(u64),
    Range(LifetimeRange),
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifetimeRange {
    default: u64,
    min: u64,
    max: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TokenRequestTable {
    path: Option<Spanned<String>>,
    base_url: Option<Spanned<String>>,
    scope: Option<Spanned<String>>,
    client_id: Option<bool>,
    #[serde(default)]
    members: Option<Spanned<BTreeMap<String, String>>>,
}

impl SchemeTable {
    /// The scheme. What it says is leaked: a scheme lives as long as the process.
    pub(super) fn check(&self, name: &str) -> Result<OwnScheme, FieldError> {
        let title = self.title.as_ref().map_or(name, |title| title.get_ref());
        OwnScheme::new(&OwnRules {
            name: leaked(name),
            title: leaked(title),
            key_reference: self.key,
            client_id: self.client_id.rule(),
            audience: match self.audience.get_ref() {
                AudienceMember::Only(text) => OwnAudience::Only(leaked(text)),
                AudienceMember::OfSyntax(of) => OwnAudience::OfSyntax(of.syntax.rule()),
            },
            lifetime: match *self.lifetime.get_ref() {
                LifetimeMember::AtMost(max) => Lifetime::new(max, 1, max),
                LifetimeMember::Range(LifetimeRange { default, min, max }) => {
                    Lifetime::new(default, min, max)
                }
            },
            not_before: self.nbf,
            token_request: self.token_request(),
        })
    }

    fn token_request(&self) -> OwnTokenRequest {
        let table = self.token_request.as_ref().map(Spanned::get_ref);
        let text = |member: fn(&TokenRequestTable) -> &Option<Spanned<String>>| {
            table.and_then(|table| Some(leaked(member(table).as_ref()?.get_ref())))
        };
        let members = table.and_then(|table| table.members.as_ref()).into_iter();
        let members = members.flat_map(Spanned::get_ref);
        let members: Vec<_> = members
            .map(|(name, value)| (leaked(name), leaked(value)))
            .collect();
        OwnTokenRequest {
            path: text(|table| &table.path).unwrap_or(""),
            base_url: text(|table| &table.base_url),
            scope: text(|table| &table.scope),
            client_id: table.and_then(|table| table.client_id).unwrap_or(true),
            members: members.leak(),
        }
    }

    /// Where what the core calls `field` stands.
    pub(super) fn span_of(&self, field: Field) -> Option<Range<usize>> {
        let request = self.token_request.as_ref().map(Spanned::get_ref);
        let text = |member: Option<&Option<Spanned<String>>>| Some(member?.as_ref()?.span());
        match field {
            Field::SchemeTitle => self.title.as_ref().map(Spanned::span),
            Field::Audience => Some(self.audience.span()),
            Field::Lifetime => Some(self.lifetime.span()),
            Field::TokenPath => text(request.map(|request| &request.path)),
            Field::BaseUrl => text(request.map(|request| &request.base_url)),
            Field::Scope => text(request.map(|request| &request.scope)),
            Field::FormMember => Some(request?.members.as_ref()?.span()),
            _ => None,
        }
    }
}

impl Syntax {
    const fn rule(self) -> &'static [IdSyntax] {
        match self {
            Self::Any => &[IdSyntax::Opaque],
            Self::Eori => &[IdSyntax::Eori],
            Self::DidIshare => &[IdSyntax::DidIshare],
            Self::Url => &[IdSyntax::HttpsUrl],
            Self::RealmUrl => &[IdSyntax::RealmIssuer],
        }
    }
}

fn leaked(text: &str) -> &'static str {
    Box::leak(text.into())
}
