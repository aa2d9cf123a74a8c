//! What can be said about a finished token: the spec view of its scheme, and the view of the receivers
//! that exist.

mod revocation;
mod show;

use privyseal_check::{Question, Registry, Report, check};
use privyseal_core::{Audience, Scheme, UnixTime};

use crate::error::Error;
use crate::jose::jwk::KeySet;
use crate::pki::certificates::Certificates;
use crate::pki::crl::Crl;
use crate::pki::links::HostLinks;

pub(crate) use revocation::Lists;

/// A token, judged at one moment.
#[derive(Clone, Debug)]
pub struct TokenReport {
    /// The moment for which it was judged.
    pub now: UnixTime,
    /// Every rule and every receiver.
    pub report: Report,
}

/// What to judge a token by.
#[derive(Clone, Copy)]
pub struct TokenQuestion<'a> {
    /// The moment.
    pub now: UnixTime,
    /// The scheme; `None` to guess it from the content.
    pub scheme: Option<&'static Scheme>,
    /// Who the receiver is, if that is known.
    pub audience: Option<&'a str>,
    /// The issuer's keys, for schemes that name a key by `kid`.
    pub keys: Option<&'a KeySet>,
    /// Certificates that are trusted.
    pub trust: Option<&'a Certificates>,
    /// Revocation lists; none means that revocation is not checked.
    pub crls: &'a [Crl],
    /// What the scheme's registry says, if it was asked ([`crate::schemes::ishare::judge_assertion`] does).
    pub registry: Option<&'a dyn Registry>,
}

impl core::fmt::Debug for TokenQuestion<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TokenQuestion")
            .field("now", &self.now)
            .field("scheme", &self.scheme.map(|scheme| scheme.name))
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl TokenReport {
    /// Judges `token`; white space around it does not count.
    pub fn new(token: &str, question: TokenQuestion<'_>) -> Result<Self, Error> {
        let token = token.trim();
        let keys = question.keys.map(KeySet::known_keys);
        let anchors = question.trust.map(|trust| trust.iter().collect::<Vec<_>>());
        let lists = Lists {
            crls: question.crls,
            now: question.now,
        };
        let asked = Question {
            scheme: question.scheme,
            audience: question.audience.map(Audience::new).transpose()?,
            keys: keys.as_deref(),
            anchors: anchors.as_deref(),
            registry: question.registry,
            revocations: (!question.crls.is_empty()).then_some(&lists),
            ..Question::at(question.now, &HostLinks)
        };
        // The core asks for three times the token, and refuses one that is too long by itself.
        let mut scratch = vec![0; token.len().saturating_mul(3)];
        Ok(Self {
            now: question.now,
            report: check(token, &asked, &mut scratch),
        })
    }

    /// How many rules of the scheme are broken.
    pub fn broken(&self) -> usize {
        self.report.broken().count()
    }
}
