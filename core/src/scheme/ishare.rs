//! iSHARE 2.1 and 2.2: the receiver's party id as audience, thirty seconds, the whole chain.

use super::{
    AudienceRule, KeyReference, Lifetime, NotBefore, PartyLookup, Rule, SIGNING_PURPOSES, Scheme,
    SchemeRules, TokenRequestRules,
};
use crate::cert::KeyUsage;
use crate::id::IdSyntax;
use crate::jws::Algorithm;

/// Party identifiers of 2.1, and the EORI form that existing participants keep.
const PARTY_IDS: &[IdSyntax] = &[IdSyntax::DidIshare, IdSyntax::Eori];

/// iSHARE 2.1 and 2.2.
pub const ISHARE: Scheme = Scheme {
    code: 1,
    rules: SchemeRules {
        name: "ishare",
        title: "iSHARE 2.1",
        algorithms: Rule::new(
            &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512],
            "iSHARE, JWT header: alg RS256, or RS384 or RS512",
        ),
        key_reference: Rule::new(
            KeyReference::X5cWithRoot,
            "iSHARE, JWT header: x5c contains the complete chain, and no other header member",
        ),
        client_id: Rule::new(
            PARTY_IDS,
            "iSHARE, party identifiers: did:ishare with the certificate's organizationIdentifier, or EORI",
        ),
        client_id_in_leaf: Some(
            "iSHARE, party identifiers: the last part is the certificate's organizationIdentifier",
        ),
        audience: Rule::new(
            AudienceRule::of(PARTY_IDS, &["did:ishare:", "EU.EORI."]),
            "iSHARE, JWT payload: aud MUST contain only the server's party identifier",
        ),
        lifetime: Rule::new(
            Lifetime::exactly(30),
            "iSHARE, JWT payload: the JWT MUST be set to expire in 30 seconds",
        ),
        issued_at_required: Rule::new(
            true,
            "iSHARE, JWT payload: the JWT MUST always contain the iat claim",
        ),
        not_before: Rule::new(
            NotBefore::EqualsIssuedAt,
            "not in the rules; one receiver (bdi-stack) wants nbf to equal iat if it is there",
        ),
        leaf_key_usage: Rule::new(
            &[KeyUsage::NonRepudiation],
            "iSHARE, certificate validation: for eIDAS eSEALs key usage equals nonRepudiation",
        ),
        leaf_purposes: Rule::new(
            SIGNING_PURPOSES,
            "iSHARE, certificate validation: an eIDAS eSEAL (RFC 5280 section 4.2.1.12)",
        ),
        registry: Some(Rule::new(
            PartyLookup::Id,
            "iSHARE, certificate validation: the status at GET /parties/{party_id} is Active",
        )),
        request_object: None,
        authorization_request: Some(Rule::new(
            Lifetime::new(30, 30, 30),
            "iSHARE, JWT: exp is iat + 30 seconds",
        )),
        token_request: TokenRequestRules {
            path: Rule::new(
                "/connect/token",
                "iSHARE, access token: POST /connect/token",
            ),
            grant_type: Rule::new("client_credentials", "iSHARE, access token: grant_type"),
            scope: Some(Rule::new(
                "iSHARE",
                "iSHARE, access token: scope, case-sensitive",
            )),
            client_id: Rule::new(
                true,
                "iSHARE: client_id MUST contain the valid identifier of the client",
            ),
            base_url: None,
            members: &[],
        },
    },
};
