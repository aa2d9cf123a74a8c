//! What stands between a key and a token that a server accepts: looked at step by step, from the module to
//! the server's clock, until something is broken that makes the next step pointless.
//!
//! At most one PIN try is spent, and only where the token's flags allow it. What is signed to see whether
//! the key can is a certification request that is thrown away (see [`crate::report::self_test()`]).

#[cfg(feature = "gateway")]
mod device;
#[cfg(feature = "pkcs11")]
mod module;
mod show;

use std::path::Path;

use privyseal_core::cert::Certificate;
use privyseal_core::signer::SignerErrorKind;
use privyseal_core::{RsaPublicKey, Scheme, Signer as _, UnixTime};
use privyseal_hsm::SecretProvider;

use crate::error::Error;
use crate::exit::Exit;
use crate::http::{BaseUrl, Http};
use crate::keys::key::{AccessPolicy, KeySigner, KeyUri, OpenedKey};
use crate::pki::certificates::Certificates;
use crate::report::chain_report::{ChainQuestion, ChainReport, Finding, Verdict};
use crate::report::self_test::self_test;

/// How far a server's clock may be from this one, in seconds: half of the 30 that an assertion lives at
/// the strictest scheme, for the way and the server's own tolerance.
pub const MAX_CLOCK_SKEW: u64 = 15;

/// What to look at.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The key.
    pub key: &'a KeyUri,
    /// What a login may cost, and what the key must be.
    pub policy: AccessPolicy,
    /// The chain, in a file; without it, the one beside the key.
    pub chain: Option<&'a Path>,
    /// Whose rules the chain must obey.
    pub scheme: Option<&'static Scheme>,
    /// Whose clock to compare with, and how it is reached.
    pub server: Option<(&'a Http, &'a BaseUrl)>,
    /// This machine's clock.
    pub now: UnixTime,
}

/// All that was found, in the order of the steps.
#[derive(Clone, Debug, Default)]
pub struct DoctorReport {
    /// The steps that were made.
    pub steps: Vec<Step>,
    /// What to do next, the first thing first. Never empty.
    pub next: Vec<String>,
    /// What the command exits with: of all trouble, the one that comes first on the way to a token.
    exit: Option<Exit>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What was looked at, in one word or two.
    pub name: &'static str,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl DoctorReport {
    /// How much is broken.
    pub fn broken(&self) -> usize {
        let findings = self.steps.iter().flat_map(|step| &step.findings);
        findings
            .filter(|finding| finding.verdict == Verdict::Broken)
            .count()
    }

    fn add(&mut self, name: &'static str, verdict: Verdict, text: impl Into<String>) {
        let finding = Finding {
            verdict,
            text: text.into(),
        };
        match self.steps.last_mut() {
            Some(step) if step.name == name => step.findings.push(finding),
            _ => self.steps.push(Step {
                name,
                findings: vec![finding],
            }),
        }
    }

    /// Done if nothing is broken; else the exit code of the first trouble: 3 for key, token and PIN, 4 for the
    /// server, 1 for a broken rule.
    pub fn exit(&self) -> Exit {
        let otherwise = if self.broken() == 0 {
            Exit::Done
        } else {
            Exit::Refused
        };
        self.exit.unwrap_or(otherwise)
    }

    fn broke(&mut self, name: &'static str, error: &Error) {
        self.add(name, Verdict::Broken, error.to_string());
        self.next.push(remedy(error));
        self.exit.get_or_insert(error.exit());
    }

    #[cfg(feature = "pkcs11")]
    fn token_trouble(&mut self, name: &'static str, text: impl Into<String>) {
        self.add(name, Verdict::Broken, text);
        self.exit.get_or_insert(Exit::Key);
    }
}

/// Looks at everything. `pins` is asked at most once.
pub fn examine(question: Question<'_>, pins: &mut dyn SecretProvider) -> DoctorReport {
    let mut report = DoctorReport::default();
    let reachable = match *question.key {
        #[cfg(feature = "pkcs11")]
        KeyUri::Pkcs11(ref uri) => module::look(&mut report, uri),
        // Opening it says what is wrong with the connector, the session or the key.
        #[cfg(any(feature = "gateway", feature = "yubihsm"))]
        _ => true,
    };
    if reachable {
        match question.key.open_any(pins, &question.policy) {
            Ok(OpenedKey::Signer(signer)) => with_key(&mut report, question, *signer),
            #[cfg(feature = "gateway")]
            Ok(OpenedKey::Device(key)) => device::look(&mut report, question, &key),
            Err(error) => report.broke("login and key", &error),
        }
    }
    if let Some((http, server)) = question.server {
        clock(&mut report, http, server, question.now);
    }
    if report.next.is_empty() {
        report.next.push(match question.scheme {
            Some(scheme) => format!(
                "nothing is broken: ask for a token (privyseal token --scheme {} --key .. --client-id ..)",
                scheme.name
            ),
            None => {
                "nothing is broken: name the scheme with --scheme to have its rules judged".to_owned()
            }
        });
    }
    report
}

fn with_key(report: &mut DoctorReport, question: Question<'_>, mut signer: KeySigner) {
    let key = signer.public_key();
    let text = format!("the key can be used: RSA-{}", key.bits());
    report.add("login and key", Verdict::Passed, text);
    for note in signer.notes() {
        report.add("login and key", Verdict::Note, format!("the key {note}"));
    }
    chain(report, question, key, || signer.certificates());
    match self_test(&mut signer) {
        Ok(()) => report.add(
            "test signature",
            Verdict::Passed,
            "the key signs, and the signature verifies with its public key",
        ),
        Err(error) => report.broke("test signature", &error),
    }
}

fn chain(
    report: &mut DoctorReport,
    question: Question<'_>,
    key: &RsaPublicKey,
    beside_key: impl FnOnce() -> Result<Certificates, Error>,
) {
    const NAME: &str = "chain";
    let certificates = match question.chain {
        Some(path) => Certificates::from_file(path).map_err(Error::from),
        None => beside_key(),
    };
    let certificates = match certificates {
        Ok(certificates) => certificates,
        Err(error) => {
            report.add(NAME, Verdict::Broken, error.to_string());
            report.exit.get_or_insert(error.exit());
            report.next.push(
                "give the chain with --chain FILE, or store it beside the key on the token"
                    .to_owned(),
            );
            return;
        }
    };
    let chain = match certificates.chain() {
        Ok(chain) => chain,
        Err(error) => return report.broke(NAME, &error.into()),
    };
    let ordered = chain.certificates().iter().map(Certificate::as_der);
    let judged = ChainReport::new(
        &chain,
        ChainQuestion {
            now: question.now,
            scheme: question.scheme,
            key: Some(key),
            given_in_order: certificates.iter().eq(ordered),
            crls: &[],
        },
    );
    if judged.broken() > 0 {
        report.next.push(
            "get the chain right: what is broken is listed above (privyseal chain says more)"
                .to_owned(),
        );
    }
    for finding in judged.findings {
        report.add(NAME, finding.verdict, finding.text);
    }
}

fn clock(report: &mut DoctorReport, http: &Http, server: &BaseUrl, now: UnixTime) {
    const NAME: &str = "clock";
    let url = match server.join("/") {
        Ok(url) => url,
        Err(error) => return report.add(NAME, Verdict::Note, error.to_string()),
    };
    match http.retry_idempotent(|http| Ok(http.date(&url)?)) {
        Err(error) => report.broke(NAME, &error),
        Ok(None) => report.add(NAME, Verdict::Note, format!("{url} does not say its time")),
        Ok(Some(date)) => {
            let ahead = now.as_secs().saturating_sub(date.as_secs());
            let behind = date.as_secs().saturating_sub(now.as_secs());
            let text = match (ahead, behind) {
                (0, 0) => format!("this clock and that of {url} agree to the second"),
                (0, behind) => format!("this clock is {behind} s behind that of {url}"),
                (ahead, _) => format!("this clock is {ahead} s ahead of that of {url}"),
            };
            if ahead.max(behind) <= MAX_CLOCK_SKEW {
                return report.add(NAME, Verdict::Passed, text);
            }
            let text = format!("{text}; an assertion made now may be refused");
            report.add(NAME, Verdict::Broken, text);
            report.next.push(
                "set this machine's clock (timedatectl set-ntp true); --backdate only helps where it \
                 is a little ahead"
                    .to_owned(),
            );
        }
    }
}

/// What a person does about it.
fn remedy(error: &Error) -> String {
    let kind = match error {
        Error::Signer { kind, .. } => *kind,
        other => return other.advice().unwrap_or_else(|| other.to_string()),
    };
    match kind {
        SignerErrorKind::PinLocked => {
            "have the PIN unlocked by the token's security officer (pkcs11-tool --init-pin)"
        }
        SignerErrorKind::PinIncorrect => {
            "correct the PIN (pin-source, PRIVYSEAL_PIN) before anything is tried again: tries are few"
        }
        SignerErrorKind::PinFinalTry => {
            "make sure of the PIN, then run this once with --spend-final-pin-try"
        }
        SignerErrorKind::NotLoggedIn => "give the PIN: pin-source in the URI, PRIVYSEAL_PIN or a terminal",
        SignerErrorKind::KeyUnfit => "use a key that is fit, or generate one (privyseal keys lists them)",
        SignerErrorKind::NotFound | SignerErrorKind::Ambiguous => {
            "name token and key in full (privyseal keys prints URIs to paste)"
        }
        SignerErrorKind::Unavailable => "put the token in, or start its service, and check module-path",
        SignerErrorKind::Busy => "close other programs that use the token, then try again",
        _ => "read the message above; the module's own log says more",
    }
    .to_owned()
}
