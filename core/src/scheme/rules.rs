//! What a scheme can demand: the types of the rules.

use der::asn1::ObjectIdentifier;

use crate::cert::KeyUsage;
use crate::cert::oid::{
    ANY_PURPOSE, CLIENT_AUTH, DOCUMENT_SIGNING, EMAIL_PROTECTION, MS_DOCUMENT_SIGNING,
};
use crate::field::{Field, FieldError, check_range};
use crate::id::IdSyntax;
use crate::jws::Algorithm;

/// A struct whose fields are read by methods of the same names, and written by the files of schemes only: a rule
/// that a caller could change would be none.
macro_rules! rules {
    ($(#[$meta:meta])* struct $name:ident $(<$generic:ident>)? {
        $($(#[$doc:meta])* $field:ident: $type:ty,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, PartialEq, Eq)]
        pub struct $name $(<$generic>)? {
            $(pub(super) $field: $type,)+
        }

        impl $(<$generic: Copy>)? $name $(<$generic>)? {
            $($(#[$doc])*
            pub const fn $field(&self) -> $type {
                self.$field
            })+
        }
    };
}

rules! {
    /// A value and the text that demands it.
    #[derive(Clone, Copy)]
    struct Rule<T> {
        /// What is demanded.
        value: T,
        /// Where it is demanded: document and section.
        source: &'static str,
    }
}

impl<T> Rule<T> {
    /// `value`, because `source` says so.
    pub const fn new(value: T, source: &'static str) -> Self {
        Self { value, source }
    }
}

rules! {
    /// What one scheme demands, built-in ([`Scheme`](super::Scheme)) or a user's own ([`OwnScheme`](super::OwnScheme)):
    /// read everywhere, written in this module's files only.
    ///
    /// No caller makes a scheme that allows more, be it by assignment, by a literal or by an update:
    ///
    /// ```compile_fail,E0616
    /// let mut scheme = privyseal_core::scheme::FIAM;
    /// scheme.lifetime = privyseal_core::scheme::ISHARE.lifetime;
    /// ```
    ///
    /// ```compile_fail,E0451
    /// use privyseal_core::scheme::Lifetime;
    /// let lifetime = Lifetime { default: 30, min: 30, max: 315_360_000 };
    /// ```
    ///
    /// ```compile_fail,E0451
    /// use privyseal_core::scheme::{FIAM, ISHARE, SchemeRules};
    /// let rules = SchemeRules { lifetime: ISHARE.lifetime(), ..*FIAM.rules() };
    /// ```
    struct SchemeRules {
        /// The name on the command line and in files.
        name: &'static str,
        /// The name for people.
        title: &'static str,
        /// Values of `alg` that the scheme accepts, the one that is made here first.
        algorithms: Rule<&'static [Algorithm]>,
        /// How the header names the key.
        key_reference: Rule<KeyReference>,
        /// Syntaxes of `iss` and `sub`, the preferred one first.
        client_id: Rule<&'static [IdSyntax]>,
        /// Where the scheme says that a `did:ishare` client id ends in the organizationIdentifier of the leaf.
        client_id_in_leaf: Option<&'static str>,
        /// Syntaxes of `aud`, and the one every user of the scheme has, if there is one.
        audience: Rule<AudienceRule>,
        /// `exp - iat`, in seconds.
        lifetime: Rule<Lifetime>,
        /// Whether a receiver may insist on `iat`. It is always made here.
        issued_at_required: Rule<bool>,
        /// Whether `nbf` is there.
        not_before: Rule<NotBefore>,
        /// The leaf must have at least one of these key usages; no rule where there are none.
        leaf_key_usage: Rule<&'static [KeyUsage]>,
        /// The leaf's extended key usage, critical or not, must have one of these purposes if it is there; no rule
        /// where there are none.
        leaf_purposes: Rule<&'static [ObjectIdentifier]>,
        /// How a receiver asks a registry for the party's status, if the scheme has one.
        registry: Option<Rule<PartyLookup>>,
        /// Rules of signed authentication requests, for schemes that have them.
        request_object: Option<RequestObjectRules>,
        /// `exp - iat` of a signed authorization request for a login in a browser, for schemes that have them.
        authorization_request: Option<Rule<Lifetime>>,
        /// What the token request looks like.
        token_request: TokenRequestRules,
    }
}

/// How the JOSE header names the key that signed. In files it has the name of the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[allow(clippy::exhaustive_enums, reason = "readers handle each")]
pub enum KeyReference {
    /// `x5c`: the whole chain, leaf first, self-signed root last (RFC 7515 section 4.1.6).
    #[serde(rename = "x5c")]
    X5cWithRoot,
    /// `x5t#S256`: the SHA-256 digest of a certificate that the receiver knows already (RFC 7515 section 4.1.8).
    #[serde(rename = "x5t#S256")]
    X5tS256,
    /// `kid`: a key that the receiver knows already (RFC 7515 section 4.1.4).
    #[serde(rename = "kid")]
    Kid,
}

/// Purposes of a certificate that signs for an organisation: a seal, or one that authenticates a client. RFC 5280
/// knows none for client assertions.
pub(super) const SIGNING_PURPOSES: &[ObjectIdentifier] = &[
    ANY_PURPOSE,
    CLIENT_AUTH,
    EMAIL_PROTECTION,
    DOCUMENT_SIGNING,
    MS_DOCUMENT_SIGNING,
];

rules! {
    /// What `aud` may be.
    #[derive(Clone, Copy)]
    struct AudienceRule {
        /// Used when the caller names none.
        default: Option<&'static str>,
        /// Whether the default is the only one.
        only_default: bool,
        /// What an `aud` has in it that points at the scheme, where a token's scheme must be guessed.
        marks: &'static [&'static str],
        /// The syntaxes it may have.
        syntax: &'static [IdSyntax],
        /// The endpoints whose audience differs, if the scheme has such.
        endpoints: &'static [Endpoint],
    }
}

rules! {
    /// An endpoint with an audience of its own.
    #[derive(Clone, Copy)]
    struct Endpoint {
        /// Its name on the command line.
        name: &'static str,
        /// What follows the base URL in `aud`.
        audience_path: &'static str,
        /// Where that is demanded.
        source: &'static str,
    }
}

rules! {
    /// Allowed values of `exp - iat`, in seconds.
    #[derive(Clone, Copy)]
    struct Lifetime {
        /// Used when the caller names none.
        default: u64,
        /// The shortest allowed.
        min: u64,
        /// The longest allowed.
        max: u64,
    }
}

impl Lifetime {
    /// The lifetime that is meant: the given one, if it is allowed, or the default.
    ///
    /// # Errors
    /// [`Field::Lifetime`], outside the range.
    pub fn choose(self, given: Option<u64>, source: &'static str) -> Result<u64, FieldError> {
        let lifetime = given.unwrap_or(self.default);
        check_range(Field::Lifetime, lifetime, (self.min, self.max), source)?;
        Ok(lifetime)
    }

    /// From `min` to `max`, and `default` where the caller names none.
    pub const fn new(default: u64, min: u64, max: u64) -> Self {
        Self { default, min, max }
    }

    /// No other lifetime than this.
    pub(super) const fn exactly(seconds: u64) -> Self {
        Self::new(seconds, seconds, seconds)
    }
}

impl AudienceRule {
    /// One of these syntaxes, and no default.
    pub(super) const fn of(syntax: &'static [IdSyntax], marks: &'static [&'static str]) -> Self {
        Self {
            default: None,
            only_default: false,
            marks,
            syntax,
            endpoints: &[],
        }
    }
}

/// How a registry is asked about a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "clients of registries handle each")]
pub enum PartyLookup {
    /// By its id, in the path.
    Id,
    /// By its EORI and the subject of its certificate, as query.
    EoriAndSubject,
}

/// Whether an assertion has `nbf`. In files it is `iat` or `absent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[non_exhaustive]
pub enum NotBefore {
    /// It has, and it equals `iat`.
    #[serde(rename = "iat")]
    EqualsIssuedAt,
    /// It has not.
    #[default]
    #[serde(rename = "absent")]
    Absent,
}

rules! {
    /// The signed authentication request of a scheme (OIDC Core section 6).
    #[derive(Clone, Copy)]
    struct RequestObjectRules {
        /// What follows the base URL in `aud`.
        audience_path: Rule<&'static str>,
        /// `exp - iat`, in seconds.
        lifetime: Rule<Lifetime>,
    }
}

rules! {
    /// The token request of a scheme (RFC 6749 section 4.4, RFC 7523 section 2.2).
    #[derive(Clone, Copy)]
    struct TokenRequestRules {
        /// Path of the token endpoint below the base URL.
        path: Rule<&'static str>,
        /// `grant_type`.
        grant_type: Rule<&'static str>,
        /// `scope`, if the scheme has one.
        scope: Option<Rule<&'static str>>,
        /// Whether the form carries `client_id`.
        client_id: Rule<bool>,
        /// The public base URL, if all users have the same.
        base_url: Option<Rule<&'static str>>,
        /// What else the form carries: names and values.
        members: &'static [(&'static str, &'static str)],
    }
}
