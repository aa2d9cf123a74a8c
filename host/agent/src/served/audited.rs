//! The assertions of a profile, each written down before it leaves.

use std::time::Instant;

use privyseal::keys::SignerFailure;
use privyseal::oauth::OAuthError;
use privyseal::{Assertion, AssertionOptions, AssertionSource};
use privyseal_core::{Credential, SignerError as _, SignerErrorKind};

use super::{Opened, Requester, Served};
use crate::audit::AuditEntry;

/// What makes the assertions of a profile for one who asks: no assertion leaves it that is not in the audit log.
pub(super) struct Audited<'a> {
    pub(super) served: &'a Served,
    pub(super) opened: &'a Opened,
    pub(super) requester: Requester,
}

impl AssertionSource for Audited<'_> {
    fn credential(&self) -> &Credential<Vec<u8>> {
        self.opened.client.source().credential()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        let begun = Instant::now();
        let made = self.opened.client.assertion(options);
        let is_made = made.is_ok();
        let outcome = self.written_down(made, options);
        let kind = match &outcome {
            Ok(_) => "ok",
            Err(_) if is_made => "audit",
            Err(error) => kind_of(error),
        };
        let metrics = &self.served.shared.metrics;
        metrics.assertion(&self.served.name, kind, begun.elapsed());
        outcome
    }
}

impl Audited<'_> {
    fn written_down(
        &self,
        made: Result<Assertion, OAuthError>,
        options: &AssertionOptions,
    ) -> Result<Assertion, OAuthError> {
        let requester = match self.requester {
            Requester::User(uid) => format!("uid {uid}"),
            Requester::Bearer => "bearer".to_owned(),
        };
        let reason = made.as_ref().err().map(ToString::to_string);
        let said = made.as_ref().ok();
        let audience = said.and_then(|assertion| assertion.claim("aud"));
        let jti = said.and_then(|assertion| assertion.claim("jti"));
        let mut entry = AuditEntry::new(if made.is_ok() { "signed" } else { "failed" });
        entry.profile = Some(&self.served.name);
        entry.scheme = Some(self.scheme().name());
        entry.audience = audience.as_deref().or(options.audience.as_deref());
        entry.jti = jti.as_deref();
        entry.key = Some(&self.opened.key_digest);
        entry.requester = Some(&requester);
        entry.reason = reason.as_deref();
        let written = self.served.shared.audit.append(entry);
        let assertion = made?;
        if let Err(error) = written {
            tracing::error!(%error, "an assertion was not released");
            return Err(SignerFailure::new(error).into());
        }
        Ok(assertion)
    }
}

fn kind_of(error: &OAuthError) -> &'static str {
    match error {
        OAuthError::Signer(failure) => match failure.kind() {
            SignerErrorKind::Timeout => "timeout",
            _ => "key",
        },
        OAuthError::Core(privyseal_core::Error::Signature(_)) => "key",
        _ => "rule",
    }
}
