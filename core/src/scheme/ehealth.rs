//! Belgian eHealth I.AM Connect: a Keycloak; the key is named by `kid`, the audience is the realm.

use super::{
    AudienceRule, KeyReference, Lifetime, NotBefore, Rule, Scheme, SchemeRules, TokenRequestRules,
};
use crate::id::IdSyntax;
use crate::jws::Algorithm;

/// eHealth I.AM Connect, client credentials with a signed JWT.
pub const EHEALTH: Scheme = Scheme {
    code: 4,
    rules: SchemeRules {
        name: "ehealth",
        title: "eHealth I.AM Connect",
        algorithms: Rule::new(
            &[Algorithm::Rs256],
            "eHealth: RS256; Keycloak: alg equals the setting of the client",
        ),
        key_reference: Rule::new(
            KeyReference::Kid,
            "Keycloak: a key is found by kid; x5c and x5t are not read",
        ),
        client_id: Rule::new(
            &[IdSyntax::Opaque],
            "eHealth section 5.3: iss and sub correspond to the client_id",
        ),
        client_id_in_leaf: None,
        audience: Rule::new(
            AudienceRule::of(&[IdSyntax::RealmIssuer], &["/realms/"]),
            "eHealth section 5.3: aud is https://[IAMConnectRoot]/auth/realms/[realm id], one /auth only",
        ),
        lifetime: Rule::new(
            Lifetime::new(60, 1, 60),
            "Keycloak: an assertion may live 60 s by default",
        ),
        issued_at_required: Rule::new(false, "Keycloak: iat is optional"),
        not_before: Rule::new(
            NotBefore::Absent,
            "older Keycloak tolerates no difference between the clocks on nbf: it is left out",
        ),
        leaf_key_usage: Rule::new(&[], "eHealth: the certificate is registered, not sent"),
        leaf_purposes: Rule::new(&[], "eHealth: the certificate is registered, not sent"),
        registry: None,
        request_object: None,
        authorization_request: Some(Rule::new(
            Lifetime::new(60, 1, 300),
            "RFC 9101 section 4; eHealth section 5.10: a page waits for 5 minutes",
        )),
        token_request: TokenRequestRules {
            path: Rule::new(
                "/protocol/openid-connect/token",
                "eHealth section 4.1: POST /auth/realms/[realm id]/protocol/openid-connect/token",
            ),
            grant_type: Rule::new("client_credentials", "eHealth section 5.3: grant_type"),
            scope: None,
            client_id: Rule::new(true, "Keycloak: client_id is optional and must equal sub"),
            base_url: Some(Rule::new(
                "https://api.ehealth.fgov.be/auth",
                "eHealth: production https://api.ehealth.fgov.be/auth",
            )),
            members: &[],
        },
    },
};
