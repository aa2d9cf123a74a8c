//! The rules, each with a name that stays: people search for it, scripts compare it.

use privyseal_core::named;

/// [`named!`], and what each rule demands: its documentation.
macro_rules! rules {
    ($(#[$meta:meta])* pub enum $enum:ident {
        $($(#[doc = $doc:literal])+ $value:ident = $name:literal,)+
    }) => {
        named! {
            $(#[$meta])*
            pub enum $enum {
                $($(#[doc = $doc])+ $value = $name,)+
            }
        }

        impl $enum {
            /// What a token that keeps the rule is like: a sentence, with code between backticks.
            pub const fn demand(self) -> &'static str {
                match self {
                    $(Self::$value => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

rules! {
    /// One rule that a token keeps or breaks.
    #[derive(PartialOrd, Ord, Hash)]
    #[non_exhaustive]
    pub enum RuleId {
        /// Three parts in base64url without padding, with dots between them, within the length limit.
        JwsForm = "jws-form",
        /// The header is one JSON object, each member there once.
        HeaderJson = "header-json",
        /// The payload is one JSON object, each member there once.
        PayloadJson = "payload-json",
        /// `alg` is one that the scheme accepts.
        HeaderAlg = "header-alg",
        /// `typ` is `JWT`.
        HeaderTyp = "header-typ",
        /// No header member but those that the scheme names.
        HeaderMembers = "header-members",
        /// `x5c` is an array of strings.
        HeaderX5c = "header-x5c",
        /// Each string of `x5c` is padded standard base64 without line breaks.
        X5cEncoding = "x5c-encoding",
        /// Each string of `x5c` is a DER certificate; not too many, not too long.
        X5cCertificates = "x5c-certificates",
        /// Leaf first, each certificate certified by the next.
        X5cOrder = "x5c-order",
        /// Signatures, CA flags, path lengths, key usages of the CAs.
        X5cChain = "x5c-chain",
        /// The self-signed root is the last certificate.
        X5cRoot = "x5c-root",
        /// All certificates are valid now.
        X5cDates = "x5c-dates",
        /// The leaf has a key usage that the scheme accepts.
        LeafKeyUsage = "leaf-key-usage",
        /// The leaf's extended key usage, if there is one, has a purpose that the scheme accepts.
        LeafPurpose = "leaf-purpose",
        /// `kid` names the key.
        HeaderKid = "header-kid",
        /// `x5t#S256` names the key's certificate.
        HeaderX5tS256 = "header-x5t-s256",
        /// The given key set has one key of the name.
        KeyKnown = "key-known",
        /// The key is RSA of an accepted size.
        KeySize = "key-size",
        /// The signature was made by that key.
        Signature = "signature",
        /// The chain ends at a trusted certificate.
        ChainTrusted = "chain-trusted",
        /// No certificate was revoked.
        Revocation = "revocation",
        /// The registry says that the party is active.
        PartyStatus = "party-status",
        /// `iss` is a string.
        ClaimIss = "claim-iss",
        /// `sub` is a string.
        ClaimSub = "claim-sub",
        /// `iss` and `sub` are the same.
        IssEqualsSub = "iss-equals-sub",
        /// The client id has a syntax that the scheme accepts.
        ClientId = "client-id",
        /// The leaf certificate names the client id.
        ClientIdInLeaf = "client-id-in-leaf",
        /// `aud` is one string, and the one that it has to be.
        ClaimAud = "claim-aud",
        /// `iat` is a whole number of seconds.
        ClaimIat = "claim-iat",
        /// `exp` is a whole number of seconds.
        ClaimExp = "claim-exp",
        /// `exp - iat` is what the scheme wants.
        Lifetime = "lifetime",
        /// `nbf` is as the scheme wants it.
        ClaimNbf = "claim-nbf",
        /// `jti` is a string within the length limit.
        ClaimJti = "claim-jti",
        /// `exp` is still to come.
        NotExpired = "time-not-expired",
        /// `iat` is not still to come.
        NotFuture = "time-not-future",
        /// The `jti` was not used before.
        Replay = "replay",
        /// `scope` has `openid` and a service code.
        RequestScope = "request-scope",
        /// `login_hint_token` is a compact JWS over a `user_identifier_token`.
        RequestLoginHint = "request-login-hint",
        /// `acr_values`, if there, is `acr_basic` or `acr_advanced`, as a URL.
        RequestAcr = "request-acr-values",
        /// `requested_expiry`, if there, is a positive integer.
        RequestExpiry = "request-requested-expiry",
        /// `client_notification_token`, if there, is a bearer token of at most 1024 characters.
        RequestNotification = "request-notification-token",
        /// `claims`, if there, is a JSON object.
        RequestClaims = "request-claims",
        /// Neither `id_token_hint` nor `login_hint` is there: the server does not support them.
        RequestMembers = "request-members",
        /// `type` of the login hint is `user_identifier_token`.
        HintType = "login-hint-type",
        /// `value` of the login hint is there, within the length limit.
        HintValue = "login-hint-value",
    }
}

named! {
    /// What a rule is about: each subject has a verdict of its own.
    #[allow(clippy::exhaustive_enums, reason = "readers print each")]
    pub enum Subject {
        /// Whether the token keeps the rules of its scheme.
        Rules = "rules",
        /// Whether the key that signed is one that the judge trusts.
        Trust = "trust",
        /// Whether the scheme's registry vouches for the party.
        Party = "party",
        /// Whether a certificate was revoked.
        Revocation = "revocation",
        /// Whether the token was used before.
        Replay = "replay",
    }
}

impl RuleId {
    /// What the rule is about.
    pub const fn subject(self) -> Subject {
        match self {
            Self::KeyKnown | Self::ChainTrusted => Subject::Trust,
            Self::PartyStatus => Subject::Party,
            Self::Revocation => Subject::Revocation,
            Self::Replay => Subject::Replay,
            _ => Subject::Rules,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RuleId;

    #[test]
    fn every_rule_is_listed_once_in_order() {
        assert!(RuleId::ALL.is_sorted_by(|one, next| one < next));
        for rule in RuleId::ALL {
            assert_eq!(RuleId::by_name(rule.name()), Some(rule));
        }
    }
}
