//! The claims of an answer: from the registry, for us, now.

use privyseal_core::UnixTime;
use privyseal_core::scheme::ISHARE;
use serde_json::{Map, Value};

use super::{AnswerFault, Expected};

/// Seconds by which the registry's clock may be ahead of this one.
const MAX_LEAD: u64 = 5;

impl Expected<'_> {
    /// Judges the claims that every iSHARE JWT has.
    pub(super) fn judge(
        &self,
        claims: &Map<String, Value>,
        now: UnixTime,
    ) -> Result<(), AnswerFault> {
        let text = |name| claims.get(name).and_then(Value::as_str);
        let is = |name, expected, rule| match text(name) {
            Some(found) if found == expected => Ok(()),
            _ => Err(AnswerFault::Claim { name, rule }),
        };
        is("iss", self.registry_id, "is not the registry's party id")?;
        is("sub", self.registry_id, "is not the registry's party id")?;
        is("aud", self.client_id, "is not the party that asked")?;
        if text("jti").is_none_or(str::is_empty) {
            let rule = "is missing or no string";
            return Err(AnswerFault::Claim { name: "jti", rule });
        }
        moments(claims, now.as_secs())
    }
}

fn moments(claims: &Map<String, Value>, now: u64) -> Result<(), AnswerFault> {
    let seconds = |name| {
        let seconds = claims.get(name).and_then(Value::as_u64);
        let rule = "is missing or no whole number of seconds";
        seconds.ok_or(AnswerFault::Claim { name, rule })
    };
    let (iat, exp) = (seconds("iat")?, seconds("exp")?);
    if exp.checked_sub(iat) != Some(ISHARE.lifetime().value().default()) {
        return Err(AnswerFault::Lifetime);
    }
    let nbf = claims.get("nbf").map(|_| seconds("nbf")).transpose()?;
    let begin = nbf.unwrap_or(iat).max(iat);
    if begin > now.saturating_add(MAX_LEAD) {
        return Err(AnswerFault::Future { begin, now });
    }
    if now >= exp {
        return Err(AnswerFault::Expired { exp, now });
    }
    Ok(())
}
