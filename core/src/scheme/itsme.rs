//! itsme CIBA: the key is named by `kid`, and the audience depends on the endpoint.

use super::{
    AudienceRule, Endpoint, KeyReference, Lifetime, NotBefore, RequestObjectRules, Rule, Scheme,
    SchemeRules, TokenRequestRules,
};
use crate::id::IdSyntax;
use crate::jws::Algorithm;

/// itsme's OpenID Connect CIBA API, version 2.
pub const ITSME: Scheme = Scheme {
    code: 3,
    rules: SchemeRules {
        name: "itsme",
        title: "itsme CIBA",
        algorithms: Rule::new(
            &[Algorithm::Rs256],
            "itsme, discovery document: RS256 is what it lists for sure",
        ),
        key_reference: Rule::new(
            KeyReference::Kid,
            "itsme, JWK set: the kid names a key of the partner's JWK set; x5c is not used",
        ),
        client_id: Rule::new(
            &[IdSyntax::Opaque],
            "itsme: iss and sub MUST be the same as the client_id, which itsme generates",
        ),
        client_id_in_leaf: None,
        audience: Rule::new(
            AudienceRule {
                default: None,
                only_default: false,
                marks: &[".itsme.services"],
                syntax: &[IdSyntax::HttpsUrl],
                endpoints: &[
                    Endpoint {
                        name: "discovery",
                        audience_path: "/backchannel/authentication",
                        source: "itsme, user discovery: aud is base + /backchannel/authentication",
                    },
                    Endpoint {
                        name: "backchannel",
                        audience_path: "/token",
                        source: "itsme, backchannel authentication: aud is base + /token",
                    },
                    Endpoint {
                        name: "token",
                        audience_path: "/token",
                        source: "itsme, token endpoint: aud is base + /token",
                    },
                ],
            },
            "itsme: aud is the full URL of the resource, which differs by endpoint",
        ),
        lifetime: Rule::new(
            Lifetime::new(60, 1, 600),
            "itsme: exp is required; the example has 600 s between iat and exp",
        ),
        issued_at_required: Rule::new(false, "itsme: iat is optional"),
        not_before: Rule::new(
            NotBefore::Absent,
            "itsme: nbf is not among the claims of an assertion",
        ),
        leaf_key_usage: Rule::new(&[], "itsme: no certificate is used"),
        leaf_purposes: Rule::new(&[], "itsme: no certificate is used"),
        registry: None,
        request_object: Some(RequestObjectRules {
            audience_path: Rule::new(
                "",
                "CIBA Core section 7.1.1: aud is the issuer, which is the base",
            ),
            lifetime: Rule::new(
                Lifetime::new(60, 1, 600),
                "CIBA Core section 7.1.1: exp, iat and nbf are required",
            ),
        }),
        authorization_request: Some(Rule::new(
            Lifetime::new(60, 1, 600),
            "RFC 9101 section 4: a signed request that expires",
        )),
        token_request: TokenRequestRules {
            path: Rule::new("/token", "itsme, token endpoint: POST /token"),
            grant_type: Rule::new(
                "urn:openid:params:grant-type:ciba",
                "itsme, token endpoint: grant_type (CIBA Core section 10.1)",
            ),
            scope: None,
            client_id: Rule::new(true, "itsme, token endpoint: client_id"),
            base_url: Some(Rule::new(
                "https://idp.prd.itsme.services/v2",
                "itsme: base https://idp.[e2e/prd].itsme.services/v2",
            )),
            members: &[],
        },
    },
};
