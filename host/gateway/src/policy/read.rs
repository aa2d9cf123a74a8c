//! From TOML to a policy, each value by the rule of its scheme.

use core::ops::Range;
use std::collections::BTreeMap;

use privyseal_core::kid::{Kid, KidForm};
use privyseal_core::limits::{CLOCK_FLOOR, MAX_OWN_LIFETIME, MAX_UNIX_TIME};
use privyseal_core::scheme::{self, KeyReference, NotBefore};
use privyseal_core::{Audience, ClientId, RsaPublicKey, Scheme, SchemeRules};
use privyseal_protocol::policy::{
    MAX_JUMP_SECONDS, MAX_PRESENCE_SECONDS, MAX_RATE, MAX_RATE_SECONDS, MAX_SCHEMES,
};
use privyseal_protocol::{Rate, SchemeId, Statement};
use serde::de::{Deserialize, Deserializer, Error as _};
use toml::Spanned;

use super::{GatewayPolicy, KidChoice, PolicyFileError, SchemeEntry};

/// Bits of the authority's key: its signature must fit a message.
const AUTHORITY_BITS: [usize; 2] = [2048, 3072];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PolicyFile {
    schemes: Option<Spanned<BTreeMap<SchemeName, Spanned<SchemeTable>>>>,
    max_lifetime: Option<Spanned<Within<u32, 1, MAX_OWN_LIFETIME>>>,
    max_jump: Option<Spanned<Within<u32, 0, { MAX_JUMP_SECONDS as u64 }>>>,
    rate: RateTable,
    time_floor: Option<Within<u64, CLOCK_FLOOR, MAX_UNIX_TIME>>,
    authority: Option<Spanned<String>>,
    presence: Option<Within<u8, 1, { MAX_PRESENCE_SECONDS as u64 }>>,
    board_entropy: bool,
    #[serde(default)]
    unlock: bool,
    #[serde(default)]
    content_keys: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RateTable {
    assertions: Within<u16, 1, { MAX_RATE as u64 }>,
    seconds: Within<u32, 1, { MAX_RATE_SECONDS as u64 }>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SchemeTable {
    /// Of a scheme of a user's own, as `nbf`.
    key: Option<Spanned<KeyReference>>,
    nbf: Option<Spanned<NotBefore>>,
    client_id: Option<Spanned<String>>,
    kid: Option<Spanned<String>>,
    kid_form: Option<Spanned<String>>,
    audiences: Spanned<Vec<Spanned<String>>>,
    authentication_requests: Option<Spanned<Vec<Spanned<String>>>>,
    authorization_requests: Option<Spanned<Vec<Spanned<String>>>>,
}

/// The name of a scheme, ordered as the schemes are; users' own come last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SchemeName(usize, String);

impl<'de> Deserialize<'de> for SchemeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let mut schemes = scheme::ALL.iter();
        let place = schemes.position(|scheme| scheme.name() == name);
        Ok(Self(place.unwrap_or(scheme::ALL.len()), name))
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy)]
struct Within<T, const MIN: u64, const MAX: u64>(T);

impl<'de, T: TryFrom<u64>, const MIN: u64, const MAX: u64> Deserialize<'de>
    for Within<T, MIN, MAX>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u64::deserialize(deserializer)?;
        let narrowed = T::try_from(value).ok();
        narrowed
            .filter(|_| (MIN..=MAX).contains(&value))
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{value} is not {MIN} to {MAX}")))
    }
}

pub(super) fn policy(
    text: &str,
    file: impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<GatewayPolicy, PolicyFileError> {
    let read = toml::from_str::<PolicyFile>(text);
    let policy = read.map_err(|mut error| {
        let line = line(text, error.span().unwrap_or_default());
        // Without the text, the error names the member: a line, and `in` and the member's path on the next.
        error.set_input(None);
        let problem = error.to_string().trim_end().replace('\n', " ");
        PolicyFileError { line, problem }
    })?;
    let at = At { text, path: "" };
    has_one_job(at, &policy)?;
    let schemes = match &policy.schemes {
        Some(tables) => schemes(at, tables)?,
        None => Vec::new(),
    };
    let max_lifetime = policy.max_lifetime.as_ref();
    let lifetime = max_lifetime.map_or(0, |it| it.get_ref().0);
    for entry in &schemes {
        let (rules, rule) = (entry.scheme.rules(), entry.scheme.rules().lifetime());
        if u64::from(lifetime) < rule.value().min() {
            let (title, min, source) = (rules.title(), rule.value().min(), rule.source());
            let problem = format!("is {lifetime}; {title} wants {min} s at least ({source})");
            let span = max_lifetime.map(Spanned::span).unwrap_or_default();
            return Err(at.error(span, "max-lifetime", problem));
        }
    }
    let authority = policy.authority.as_ref();
    Ok(GatewayPolicy {
        schemes,
        max_lifetime: lifetime,
        rate: Rate {
            assertions: policy.rate.assertions.0,
            seconds: policy.rate.seconds.0,
        },
        time_floor: policy.time_floor.map(|floor| floor.0),
        max_jump: policy.max_jump.map_or(0, |jump| jump.get_ref().0),
        authority: authority
            .map(|name| authority_key(at, name, file))
            .transpose()?,
        presence: policy.presence.map(|seconds| seconds.0),
        board_entropy: policy.board_entropy,
        unlock: policy.unlock,
    })
}

/// A key signs, or unwraps content keys: then it has nothing of what statements need.
fn has_one_job(at: At<'_>, policy: &PolicyFile) -> Result<(), PolicyFileError> {
    let members = [
        ("schemes", policy.schemes.as_ref().map(Spanned::span)),
        (
            "max-lifetime",
            policy.max_lifetime.as_ref().map(Spanned::span),
        ),
        ("max-jump", policy.max_jump.as_ref().map(Spanned::span)),
    ];
    let mut wrong = members
        .into_iter()
        .filter(|(_, span)| span.is_some() == policy.content_keys);
    match wrong.next() {
        None => Ok(()),
        Some((name, Some(span))) => {
            let problem = "is for a key that signs; with content-keys = true it unwraps, and does nothing else";
            Err(at.error(span, name, problem))
        }
        Some((name, None)) => Err(PolicyFileError {
            line: 1,
            problem: format!("missing field `{name}`"),
        }),
    }
}

/// A table in the text of the file.
#[derive(Clone, Copy)]
struct At<'t> {
    text: &'t str,
    /// Empty, or a path and a dot.
    path: &'t str,
}

impl At<'_> {
    fn error(self, span: Range<usize>, member: &str, problem: impl AsRef<str>) -> PolicyFileError {
        PolicyFileError {
            line: line(self.text, span),
            problem: format!("{}{member} {}", self.path, problem.as_ref()),
        }
    }

    /// For a value that is not secret.
    fn bad(
        self,
        value: &Spanned<String>,
        member: &str,
        rule: impl core::fmt::Display,
    ) -> PolicyFileError {
        let shown: String = value.get_ref().chars().take(64).collect();
        self.error(value.span(), member, format!("is {shown:?}; {rule}"))
    }
}

fn line(text: &str, span: Range<usize>) -> usize {
    text.bytes()
        .take(span.start)
        .filter(|&byte| byte == b'\n')
        .count()
        + 1
}

fn schemes(
    at: At<'_>,
    tables: &Spanned<BTreeMap<SchemeName, Spanned<SchemeTable>>>,
) -> Result<Vec<SchemeEntry>, PolicyFileError> {
    if tables.get_ref().is_empty() {
        let problem = "is empty; a policy has at least one table [schemes.NAME]";
        return Err(at.error(tables.span(), "schemes", problem));
    }
    let count = tables.get_ref().len();
    if count > MAX_SCHEMES {
        let problem = format!("has {count} tables; a device takes {MAX_SCHEMES} at most");
        return Err(at.error(tables.span(), "schemes", problem));
    }
    let mut own = 0..;
    let tables = tables.get_ref().iter();
    tables
        .map(|(name, table)| {
            let path = format!("schemes.{}.", name.1.escape_default());
            let at = At { path: &path, ..at };
            let scheme = match scheme::ALL.get(name.0) {
                Some(scheme) => known(at, scheme, table.get_ref())?,
                None => of_the_users_own(at, own.next().unwrap_or(u8::MAX), table)?,
            };
            entry(at, scheme, table)
        })
        .collect()
}

/// A scheme whose rules nobody need say.
fn known(
    at: At<'_>,
    scheme: &'static Scheme,
    table: &SchemeTable,
) -> Result<SchemeId, PolicyFileError> {
    let key = table.key.as_ref().map(|key| ("key", key.span()));
    let said = key.or_else(|| Some(("nbf", table.nbf.as_ref()?.span())));
    let Some((member, span)) = said else {
        return Ok(SchemeId::of(scheme));
    };
    let problem = format!("is not for this scheme; {} has its rules", scheme.title());
    Err(at.error(span, member, problem))
}

fn of_the_users_own(
    at: At<'_>,
    place: u8,
    table: &Spanned<SchemeTable>,
) -> Result<SchemeId, PolicyFileError> {
    let said = table.get_ref();
    let form = said.key.as_ref().map(|key| *key.get_ref());
    let nbf = said.nbf.as_ref().map(|nbf| *nbf.get_ref());
    let nbf = nbf.unwrap_or_default();
    let id = form.and_then(|form| SchemeId::own(place, form, nbf));
    id.ok_or_else(|| {
        let names = scheme::ALL.iter().map(|scheme| scheme.name());
        let names = names.collect::<Vec<_>>().join(", ");
        let problem = format!(
            "is missing; known schemes are {names}, and a scheme of one's own says how its header names the key"
        );
        at.error(table.span(), "key", problem)
    })
}

fn entry(
    at: At<'_>,
    scheme: SchemeId,
    table: &Spanned<SchemeTable>,
) -> Result<SchemeEntry, PolicyFileError> {
    let rules = scheme.rules();
    Ok(SchemeEntry {
        scheme,
        client_id: client_id(at, table, rules)?,
        kid: kid(at, table, rules)?,
        audiences: audiences(at, table.get_ref(), rules)?,
    })
}

fn client_id(
    at: At<'_>,
    table: &Spanned<SchemeTable>,
    rules: &SchemeRules,
) -> Result<Option<String>, PolicyFileError> {
    const NAME: &str = "client-id";
    let Some(text) = &table.get_ref().client_id else {
        if rules.client_id_in_leaf().is_some() {
            return Ok(None);
        }
        let (title, source) = (rules.title(), rules.client_id().source());
        let problem =
            format!("is missing; {title} hands it out, no certificate says it ({source})");
        return Err(at.error(table.span(), NAME, problem));
    };
    ClientId::new(text.get_ref())
        .and_then(|id| rules.check_client_id(&id))
        .map_err(|error| at.bad(text, NAME, error))?;
    Ok(Some(text.get_ref().clone()))
}

fn kid(
    at: At<'_>,
    table: &Spanned<SchemeTable>,
    rules: &SchemeRules,
) -> Result<Option<KidChoice>, PolicyFileError> {
    let (span, table) = (table.span(), table.get_ref());
    let (title, source) = (rules.title(), rules.key_reference().source());
    let is_kid = rules.key_reference().value() == KeyReference::Kid;
    match (&table.kid, &table.kid_form) {
        (None, None) if !is_kid => Ok(None),
        (Some(value), _) | (None, Some(value)) if !is_kid => {
            let name = if table.kid.is_some() {
                "kid"
            } else {
                "kid-form"
            };
            let problem =
                format!("is not for this scheme; {title} sends its certificate chain ({source})");
            Err(at.error(value.span(), name, problem))
        }
        (Some(text), None) => match Kid::new(text.get_ref()) {
            Ok(kid) => Ok(Some(KidChoice::Given(kid.as_str().to_owned()))),
            Err(error) => Err(at.bad(text, "kid", error)),
        },
        (None, Some(text)) => {
            let form = KidForm::by_name(text.get_ref()).ok_or_else(|| {
                let names = KidForm::ALL.map(KidForm::name).join(" or ");
                at.bad(text, "kid-form", format!("it must be {names}"))
            })?;
            Ok(Some(KidChoice::Computed(form)))
        }
        (Some(kid), Some(_)) => {
            let problem = "is there with kid-form; one of them says it";
            Err(at.error(kid.span(), "kid", problem))
        }
        (None, None) => {
            let problem =
                format!("is missing; {title} names the key by kid, or give kid-form ({source})");
            Err(at.error(span, "kid", problem))
        }
    }
}

/// The audiences of each kind of statement.
fn audiences(
    at: At<'_>,
    table: &SchemeTable,
    rules: &SchemeRules,
) -> Result<Vec<(Statement, String)>, PolicyFileError> {
    let mut read: Vec<(Statement, String)> = Vec::new();
    for (statement, name, texts) in [
        (Statement::Assertion, "audiences", Some(&table.audiences)),
        (
            Statement::AuthenticationRequest,
            "authentication-requests",
            table.authentication_requests.as_ref(),
        ),
        (
            Statement::AuthorizationRequest,
            "authorization-requests",
            table.authorization_requests.as_ref(),
        ),
    ] {
        let Some(texts) = texts else { continue };
        if statement.lifetime(rules).is_none() {
            let problem = format!("is not for this scheme; {} has none", rules.title());
            return Err(at.error(texts.span(), name, problem));
        }
        if texts.get_ref().is_empty() {
            let problem =
                "is empty; the device signs for audiences that are listed and for no other";
            return Err(at.error(texts.span(), name, problem));
        }
        for (position, text) in texts.get_ref().iter().enumerate() {
            let name = format!("{name}[{position}]");
            Audience::new(text.get_ref())
                .and_then(|audience| rules.choose_audience(Some(audience)))
                .map_err(|error| at.bad(text, &name, error))?;
            let allowed = (statement, text.get_ref().clone());
            if read.contains(&allowed) {
                return Err(at.bad(text, &name, "it is there twice"));
            }
            read.push(allowed);
        }
    }
    Ok(read)
}

/// The key in the file of that name, as a SubjectPublicKeyInfo.
fn authority_key(
    at: At<'_>,
    name: &Spanned<String>,
    file: impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, PolicyFileError> {
    const RULE: &str =
        "it must be an RSA public key of 2048 or 3072 bits, PEM or DER (RFC 7468 section 13)";
    let fault = |found: String, rule: &str| {
        at.error(name.span(), "authority", format!("names {found}; {rule}"))
    };
    let content = file(name.get_ref()).map_err(|error| {
        let name = name.get_ref().escape_default();
        fault(format!("{name}, which cannot be read"), &error)
    })?;
    let spki = if content.first() == Some(&0x30) {
        content
    } else {
        match pem_rfc7468::decode_vec(&content) {
            Ok(("PUBLIC KEY", der)) => der,
            _ => Vec::new(),
        }
    };
    match RsaPublicKey::from_spki(&spki) {
        Ok(key) if AUTHORITY_BITS.contains(&key.bits()) => Ok(spki),
        Ok(key) => Err(fault(format!("a key of {} bits", key.bits()), RULE)),
        Err(_) => Err(fault("a file with something else".to_owned(), RULE)),
    }
}
