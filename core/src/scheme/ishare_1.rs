//! iSHARE 1.x: EORI numbers; otherwise as 2.1.

use super::{AudienceRule, KeyReference, PartyLookup, Rule, Scheme, SchemeRules};
use crate::cert::KeyUsage;
use crate::id::IdSyntax;
use crate::jws::Algorithm;

use super::ishare::ISHARE;

/// iSHARE 1.x.
pub const ISHARE_1: Scheme = Scheme {
    code: 2,
    rules: SchemeRules {
        name: "ishare-1",
        title: "iSHARE 1.x",
        algorithms: Rule::new(&[Algorithm::Rs256], "iSHARE 1.x, JWT header: alg is RS256"),
        key_reference: Rule::new(
            KeyReference::X5cWithRoot,
            "iSHARE 1.x, JWT header: alg, typ and x5c; other header parameters SHALL NOT be used",
        ),
        client_id: Rule::new(
            &[IdSyntax::Eori],
            "iSHARE 1.x: client_id MUST contain the valid iSHARE identifier (EORI) of the client",
        ),
        client_id_in_leaf: None,
        audience: Rule::new(
            AudienceRule::of(&[IdSyntax::Eori], &[]),
            "iSHARE 1.x, JWT payload: aud MUST contain only the server's EORI",
        ),
        leaf_key_usage: Rule::new(
            &[KeyUsage::NonRepudiation, KeyUsage::DigitalSignature],
            "iSHARE 1.x: certificates are eIDAS eSeals or PKIoverheid",
        ),
        registry: Some(Rule::new(
            PartyLookup::EoriAndSubject,
            "iSHARE 1.x, certificate validation: GET /parties?eori=..&certificate_subject_name=..",
        )),
        ..ISHARE.rules
    },
};
