//! A key to which tokens are encrypted: whether it gives back what was encrypted to it.

use privyseal::jose::jwe::{DecryptError, probe};
use privyseal::keys::SignerFailure;
use privyseal::keys::key::KeyUri;
use privyseal::report::Verdict;
use privyseal_core::KeyEncryption;

use super::DoctorReport;
use crate::options::AccessOptions;

const NAME: &str = "decryption key";

pub(super) fn look(report: &mut DoctorReport, access: AccessOptions, uri: &KeyUri) {
    let mut key = match uri.open_unwrapper(&mut access.pins(uri), &access.policy()) {
        Ok(key) => key,
        Err(error) => return report.broke(NAME, &error.into()),
    };
    for note in key.notes() {
        report.add(NAME, Verdict::Note, format!("the key {note}"));
    }
    let mut works = false;
    let mut last = None;
    for algorithm in KeyEncryption::ALL {
        match probe(&mut key, algorithm) {
            Ok(()) => {
                works = true;
                let text = format!("what is encrypted to it with {algorithm} is decrypted");
                report.add(NAME, Verdict::Passed, text);
            }
            Err(error) => {
                let text = format!("not with {algorithm}: {error}");
                report.add(NAME, Verdict::Note, text);
                last = Some(error);
            }
        }
    }
    if let Some(DecryptError::Unwrapper(error)) = last.filter(|_| !works) {
        report.broke(NAME, &SignerFailure::new(error).into());
    } else if !works {
        report.token_trouble(NAME, "it decrypts nothing that is encrypted to it");
    }
}
