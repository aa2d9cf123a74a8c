//! The assertions of a profile, each written down before it leaves.

use std::sync::Arc;
use std::time::Instant;

use privyseal::base::entropy;
use privyseal::keys::SignerFailure;
use privyseal::oauth::OAuthError;
use privyseal::{Assertion, AssertionOptions, AssertionSource};
use privyseal_core::{Audience, Credential, SignerError as _, SignerErrorKind};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::{Opened, Served};
use crate::audit::{AuditEntry, AuditError};

/// What makes the assertions of a profile for one who asks: no assertion leaves it that is not in the audit log.
pub(super) struct Audited<'a> {
    pub(super) served: &'a Served,
    pub(super) opened: &'a Opened,
    pub(super) requester: String,
}

impl AssertionSource for Audited<'_> {
    fn credential(&self) -> &Credential<Vec<u8>> {
        self.opened.client.source().credential()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        let begun = Instant::now();
        let outcome = self.written_down(options);
        let kind = match &outcome {
            Ok(_) => "ok",
            Err(Unreleased::Unwritten(_)) => "audit",
            Err(Unreleased::Unmade(error)) => kind_of(error),
        };
        let metrics = &self.served.shared.metrics;
        metrics.assertion(&self.served.name, kind, begun.elapsed());
        outcome.map_err(|unreleased| match unreleased {
            Unreleased::Unmade(error) => error,
            Unreleased::Unwritten(error) => {
                tracing::error!(%error, "an assertion was not released");
                SignerFailure::new(error).into()
            }
        })
    }
}

/// Why there is no assertion.
enum Unreleased {
    Unmade(OAuthError),
    Unwritten(AuditError),
}

impl From<OAuthError> for Unreleased {
    fn from(error: OAuthError) -> Self {
        Self::Unmade(error)
    }
}

impl From<AuditError> for Unreleased {
    fn from(error: AuditError) -> Self {
        Self::Unwritten(error)
    }
}

impl Audited<'_> {
    /// An assertion whose line is on the disk. The disk is waited for while the key signs.
    fn written_down(&self, options: &AssertionOptions) -> Result<Assertion, Unreleased> {
        let (client, shared) = (&self.opened.client, &self.served.shared);
        let default = self.scheme().choose_audience(None).ok();
        let audience = options.audience.as_deref();
        let audience = audience.or(default.map(Audience::as_str));
        // A gateway makes the jti, and what breaks a rule is not signed.
        if self.opened.is_gateway || options.check(self.scheme()).is_err() {
            let made = client.assertion(options);
            let jti = made.as_ref().ok().and_then(|made| made.claim("jti"));
            let failure = made.as_ref().err().map(ToString::to_string);
            let jti = jti.as_ref().and_then(|jti| jti.as_str());
            let entry = self.entry(audience, jti, failure.as_deref());
            let written = shared.audit.append(entry);
            let assertion = made?;
            return Ok(written.map(|()| assertion)?);
        }
        let jti = entropy::jti().map_err(OAuthError::from)?;
        let mut options = options.clone();
        options.jti = Some(jti.as_jti().as_str().to_owned());
        let jti = options.jti.as_deref();
        let written = shared.audit.write(self.entry(audience, jti, None))?;
        let synced = written.map(|line| {
            let shared = Arc::clone(shared);
            spawn_blocking(move || shared.audit.sync(&line))
        });
        let made = client.assertion(&options);
        let assertion = made.inspect_err(|error| {
            let failure = error.to_string();
            let entry = self.entry(audience, jti, Some(&failure));
            let taken_back = shared.audit.append(entry);
            if let Err(error) = taken_back {
                tracing::error!(%error, "that an assertion was not made is not in the audit log");
            }
        })?;
        match synced.map(|it| Handle::current().block_on(it)) {
            Some(Ok(synced)) => synced?,
            Some(Err(_)) => return Err(shared.audit.broken().into()),
            None => {}
        }
        Ok(assertion)
    }

    fn entry<'e>(
        &'e self,
        audience: Option<&'e str>,
        jti: Option<&'e str>,
        failure: Option<&'e str>,
    ) -> AuditEntry<'e> {
        AuditEntry {
            profile: Some(&self.served.name),
            scheme: Some(self.scheme().name()),
            audience,
            jti,
            key: Some(&self.opened.key_digest),
            requester: Some(&self.requester),
            reason: failure,
            ..AuditEntry::new(failure.map_or("signed", |_| "failed"))
        }
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
