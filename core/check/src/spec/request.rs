//! Rules about a request object, and about the login hint token inside it or alone.

use super::{Judge, at_most, form_is};
use crate::facts::Claims;
use crate::json::Value;
use crate::report::Report;
use crate::rule::RuleId;
use crate::verdict::{Violation, ensure};
use privyseal_core::field::Fault;
use privyseal_core::limits::MAX_USER_IDENTIFIER_TOKEN;
use privyseal_core::payload::AcrValues;
use privyseal_core::payload::request_object::{check_notification_token, check_scope};

const HINT: &str =
    "itsme, backchannel authentication: login_hint_token wraps the user_identifier_token";

const SCOPE: &str = "itsme, backchannel authentication: scope has openid and service:CODE";
const ACR: &str = "itsme, backchannel authentication: acr_values";
const EXPIRY: &str = "CIBA Core section 7.1: requested_expiry is a positive integer";
const TOKEN: &str = "CIBA Core section 7.1: client_notification_token, max 1024 characters";
const CLAIMS: &str = "OIDC Core section 5.5: claims is a JSON object";
const MEMBERS: &str =
    "itsme, backchannel authentication: id_token_hint and login_hint are not accepted";

impl Judge<'_, '_> {
    pub(super) fn request(&self, report: &mut Report) {
        self.on_claims(report, RuleId::RequestScope, SCOPE, &[], |claims| {
            check_scope(claims.scope.required()?).map_err(|error| error.fault.into())
        });
        self.on_claims(report, RuleId::RequestLoginHint, HINT, &[], login_hint);
        self.on_claims(report, RuleId::RequestAcr, ACR, &[], |claims| {
            let known = AcrValues::ALL.map(AcrValues::name);
            match claims.acr_values.optional()? {
                Some(value) if !known.contains(&value) => {
                    Err(form_is("acr_basic or acr_advanced, as a URL"))
                }
                _ => Ok(()),
            }
        });
        self.on_claims(
            report,
            RuleId::RequestExpiry,
            EXPIRY,
            &[],
            |claims| match claims.object.get("requested_expiry") {
                None => Ok(()),
                Some(Value::Number(digits))
                    if digits.parse::<u64>().is_ok_and(|value| value > 0) =>
                {
                    Ok(())
                }
                Some(Value::Number(_)) => Err(form_is("a positive integer")),
                Some(other) => Err(Violation::kind(other.kind(), "a positive integer")),
            },
        );
        self.on_claims(
            report,
            RuleId::RequestNotification,
            TOKEN,
            &[],
            |claims| match claims.notification.optional()? {
                Some(token) => check_notification_token(token).map_err(|error| error.fault.into()),
                None => Ok(()),
            },
        );
        self.on_claims(
            report,
            RuleId::RequestClaims,
            CLAIMS,
            &[],
            |claims| match claims.object.get("claims") {
                None | Some(Value::Object(_)) => Ok(()),
                Some(other) => Err(Violation::kind(other.kind(), "an object")),
            },
        );
        self.on_claims(report, RuleId::RequestMembers, MEMBERS, &[], |claims| {
            let has = |name| claims.object.get(name).is_some();
            let is_accepted = !has("id_token_hint") && !has("login_hint");
            ensure(
                is_accepted,
                Violation::Text("has id_token_hint or login_hint"),
            )
        });
    }

    pub(super) fn login_hint(&self, report: &mut Report) {
        self.on_claims(report, RuleId::HintType, HINT, &[], |claims| {
            is_hint(claims.own_hint.kind.required()?)
        });
        self.on_claims(report, RuleId::HintValue, HINT, &[], |claims| {
            at_most(claims.own_hint.value.required()?, MAX_USER_IDENTIFIER_TOKEN)
        });
    }
}

/// A compact JWS over the two members. Its own signature is judged where it is checked by itself.
fn login_hint(claims: &Claims<'_>) -> Result<(), Violation> {
    claims
        .login_hint_token
        .required()
        .map_err(|why| match why {
            Violation::Type { found, .. } => Violation::kind(found, "a compact JWS"),
            why => why,
        })?;
    let hint = claims.login_hint.ok_or(Violation::Fault(Fault::Form {
        expected: "a compact JWS over a JSON object",
    }))?;
    is_hint(hint.kind.required()?)?;
    at_most(hint.value.required()?, MAX_USER_IDENTIFIER_TOKEN)
}

fn is_hint(kind: &str) -> Result<(), Violation> {
    let why = Violation::Text("has another type than user_identifier_token");
    ensure(kind == "user_identifier_token", why)
}
