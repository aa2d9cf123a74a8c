//! A device's policy for people and for machines.

use privyseal_protocol::{Policy, SchemePolicy, Statement};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::hex;
use crate::moment::moment;

/// A line for each thing that it says.
pub(crate) fn lines(policy: &Policy<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if policy.unwraps() {
        lines.push("content keys  unwrapped, with RSA-OAEP-256; nothing is signed".to_owned());
    }
    for entry in &policy.schemes {
        let kid = entry
            .kid
            .map(|kid| format!(", kid {}", kid.escape_default()));
        lines.push(format!(
            "scheme        {} as {}{}",
            entry.scheme.rules().name(),
            entry.client_id.escape_default(),
            kid.unwrap_or_default()
        ));
        for (statement, name) in [
            (Statement::Assertion, "audience"),
            (Statement::AuthenticationRequest, "request to"),
            (Statement::AuthorizationRequest, "login at"),
        ] {
            for audience in audiences(policy, entry, statement) {
                lines.push(format!("  {name:<10}  {}", audience.escape_default()));
            }
        }
    }
    let rate = policy.rate;
    if !policy.unwraps() {
        lines.push(format!("lifetime      {} s at most", policy.max_lifetime));
    }
    lines.push(format!(
        "rate          {} in {} s",
        rate.assertions, rate.seconds
    ));
    let unless = policy
        .authority
        .map_or("", |_| ", unless the authority lowers it");
    lines.push(format!(
        "not before    {}{unless}",
        moment(policy.time_floor)
    ));
    if !policy.unwraps() {
        lines.push(format!("time jump     {} s at most", policy.max_jump));
    }
    lines.push(match policy.authority {
        Some(spki) => format!("authority     {}", hex::encode(&Sha256::digest(spki))),
        None => "authority     none".to_owned(),
    });
    lines.push(match policy.presence {
        Some(seconds) => format!("button        within {seconds} s"),
        None => "button        not needed".to_owned(),
    });
    if policy.unlock {
        lines.push("unlock        demanded at each start".to_owned());
    }
    lines.push(format!(
        "entropy       seed{}",
        if policy.board_entropy {
            " and board"
        } else {
            ""
        }
    ));
    lines
}

pub(crate) fn json(policy: &Policy<'_>) -> Value {
    let schemes = policy.schemes.iter().map(|entry| {
        json!({
            "scheme": entry.scheme.rules().name(),
            "client_id": entry.client_id,
            "kid": entry.kid,
            "audiences": audiences(policy, entry, Statement::Assertion).collect::<Value>(),
            "authentication_requests":
                audiences(policy, entry, Statement::AuthenticationRequest).collect::<Value>(),
            "authorization_requests":
                audiences(policy, entry, Statement::AuthorizationRequest).collect::<Value>(),
        })
    });
    json!({
        "content_keys": policy.unwraps(),
        "schemes": schemes.collect::<Value>(),
        "max_lifetime": policy.max_lifetime,
        "rate": { "assertions": policy.rate.assertions, "seconds": policy.rate.seconds },
        "time_floor": policy.time_floor,
        "max_jump": policy.max_jump,
        "authority_sha256": policy.authority.map(|spki| hex::encode(&Sha256::digest(spki))),
        "presence": policy.presence,
        "board_entropy": policy.board_entropy,
        "unlock": policy.unlock,
    })
}

fn audiences<'p>(
    policy: &'p Policy<'p>,
    entry: &'p SchemePolicy<'p>,
    statement: Statement,
) -> impl Iterator<Item = &'p str> {
    let of_scheme = policy
        .audiences
        .iter()
        .filter(move |allowed| allowed.allows(entry.scheme, statement));
    of_scheme.map(|allowed| allowed.audience)
}
