//! What stands between a key and a token that a server accepts: looked at step by step, from the module to
//! the server's clock, until something is broken that makes the next step pointless.
//!
//! At most one PIN try is spent on a token, and only where the token's flags allow it. What is signed to see whether
//! the key can is a certification request that is discarded (see [`privyseal::self_test`]).

mod decryption;
mod device;
mod machine;
mod module;

pub(super) use machine::examine_modules;

use core::fmt;
use std::path::Path;

use privyseal::http::{BaseUrl, Http};
use privyseal::keys::key::{KeySigner, KeyUri, OpenedKey};
use privyseal::keys::{KeyError, SignerFailure};
use privyseal::oauth::OAuthError;
use privyseal::pki::PkiError;
use privyseal::pki::certificates::{Certificates, ChainOptions};
use privyseal::pki::path::PathError;
use privyseal::profile::{Profile, ProfileError};
use privyseal::report::html::HtmlReport;
use privyseal::report::{ChainCheckOptions, ChainReport, Report, Verdict, WARN_DAYS, self_test};
use privyseal::{Error, ErrorKind};
use privyseal_core::scheme::KeyReference;
use privyseal_core::signer::SignerErrorKind;
use privyseal_core::{RsaPublicKey, SchemeRules, Signer as _, SignerError as _, UnixTime};
use privyseal_hsm::{Prompt, SecretProvider};
use serde::Serialize;
use serde_json::{Value, json};

use crate::advice::{SET_CLOCK, of_library};
use crate::options::AccessOptions;
use crate::redact::redacted;

/// How far a server's clock may be from this one, in seconds: half of the 30 that an assertion lives at
/// the strictest scheme, for the way and the server's own tolerance.
pub(super) const MAX_CLOCK_SKEW: u64 = 15;

/// What to look at.
#[derive(Clone, Copy)]
pub(super) struct DoctorOptions<'a> {
    /// The key.
    pub(super) key: &'a KeyUri,
    /// Keys to which tokens are encrypted.
    pub(super) decryption_keys: &'a [KeyUri],
    /// What a login may cost, and what the key must be.
    pub(super) access: AccessOptions,
    /// The chain.
    pub(super) chain: ExpectedChain<'a>,
    /// Whose clock to compare with, and how it is reached.
    pub(super) server: Option<(&'a Http, &'a BaseUrl)>,
}

/// Which chain there should be.
#[derive(Clone, Copy)]
pub(super) struct ExpectedChain<'a> {
    /// Its file; without it, it is beside the key.
    pub(super) file: Option<&'a Path>,
    /// SHA-256 of the certificate, where one of several is named.
    pub(super) certificate: Option<[u8; 32]>,
    /// How many days before a certificate ends that is worth a note.
    pub(super) warn_days: u32,
    /// Whose rules it must obey.
    pub(super) scheme: Option<&'static SchemeRules>,
    /// This machine's clock.
    pub(super) now: UnixTime,
}

/// All that was found, in the order of the steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct DoctorReport {
    /// What was looked at, when, and by whose rules.
    facts: Vec<(&'static str, String)>,
    /// The steps that were made.
    pub(crate) steps: Vec<Step>,
    /// What to do next, the first thing first. Never empty.
    pub(super) next: Vec<String>,
    /// The key, if it can be used.
    pub(super) signer: Option<KeySigner>,
    /// Of all trouble, the kind of the one that comes first on the way to a token.
    kind: Option<ErrorKind>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    /// What was looked at, in one word or two.
    pub(crate) name: &'static str,
    /// What was found.
    pub(crate) findings: Report,
}

impl DoctorReport {
    fn at(now: UnixTime) -> Self {
        Self {
            facts: vec![("Judged at", now.to_string())],
            ..Self::default()
        }
    }

    fn facts(&mut self, options: DoctorOptions<'_>) {
        let rules = options
            .chain
            .scheme
            .map_or("RFC 5280 alone", SchemeRules::title);
        self.facts.insert(0, ("Rules", rules.to_owned()));
        let keys = options.decryption_keys.iter();
        let keys = keys.map(|key| ("Decryption key", key.to_string()));
        let server = options
            .server
            .map(|(_, server)| ("Server", server.to_string()));
        let key = ("Key", options.key.to_string());
        let facts = core::iter::once(key).chain(keys).chain(server);
        self.facts
            .extend(facts.map(|(name, value)| (name, redacted(&value))));
    }

    /// How much is broken.
    pub(crate) fn broken(&self) -> usize {
        self.steps.iter().map(|step| step.findings.broken()).sum()
    }

    /// The report as JSON: `ok`, `steps` with their `findings`, and what to do `next`.
    pub(super) fn to_json(&self) -> Value {
        json!({"ok": self.broken() == 0, "steps": self.steps, "next": self.next})
    }

    /// The report for people who open a file.
    pub(super) fn to_html(&self) -> HtmlReport {
        let verdict = match self.broken() {
            0 => Verdict::Passed,
            _ => Verdict::Broken,
        };
        let mut html = HtmlReport::new("Key, chain and clock", verdict, &self.headline());
        html.facts(self.facts.iter().map(|(name, value)| (name, value)));
        html.list("What to do next", &self.next);
        for step in &self.steps {
            html.findings(step.name, &step.findings);
        }
        html
    }

    /// How it came out, in one line.
    pub(crate) fn headline(&self) -> String {
        match self.broken() {
            0 => "nothing is broken".to_owned(),
            1 => "one thing is broken".to_owned(),
            count => format!("{count} things are broken"),
        }
    }

    fn add(&mut self, name: &'static str, verdict: Verdict, text: impl Into<String>) {
        self.step(name).add(verdict, text);
    }

    fn step(&mut self, name: &'static str) -> &mut Report {
        let step = || Step {
            name,
            findings: Report::default(),
        };
        if self.steps.last().is_none_or(|last| last.name != name) {
            self.steps.push(step());
        }
        let last = self.steps.len() - 1;
        &mut self.steps[last].findings
    }

    /// What kind the first trouble is.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind.unwrap_or(ErrorKind::Refused)
    }

    fn broke(&mut self, name: &'static str, error: &Error) {
        self.add(name, Verdict::Broken, error.to_string());
        self.next.push(remedy(error));
        self.kind.get_or_insert(error.kind());
    }

    fn token_trouble(&mut self, name: &'static str, text: impl Into<String>) {
        self.add(name, Verdict::Broken, text);
        self.kind.get_or_insert(ErrorKind::Key);
    }
}

/// Looks at everything. `pins` is asked at most once.
pub(super) fn examine(options: DoctorOptions<'_>, pins: &mut dyn SecretProvider) -> DoctorReport {
    let mut report = DoctorReport::at(options.chain.now);
    report.facts(options);
    let reachable = match options.key {
        KeyUri::Pkcs11(uri) => module::look(&mut report, uri),
        // Opening it says what is wrong with the connector, the session or the key.
        _ => true,
    };
    if reachable {
        match options.key.open_any(pins, &options.access.policy()) {
            Ok(OpenedKey::Signer(signer)) => with_key(&mut report, options, *signer),
            Ok(OpenedKey::Device(key)) => device::look(&mut report, options, &key),
            Ok(_) => report.add(
                "login and key",
                Verdict::Note,
                "a key of a new kind is open",
            ),
            Err(error) => report.broke("login and key", &error.into()),
        }
    }
    for key in options.decryption_keys {
        decryption::look(&mut report, options.access, key);
    }
    if let Some((http, server)) = options.server {
        clock(&mut report, http, server, options.chain.now);
    }
    if report.next.is_empty() {
        report.next.push(match options.chain.scheme {
            Some(scheme) => {
                let ask = match scheme.request_object() {
                    Some(_) => "ciba".to_owned(),
                    None => format!("token --scheme {}", scheme.name()),
                };
                format!(
                    "nothing is broken: ask for a token (privyseal {ask} --key .. --client-id ..)"
                )
            }
            None => "nothing is broken: name the scheme with --scheme to have its rules judged"
                .to_owned(),
        });
    }
    report
}

/// Looks at what a profile names, as far as that costs no PIN try: modules, PIN files, and the file of its chain.
pub(crate) fn examine_profile(
    profile: &Profile,
    is_strict: bool,
    now: UnixTime,
) -> Result<DoctorReport, ProfileError> {
    let mut report = DoctorReport::at(now);
    for key in profile.keys()? {
        if let KeyUri::Pkcs11(uri) = &key {
            module::load(&mut report, uri);
        }
        pin_file(&mut report, &key, is_strict);
    }
    let expected = ExpectedChain {
        file: profile.chain_file(),
        certificate: None,
        warn_days: WARN_DAYS,
        scheme: Some(profile.scheme()?),
        now,
    };
    if expected.file.is_some() {
        chain(&mut report, expected, None, || Ok(Certificates::default()));
    }
    Ok(report)
}

fn pin_file(report: &mut DoctorReport, key: &KeyUri, is_strict: bool) {
    const NAME: &str = "PIN";
    if let KeyUri::Device(_) = key {
        return;
    }
    let mut warnings = Vec::new();
    let warn = |warning: &str| warnings.push(warning.to_owned());
    let sources = key.pin_sources(Prompt::Never, warn);
    let checked = sources.strict(is_strict).check_file();
    match checked {
        Some(Ok(())) => report.add(NAME, Verdict::Passed, "its file can be read"),
        Some(Err(error)) => report.token_trouble(NAME, error.to_string()),
        None => report.add(
            NAME,
            Verdict::Note,
            "no file of this machine has it: a credential of a service, PRIVYSEAL_PIN or a terminal must give it",
        ),
    }
    for warning in warnings {
        report.add(NAME, Verdict::Note, warning);
    }
}

fn with_key(report: &mut DoctorReport, options: DoctorOptions<'_>, mut signer: KeySigner) {
    let key = signer.public_key();
    let text = format!("the key can be used: RSA-{}", key.bits());
    report.add("login and key", Verdict::Passed, text);
    for note in signer.notes() {
        report.add("login and key", Verdict::Note, format!("the key {note}"));
    }
    chain(report, options.chain, Some(key), || signer.certificates());
    match self_test(&mut signer) {
        Ok(()) => report.add(
            "test signature",
            Verdict::Passed,
            "the key signs, and the signature verifies with its public key",
        ),
        Err(error) => report.broke("test signature", &error.into()),
    }
    report.signer = Some(signer);
}

fn chain(
    report: &mut DoctorReport,
    expected: ExpectedChain<'_>,
    key: Option<&RsaPublicKey>,
    beside_key: impl FnOnce() -> Result<Certificates, KeyError>,
) {
    const NAME: &str = "chain";
    let by_kid = |scheme: &&SchemeRules| scheme.key_reference().value() == KeyReference::Kid;
    if let (Some(scheme), None) = (expected.scheme.filter(by_kid), expected.file) {
        let text = format!(
            "{} knows the key by its kid and needs no certificate",
            scheme.title()
        );
        return report.add(NAME, Verdict::Passed, text);
    }
    let certificates = match expected.file {
        Some(path) => Certificates::from_file(path).map_err(Error::from),
        None => beside_key().map_err(Error::from),
    };
    let certificates = match certificates {
        Ok(certificates) => certificates,
        Err(error) => {
            report.add(NAME, Verdict::Broken, error.to_string());
            report.kind.get_or_insert(error.kind());
            report.next.push(
                "give the chain with --chain FILE, or store it beside the key on the token"
                    .to_owned(),
            );
            return;
        }
    };
    let mut wanted = ChainOptions::at(expected.now);
    wanted.scheme = expected.scheme;
    wanted.key = key;
    wanted.leaf = expected.certificate;
    let chain = match certificates.chain_for(&wanted) {
        Ok(chain) => chain,
        Err(PkiError::Path(error @ PathError::SeveralLeaves { .. })) if key.is_none() => {
            return report.add(NAME, Verdict::Note, format!("{error}: the key says which"));
        }
        Err(error) => return report.broke(NAME, &error.into()),
    };
    let mut judged_by = ChainCheckOptions::at(expected.now);
    judged_by.scheme = expected.scheme;
    judged_by.warn_days = expected.warn_days;
    judged_by.key = key;
    judged_by.given = Some(&certificates);
    let judged = ChainReport::new(&chain, judged_by);
    if judged.broken() > 0 {
        report.next.push(
            "get the chain right: what is broken is listed above (privyseal chain says more)"
                .to_owned(),
        );
    }
    let leaf = judged.certificates.first();
    let subject = leaf.map(|leaf| ("Chain of", leaf.subject.clone()));
    report.facts.extend(subject);
    report.step(NAME).extend(judged.report);
}

fn clock(report: &mut DoctorReport, http: &Http, server: &BaseUrl, now: UnixTime) {
    const NAME: &str = "clock";
    let url = match server.join("/") {
        Ok(url) => url,
        Err(error) => return report.add(NAME, Verdict::Note, error.to_string()),
    };
    match http.retry_idempotent(|http| http.date(&url).map_err(OAuthError::from)) {
        Err(error) => report.broke(NAME, &error.into()),
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
            report.next.push(SET_CLOCK.to_owned());
        }
    }
}

/// What a person does about it.
fn remedy(error: &Error) -> String {
    let Some(failure) = error.find::<SignerFailure>() else {
        return of_library(error).unwrap_or_else(|| error.to_string());
    };
    match failure.kind() {
        SignerErrorKind::PinLocked => {
            "have the PIN unlocked by the token's security officer (pkcs11-tool --init-pin)"
        }
        SignerErrorKind::PinIncorrect => {
            "correct the PIN (pin-source, PRIVYSEAL_PIN) before anything is tried again: tries are few"
        }
        SignerErrorKind::PinFinalTry => {
            "make sure of the PIN, then run this once with --spend-final-pin-try"
        }
        SignerErrorKind::NotLoggedIn => "give the PIN: a pin-source that can be read, PRIVYSEAL_PIN or a terminal",
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

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "result    {}\n", self.headline())?;
        for step in &self.steps {
            writeln!(f, "{}", step.name)?;
            for finding in step.findings.findings() {
                writeln!(f, "  {finding}")?;
            }
        }
        f.write_str("next")?;
        self.next
            .iter()
            .try_for_each(|next| write!(f, "\n  {next}"))
    }
}
