//! Why a token that somebody made for us is not accepted.

mod jwe;
mod jws;

pub use jwe::{JweFault, MAX_JWE};
pub use jws::{JwsFault, MAX_PROVIDER_JWS};

/// Why a token is not accepted: which token, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {subject} {fault}")]
pub struct JoseError {
    subject: &'static str,
    fault: JoseFault,
}

/// What is wrong with a token: a clause whose subject is the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoseFault {
    /// Its signature, or what is signed.
    #[error(transparent)]
    Jws(#[from] JwsFault),
    /// Its encryption.
    #[error(transparent)]
    Jwe(#[from] JweFault),
}

impl JoseError {
    /// The same about a token that is called so: `id_token`.
    #[must_use]
    pub fn of(self, subject: &'static str) -> Self {
        Self { subject, ..self }
    }

    /// A claim does not say what it must: what is wrong with it.
    pub(crate) fn claim(name: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        JwsFault::Claim { name, what }.into()
    }

    /// What is wrong.
    pub const fn fault(&self) -> &JoseFault {
        &self.fault
    }

    /// The same, in which `secret` is not repeated: for the response of a server that was sent it.
    #[must_use]
    pub(crate) fn without(mut self, secret: &str) -> Self {
        if let JoseFault::Jws(fault) = &mut self.fault {
            fault.leave_out(secret);
        }
        self
    }
}

impl<F: Into<JoseFault>> From<F> for JoseError {
    fn from(fault: F) -> Self {
        let fault = fault.into();
        let subject = match fault {
            JoseFault::Jws(_) => "JWS",
            JoseFault::Jwe(_) => "JWE",
        };
        Self { subject, fault }
    }
}
