//! A toy, to see what a new scheme takes.

use super::{
    AudienceRule, KeyReference, Lifetime, NotBefore, Rule, Scheme, SchemeRules, TokenRequestRules,
};
use crate::id::IdSyntax;
use crate::jws::Algorithm;

/// The toy.
pub const TOY: Scheme = Scheme {
    code: 5,
    rules: SchemeRules {
        name: "toy",
        title: "Toy",
        algorithms: Rule::new(&[Algorithm::Rs256], "toy: alg"),
        key_reference: Rule::new(KeyReference::Kid, "toy: kid"),
        client_id: Rule::new(&[IdSyntax::Opaque], "toy: client_id"),
        client_id_in_leaf: None,
        audience: Rule::new(
            AudienceRule::of(&[IdSyntax::HttpsUrl], &[".toy.example"]),
            "toy: aud",
        ),
        lifetime: Rule::new(Lifetime::new(20, 1, 20), "toy: lifetime"),
        issued_at_required: Rule::new(true, "toy: iat"),
        not_before: Rule::new(NotBefore::EqualsIssuedAt, "toy: nbf"),
        leaf_key_usage: Rule::new(&[], "toy: no certificate"),
        leaf_purposes: Rule::new(&[], "toy: no certificate"),
        registry: None,
        request_object: None,
        authorization_request: None,
        token_request: TokenRequestRules {
            path: Rule::new("/token", "toy: path"),
            grant_type: Rule::new("client_credentials", "toy: grant_type"),
            scope: None,
            client_id: Rule::new(true, "toy: client_id"),
            base_url: None,
            members: &[],
        },
    },
};
