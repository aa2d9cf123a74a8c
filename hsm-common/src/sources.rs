//! Where a PIN comes from: the URI, a file, the environment, or a person at a terminal; in this order,
//! and never from an argument of its own.

pub(crate) mod file;
mod secret;

use core::fmt;
use std::ffi::OsString;
use std::io::IsTerminal;

use privyseal_pkcs11::{Pin, PinProvider, PinState, PinUnavailable, TokenInfo};
use privyseal_yubihsm::{Password, PasswordProvider, PasswordRequest, PasswordUnavailable};
use zeroize::Zeroizing;

use crate::keys::key::KeyUri;

pub use file::PinFile;
pub use secret::Secret;

/// The environment variable that may hold the PIN.
pub const PIN_VARIABLE: &str = "PRIVYSEAL_PIN";

/// Tells the user of a library or command something that needs no action now.
pub type Warn<'w> = Box<dyn FnMut(&str) + 'w>;

/// Finds the PIN for one key reference. The PIN is looked up when a token asks for it and not before,
/// and is handed over once.
pub struct PinSources<'w> {
    value: Option<Pin>,
    password: Option<Password>,
    source: Option<String>,
    variable: fn() -> Option<OsString>,
    prompt: Prompt,
    warn: Warn<'w>,
}

/// Whether a person may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// If standard input and standard error are a terminal.
    OnTerminal,
    /// Never: services and scripts.
    Never,
}

impl<'w> PinSources<'w> {
    /// The sources that `key` names, then [`PIN_VARIABLE`], then `prompt`.
    pub fn new(key: &KeyUri, prompt: Prompt, warn: impl FnMut(&str) + 'w) -> Self {
        Self {
            value: key.pin_value().cloned(),
            password: key.password_value().cloned(),
            source: key.pin_source().map(str::to_owned),
            variable: || std::env::var_os(PIN_VARIABLE),
            prompt,
            warn: Box::new(warn),
        }
    }

    fn find<S: Secret>(
        &mut self,
        value: Option<S>,
        question: impl FnOnce() -> String,
    ) -> Result<S, PinUnavailable> {
        if let Some(secret) = value {
            (self.warn)(
                "the PIN stands in the key URI (pin-value), so it is in the process list and perhaps \
                 in the shell's history; pin-source=file:... keeps it out of both",
            );
            return Ok(secret);
        }
        if let Some(source) = &self.source {
            let file = PinFile::from_pin_source(source)?;
            let (secret, readable_by_all) = file.read()?;
            if readable_by_all {
                (self.warn)(&format!(
                    "{} can be read by every user of this machine; chmod 600 mends that",
                    file.path().display()
                ));
            }
            return Ok(secret);
        }
        if let Some(value) = (self.variable)() {
            let value = value
                .into_string()
                .map(Zeroizing::new)
                .map_err(|_| PinUnavailable::new(format!("{PIN_VARIABLE} is not UTF-8")))?;
            return S::from_text(&value);
        }
        match self.prompt {
            Prompt::OnTerminal if is_terminal() => ask(question()),
            _ => Err(PinUnavailable::new(format!(
                "no pin-source in the URI, {PIN_VARIABLE} is not set, and there is no terminal to ask at"
            ))),
        }
    }
}

impl PinProvider for PinSources<'_> {
    fn pin(&mut self, token: &TokenInfo) -> Result<Pin, PinUnavailable> {
        let value = self.value.take();
        self.find(value, || question(token))
    }
}

impl PasswordProvider for PinSources<'_> {
    fn password(&mut self, request: &PasswordRequest) -> Result<Password, PasswordUnavailable> {
        let value = self.password.take();
        let question = || {
            format!(
                "Password of authentication key {} of {}: ",
                request.auth_key, request.device
            )
        };
        self.find(value, question)
            .map_err(|error| PasswordUnavailable::new(error.to_string()))
    }
}

impl fmt::Debug for PinSources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinSources")
            .field("value", &(self.value.is_some() || self.password.is_some()))
            .field("source", &self.source)
            .field("prompt", &self.prompt)
            .finish_non_exhaustive()
    }
}

fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn question(token: &TokenInfo) -> String {
    let tries = match token.pin_state {
        PinState::Ok => "",
        PinState::FinalTry => " (THE LAST TRY)",
        _ => " (few tries left)",
    };
    format!("PIN of token {:?}{tries}: ", token.label)
}

/// Asks without echo, on the terminal itself, so that standard output stays the result's.
fn ask<S: Secret>(question: String) -> Result<S, PinUnavailable> {
    let answer = rpassword::prompt_password(question)
        .map(Zeroizing::new)
        .map_err(|error| PinUnavailable::new(format!("the terminal gave no PIN: {error}")))?;
    S::from_text(&answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn sources<'w>(uri: &str, warnings: &'w RefCell<Vec<String>>) -> PinSources<'w> {
        let key = uri.parse().unwrap();
        PinSources::new(&key, Prompt::Never, |text| {
            warnings.borrow_mut().push(text.to_owned());
        })
    }

    #[test]
    fn pin_value_works_with_a_warning_that_does_not_show_it() {
        let warnings = RefCell::default();
        let mut sources = sources("pkcs11:token=T?pin-value=471147", &warnings);
        assert!(!format!("{sources:?}").contains("471147"));
        assert_eq!(sources.pin(&TokenInfo::default()), Pin::new("471147"));
        assert_eq!(warnings.borrow().len(), 1);
        assert!(!warnings.borrow()[0].contains("471147"));
    }

    #[test]
    fn the_variable_comes_after_the_uri_and_may_not_be_empty() {
        let warnings = RefCell::default();
        let mut given = sources("pkcs11:token=T", &warnings);
        given.variable = || Some("1234".into());
        assert_eq!(given.pin(&TokenInfo::default()), Pin::new("1234"));
        given.variable = || Some(OsString::new());
        assert!(given.pin(&TokenInfo::default()).is_err());
        let mut both = sources("pkcs11:token=T?pin-source=/nowhere/pin", &warnings);
        both.variable = || Some("1234".into());
        let error = both.pin(&TokenInfo::default()).unwrap_err().to_string();
        assert!(
            error.contains("/nowhere/pin"),
            "no other source is tried: {error}"
        );
        assert!(warnings.borrow().is_empty());
    }

    #[test]
    fn without_any_source_it_says_which_there_are() {
        let warnings = RefCell::default();
        let mut sources = sources("pkcs11:token=T", &warnings);
        sources.variable = || None;
        let error = sources.pin(&TokenInfo::default()).unwrap_err().to_string();
        assert!(
            error.contains("pin-source") && error.contains(PIN_VARIABLE),
            "{error}"
        );
    }
}
