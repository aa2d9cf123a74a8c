//! KPN FIAM: one audience, thirty seconds, the whole chain in the header.

use super::{
    AudienceRule, KeyReference, Lifetime, NotBefore, Rule, SIGNING_PURPOSES, Scheme, SchemeRules,
    TokenRequestRules,
};
use crate::cert::KeyUsage;
use crate::id::IdSyntax;
use crate::jws::Algorithm;

/// KPN FIAM (Federated Identity and Access Management), production.
pub const FIAM: Scheme = Scheme {
    code: 0,
    rules: SchemeRules {
        name: "fiam",
        title: "KPN FIAM",
        algorithms: Rule::new(
            &[Algorithm::Rs256],
            "FIAM step 1: signed JWTs MUST use and specify RS256",
        ),
        key_reference: Rule::new(
            KeyReference::X5cWithRoot,
            "FIAM step 1: x5c MUST contain the complete certificate chain, including the root",
        ),
        client_id: Rule::new(
            // The page's example is `EU.EORI.KVKxxxxxx`; ids that FIAM's onboarding hands out are EORI numbers.
            &[IdSyntax::Eori],
            "FIAM step 1: iss and sub MUST contain a valid Party Identifier",
        ),
        client_id_in_leaf: None,
        audience: Rule::new(
            AudienceRule {
                default: Some("EU.EORI.NLKPNFIAMPROD"),
                only_default: false,
                marks: &["EU.EORI.NLKPNFIAMPROD"],
                syntax: &[IdSyntax::Eori],
                endpoints: &[],
            },
            "FIAM step 1: aud is the ID of FIAM, EU.EORI.NLKPNFIAMPROD",
        ),
        lifetime: Rule::new(
            Lifetime::exactly(30),
            "FIAM step 1: the JWT MUST be set to expire in 30 seconds",
        ),
        issued_at_required: Rule::new(
            true,
            "FIAM step 1: the JWT MUST always contain the iat claim",
        ),
        not_before: Rule::new(
            NotBefore::EqualsIssuedAt,
            "FIAM step 1: the example payload has nbf equal to iat",
        ),
        leaf_key_usage: Rule::new(
            &[KeyUsage::NonRepudiation, KeyUsage::DigitalSignature],
            "FIAM prerequisites: an eSeal X.509 certificate (ETSI EN 319 412-2 section 4.3.2)",
        ),
        leaf_purposes: Rule::new(
            SIGNING_PURPOSES,
            "FIAM prerequisites: an eSeal X.509 certificate (RFC 5280 section 4.2.1.12)",
        ),
        registry: None,
        request_object: None,
        authorization_request: None,
        token_request: TokenRequestRules {
            path: Rule::new("/oauth/token", "FIAM step 2: POST /oauth/token"),
            grant_type: Rule::new("client_credentials", "FIAM step 2"),
            scope: None,
            client_id: Rule::new(false, "FIAM step 2: the form has three members"),
            base_url: Some(Rule::new(
                "https://api-prd.kpn.com/fiam/api/v1",
                "FIAM base URL",
            )),
            members: &[],
        },
    },
};
