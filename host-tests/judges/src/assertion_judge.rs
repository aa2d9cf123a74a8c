//! Judges client assertions that carry their certificates, without the core.
//!
//! Assertions are read by `jsonwebtoken` with ring's RSA, chains proved by `rustls-webpki`, times and names
//! compared here; nothing of the core takes part. So a mistake of the core cannot hide behind the same
//! mistake here.

mod claims;
mod jose;
mod refusal;
mod x5c;

pub use claims::Assertion;
pub use refusal::Refusal;
pub use x5c::TrustedRoot;

/// Judges `token` at `now` (seconds since the epoch) by what FIAM and iSHARE have in common. Whether its
/// `jti` is new is not asked here.
pub fn judge(
    token: &str,
    root: &TrustedRoot,
    audience: &str,
    now: u64,
) -> Result<Assertion, Refusal> {
    let chain = jose::certificates(token)?;
    let leaf_key = root.leaf_key(&chain, now)?;
    let claims = jose::verified_claims(token, &leaf_key)?;
    let mut assertion = claims::judge(&claims, audience, now)?;
    assertion.leaf = chain.into_iter().next().unwrap_or_default();
    Ok(assertion)
}
