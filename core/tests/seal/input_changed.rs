//! Something to sign that was changed after it was made.

use privyseal_core::CertificationRequestInfo;
use privyseal_core::payload::Claims;

fn other_claims<'a>(claims: &Claims<'a>) -> Claims<'a> {
    let mut claims = claims.clone();
    claims.expires_at = claims.expires_at.saturating_add(315_360_000);
    claims
}

fn other_digest(info: &mut CertificationRequestInfo<'_>) {
    info.digest = [0; 32];
}

fn main() {}
