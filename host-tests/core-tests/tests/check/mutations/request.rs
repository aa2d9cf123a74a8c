//! What can be wrong with itsme's request object and its login hint token.

use serde_json::{Value, json};

use super::{ANY, KID, Mutation};
use crate::draft::Draft;

/// Claims that a login hint token has not, and sub, which a request object has not.
fn applies(rule: &str, is_hint: bool) -> bool {
    let of_claims = rule.starts_with("claim-") || rule.starts_with("time-");
    match rule {
        "claim-sub" | "iss-equals-sub" => false,
        // Rules of its own, below.
        "client-id" | "claim-nbf" | "claim-aud" => false,
        "lifetime" => !is_hint,
        _ => !(is_hint && of_claims),
    }
}

fn shared(is_hint: bool) -> Vec<Mutation> {
    let all = ANY
        .iter()
        .chain(KID)
        .filter(|(rule, ..)| applies(rule, is_hint));
    all.copied().collect()
}

pub(super) fn mutations() -> Vec<Mutation> {
    shared(false)
        .into_iter()
        .chain(REQUEST.iter().copied())
        .collect()
}

pub(super) fn hint_mutations() -> Vec<Mutation> {
    shared(true)
        .into_iter()
        .chain(HINT.iter().copied())
        .collect()
}

const REQUEST: &[Mutation] = &[
    ("client-id", "a line break in it", |draft| {
        draft.claims["iss"] = json!("a\nb");
    }),
    ("claim-aud", "an endpoint", |draft| {
        draft.claims["aud"] = json!("https://idp.e2e.itsme.services/v2/token");
    }),
    ("claim-aud", "missing", |draft| draft.without("aud")),
    ("claim-iat", "missing", |draft| draft.without("iat")),
    ("claim-nbf", "missing", |draft| draft.without("nbf")),
    ("claim-nbf", "a date", |draft| {
        draft.claims["nbf"] = json!("2023-08-25T14:56:12.870Z");
    }),
    ("time-not-future", "nbf to come", |draft| {
        draft.claims["nbf"] = json!(draft.now + 1);
    }),
    ("request-scope", "missing", |draft| draft.without("scope")),
    ("request-scope", "no openid", |draft| {
        draft.claims["scope"] = json!("service:TEST");
    }),
    ("request-scope", "no service", |draft| {
        draft.claims["scope"] = json!("openid profile");
    }),
    ("request-scope", "two spaces", |draft| {
        draft.claims["scope"] = json!("openid  service:TEST");
    }),
    ("request-login-hint", "missing", |draft| {
        draft.without("login_hint_token");
    }),
    ("request-login-hint", "an object", |draft| {
        draft.claims["login_hint_token"] = json!({"type": "user_identifier_token", "value": "x"});
    }),
    ("request-login-hint", "not a token", |draft| {
        draft.claims["login_hint_token"] = json!("x");
    }),
    ("request-login-hint", "without value", |draft| {
        hint(draft, |hint| hint.without("value"));
    }),
    ("request-login-hint", "of another type", |draft| {
        hint(draft, |hint| hint.claims["type"] = json!("subject_code"));
    }),
    ("request-login-hint", "over an array", |draft| {
        hint(draft, |hint| hint.raw_claims = Some("[]".into()));
    }),
    ("request-acr-values", "unknown", |draft| {
        draft.claims["acr_values"] = json!("urn:loa:3");
    }),
    ("request-acr-values", "an array", |draft| {
        draft.claims["acr_values"] = json!([]);
    }),
    ("request-requested-expiry", "zero", |draft| {
        draft.claims["requested_expiry"] = json!(0);
    }),
    ("request-requested-expiry", "a string", |draft| {
        draft.claims["requested_expiry"] = json!("120");
    }),
    ("request-requested-expiry", "negative", |draft| {
        draft.claims["requested_expiry"] = json!(-1);
    }),
    ("request-notification-token", "too long", |draft| {
        draft.claims["client_notification_token"] = json!("n".repeat(1025));
    }),
    ("request-notification-token", "a blank in it", |draft| {
        draft.claims["client_notification_token"] = json!("a b");
    }),
    ("request-claims", "a string", |draft| {
        draft.claims["claims"] = json!("{id_token:{name:null}}");
    }),
    ("request-members", "login_hint", |draft| {
        draft.claims["login_hint"] = json!("x");
    }),
    ("request-members", "id_token_hint", |draft| {
        draft.claims["id_token_hint"] = json!("x");
    }),
];

const HINT: &[Mutation] = &[
    ("login-hint-type", "another", |draft| {
        draft.claims["type"] = json!("subject_code");
    }),
    ("login-hint-type", "a number", |draft| {
        draft.claims["type"] = json!(1);
    }),
    ("login-hint-value", "a number", |draft| {
        draft.claims["value"] = json!(1);
    }),
    ("login-hint-value", "empty", |draft| {
        draft.claims["value"] = json!("");
    }),
    ("login-hint-value", "too long", |draft| {
        draft.claims["value"] = json!("v".repeat(1025));
    }),
];

/// Puts a changed login hint token into the request.
fn hint(draft: &mut Draft, change: fn(&mut Draft)) {
    let mut hint = Draft::of_hint();
    change(&mut hint);
    draft.claims["login_hint_token"] = Value::String(hint.token());
}
