//! What breaks a token under a scheme of a user's own: three of them, one for each way to name the key.

use std::sync::LazyLock;

use privyseal_core::id::IdSyntax;
use privyseal_core::scheme::{
    KeyReference, Lifetime, NotBefore, OwnAudience, OwnRules, OwnScheme, OwnTokenRequest,
};
use serde_json::json;

use super::{ANY, KEY_NAME, Mutation, x5c};
use crate::draft::{Draft, SERVER};

const RULES: OwnRules = OwnRules {
    name: "own-kid",
    title: "Own",
    key_reference: KeyReference::Kid,
    client_id: &[IdSyntax::Opaque],
    audience: OwnAudience::Only(SERVER),
    lifetime: Lifetime::new(30, 1, 600),
    not_before: NotBefore::EqualsIssuedAt,
    token_request: OwnTokenRequest {
        path: "",
        base_url: None,
        scope: None,
        client_id: true,
        members: &[],
    },
};

fn own(name: &'static str, key_reference: KeyReference) -> OwnScheme {
    OwnScheme::new(&OwnRules {
        name,
        key_reference,
        ..RULES
    })
    .unwrap()
}

static BY_KID: LazyLock<OwnScheme> = LazyLock::new(|| own("own-kid", KeyReference::Kid));
static BY_DIGEST: LazyLock<OwnScheme> = LazyLock::new(|| own("own-x5t", KeyReference::X5tS256));
static BY_CHAIN: LazyLock<OwnScheme> = LazyLock::new(|| own("own-x5c", KeyReference::X5cWithRoot));

pub(super) fn drafts() -> Vec<(Draft, Vec<Mutation>)> {
    let any = || ANY.iter().chain(OWN);
    let chain: Vec<_> = x5c::X5C
        .iter()
        .filter(|it| !it.0.starts_with("leaf-"))
        .collect();
    vec![
        (Draft::of(&BY_KID), any().copied().collect()),
        (
            Draft::of(&BY_DIGEST),
            any().chain(KEY_NAME).chain(DIGEST).copied().collect(),
        ),
        (Draft::of(&BY_CHAIN), any().chain(chain).copied().collect()),
    ]
}

const OWN: &[Mutation] = &[
    ("header-alg", "RS512", |draft| {
        draft.header["alg"] = json!("RS512");
    }),
    ("claim-iat", "missing", |draft| draft.without("iat")),
    ("claim-aud", "another of its syntax", |draft| {
        draft.claims["aud"] = json!("EU.EORI.NL000000002");
        draft.audience = Some("EU.EORI.NL000000002".into());
    }),
];

const DIGEST: &[Mutation] = &[
    ("header-members", "kid", |draft| {
        draft.header["kid"] = json!("k");
    }),
    ("header-x5t-s256", "missing", |draft| {
        draft.header_without("x5t#S256");
    }),
    ("header-x5t-s256", "in hex", |draft| {
        draft.header["x5t#S256"] = json!("ab".repeat(32));
    }),
    ("header-x5t-s256", "with bits of no byte", |draft| {
        draft.header["x5t#S256"] = json!(format!("{}B", "A".repeat(42)));
    }),
    ("key-known", "of another certificate", |draft| {
        draft.header["x5t#S256"] = json!("A".repeat(43));
    }),
];
