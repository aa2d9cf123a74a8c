//! The rules, each with a name that stays: people search for it, scripts compare it.

/// One rule that a token keeps or breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RuleId {
    /// Three parts in base64url without padding, with dots between them, within the length limit.
    JwsForm,
    /// The header is one JSON object, each member there once.
    HeaderJson,
    /// The payload is one JSON object, each member there once.
    PayloadJson,
    /// `alg` is one that the scheme accepts.
    HeaderAlg,
    /// `typ` is `JWT`.
    HeaderTyp,
    /// No header member but those that the scheme names.
    HeaderMembers,
    /// `x5c` is an array of strings.
    HeaderX5c,
    /// Each string of `x5c` is padded standard base64 without line breaks.
    X5cEncoding,
    /// Each string of `x5c` is a DER certificate; not too many, not too long.
    X5cCertificates,
    /// Leaf first, each certificate certified by the next.
    X5cOrder,
    /// Signatures, CA flags, path lengths, key usages of the CAs.
    X5cChain,
    /// The self-signed root is the last certificate.
    X5cRoot,
    /// All certificates are valid now.
    X5cDates,
    /// The leaf has a key usage that the scheme accepts.
    LeafKeyUsage,
    /// `kid` names the key.
    HeaderKid,
    /// The given key set has the key that `kid` names.
    KeyKnown,
    /// The key is RSA of an accepted size.
    KeySize,
    /// The signature was made by that key.
    Signature,
    /// The chain ends at a trusted certificate.
    ChainTrusted,
    /// No certificate was revoked.
    Revocation,
    /// The registry says that the party is active.
    PartyStatus,
    /// `iss` is a string.
    ClaimIss,
    /// `sub` is a string.
    ClaimSub,
    /// `iss` and `sub` are the same.
    IssEqualsSub,
    /// The client id has a syntax that the scheme accepts.
    ClientId,
    /// The leaf certificate names the client id.
    ClientIdInLeaf,
    /// `aud` is one string, and the one that it has to be.
    ClaimAud,
    /// `iat` is a whole number of seconds.
    ClaimIat,
    /// `exp` is a whole number of seconds.
    ClaimExp,
    /// `exp - iat` is what the scheme wants.
    Lifetime,
    /// `nbf` is as the scheme wants it.
    ClaimNbf,
    /// `jti` is a string within the length limit.
    ClaimJti,
    /// `exp` is still to come.
    NotExpired,
    /// `iat` is not still to come.
    NotFuture,
    /// The request object's `scope`.
    RequestScope,
    /// The request object's `login_hint_token`.
    RequestLoginHint,
    /// The request object's `acr_values`.
    RequestAcr,
    /// The request object's `requested_expiry`.
    RequestExpiry,
    /// The request object's `client_notification_token`.
    RequestNotification,
    /// The request object's `claims`.
    RequestClaims,
    /// The request object has no member that the server does not support.
    RequestMembers,
    /// The login hint's `type`.
    HintType,
    /// The login hint's `value`.
    HintValue,
}

impl RuleId {
    /// Every rule, in the order in which they are judged.
    pub const ALL: &[Self] = &[
        Self::JwsForm,
        Self::HeaderJson,
        Self::PayloadJson,
        Self::HeaderAlg,
        Self::HeaderTyp,
        Self::HeaderMembers,
        Self::HeaderX5c,
        Self::X5cEncoding,
        Self::X5cCertificates,
        Self::X5cOrder,
        Self::X5cChain,
        Self::X5cRoot,
        Self::X5cDates,
        Self::LeafKeyUsage,
        Self::HeaderKid,
        Self::KeyKnown,
        Self::KeySize,
        Self::Signature,
        Self::ChainTrusted,
        Self::Revocation,
        Self::PartyStatus,
        Self::ClaimIss,
        Self::ClaimSub,
        Self::IssEqualsSub,
        Self::ClientId,
        Self::ClientIdInLeaf,
        Self::ClaimAud,
        Self::ClaimIat,
        Self::ClaimExp,
        Self::Lifetime,
        Self::ClaimNbf,
        Self::ClaimJti,
        Self::NotExpired,
        Self::NotFuture,
        Self::RequestScope,
        Self::RequestLoginHint,
        Self::RequestAcr,
        Self::RequestExpiry,
        Self::RequestNotification,
        Self::RequestClaims,
        Self::RequestMembers,
        Self::HintType,
        Self::HintValue,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JwsForm => "jws-form",
            Self::HeaderJson => "header-json",
            Self::PayloadJson => "payload-json",
            Self::HeaderAlg => "header-alg",
            Self::HeaderTyp => "header-typ",
            Self::HeaderMembers => "header-members",
            Self::HeaderX5c => "header-x5c",
            Self::X5cEncoding => "x5c-encoding",
            Self::X5cCertificates => "x5c-certificates",
            Self::X5cOrder => "x5c-order",
            Self::X5cChain => "x5c-chain",
            Self::X5cRoot => "x5c-root",
            Self::X5cDates => "x5c-dates",
            Self::LeafKeyUsage => "leaf-key-usage",
            Self::HeaderKid => "header-kid",
            Self::KeyKnown => "key-known",
            Self::KeySize => "key-size",
            Self::Signature => "signature",
            Self::ChainTrusted => "chain-trusted",
            Self::Revocation => "revocation",
            Self::PartyStatus => "party-status",
            Self::ClaimIss => "claim-iss",
            Self::ClaimSub => "claim-sub",
            Self::IssEqualsSub => "iss-equals-sub",
            Self::ClientId => "client-id",
            Self::ClientIdInLeaf => "client-id-in-leaf",
            Self::ClaimAud => "claim-aud",
            Self::ClaimIat => "claim-iat",
            Self::ClaimExp => "claim-exp",
            Self::Lifetime => "lifetime",
            Self::ClaimNbf => "claim-nbf",
            Self::ClaimJti => "claim-jti",
            Self::NotExpired => "time-not-expired",
            Self::NotFuture => "time-not-future",
            Self::RequestScope => "request-scope",
            Self::RequestLoginHint => "request-login-hint",
            Self::RequestAcr => "request-acr-values",
            Self::RequestExpiry => "request-requested-expiry",
            Self::RequestNotification => "request-notification-token",
            Self::RequestClaims => "request-claims",
            Self::RequestMembers => "request-members",
            Self::HintType => "login-hint-type",
            Self::HintValue => "login-hint-value",
        }
    }

    /// The rule of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::RuleId;

    #[test]
    fn every_rule_is_listed_once_in_order() {
        assert!(RuleId::ALL.is_sorted_by(|one, next| one < next));
        for rule in RuleId::ALL {
            assert_eq!(RuleId::by_name(rule.name()), Some(*rule));
        }
    }
}
