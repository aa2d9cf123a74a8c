//! Where a PIN or password comes from: the URI, a file, the environment, or a person at a terminal; in this
//! order, and never from an argument of its own.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::environment::{self, PIN_VARIABLE};
use crate::file::PinFile;
use crate::process_lock::state_folder;
use crate::refused::RefusedPins;
use crate::secret::{
    PinState, Secret, SecretOffer, SecretProvider, SecretRequest, SecretUnavailable,
};

/// Tells the user of a library or command something that needs no action now.
type Warn<'w> = Box<dyn FnMut(&str) + Send + 'w>;

/// How long a pipe is waited for before that is said, and then: a person may have to unlock what writes to it.
const STREAM_WAIT: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(120)];

/// Finds the PIN or password of one key reference. It is looked up when the hardware needs it and not
/// before, and is handed over once.
pub struct PinSources<'w> {
    value: Option<Secret>,
    source: Option<String>,
    variable: fn() -> Option<Result<Secret, SecretUnavailable>>,
    prompt: Prompt,
    warn: Warn<'w>,
    /// What tokens refused, where it is remembered, and whether it is offered all the same.
    refused: Option<RefusedPins>,
    offer_refused: bool,
    strict: bool,
}

/// Whether a person may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// If standard input and standard error are a terminal. Needs the feature `prompt`.
    OnTerminal,
    /// Never: services and scripts.
    Never,
}

impl<'w> PinSources<'w> {
    /// `value` and `source` of the URI (`pin-value`, `pin-source`), then [`PIN_VARIABLE`], then `prompt`.
    /// `warn` is told what should be done otherwise.
    pub fn new(
        value: Option<&Secret>,
        source: Option<&str>,
        prompt: Prompt,
        warn: impl FnMut(&str) + Send + 'w,
    ) -> Self {
        Self {
            value: value.cloned(),
            source: source.map(str::to_owned),
            variable: environment::pin,
            prompt,
            warn: Box::new(warn),
            refused: state_folder().map(|folder| RefusedPins::new(&folder)),
            offer_refused: false,
            strict: false,
        }
    }

    /// Whether to refuse a PIN file that every user of the machine can read; without it that is a warning.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Whether to offer a PIN that the token refused before. For tokens whose flags do not show lost tries, a short
    /// keyed hash of each refused PIN is kept in `$STATE_DIRECTORY` or the user's folder for state.
    #[must_use]
    pub fn offer_refused(self, offer_refused: bool) -> Self {
        Self {
            offer_refused,
            ..self
        }
    }

    /// Whether the file that the URI names can be read, and holds what can be a PIN. `None` where it names none, a
    /// credential that only its service has, or a pipe, which can be read once.
    pub fn check_file(&mut self) -> Option<Result<(), SecretUnavailable>> {
        let source = self.source.clone()?;
        let is_elsewhere = source.starts_with("credential:")
            && std::env::var_os("CREDENTIALS_DIRECTORY").is_none();
        let is_stream = || PinFile::from_pin_source(&source).is_ok_and(|file| file.is_stream());
        (!is_elsewhere && !is_stream()).then(|| self.in_file(&source).map(drop))
    }

    fn in_file(&mut self, source: &str) -> Result<Secret, SecretUnavailable> {
        let file = PinFile::from_pin_source(source)?;
        let (secret, readable_by_all) = if file.is_stream() {
            self.in_stream(&file, STREAM_WAIT)?
        } else {
            file.read()?
        };
        if readable_by_all {
            let text = format!(
                "{} can be read by every user of this machine; chmod 600 fixes that",
                file.path().display()
            );
            if self.strict {
                return Err(SecretUnavailable::new(text));
            }
            (self.warn)(&text);
        }
        Ok(secret)
    }

    /// Waits for what somebody writes to a pipe or the like, not longer than two times `wait`.
    fn in_stream(
        &mut self,
        file: &PinFile,
        wait: [Duration; 2],
    ) -> Result<(Secret, bool), SecretUnavailable> {
        let (of_reader, (give, given)) = (file.clone(), mpsc::channel());
        let read = move || give.send(of_reader.read());
        let failed = |error| SecretUnavailable::new(format!("no thread to read a pipe: {error}"));
        thread::Builder::new().spawn(read).map_err(failed)?;
        let [soon, late] = wait;
        if let Ok(read) = given.recv_timeout(soon) {
            return read;
        }
        let (path, seconds) = (file.path().display(), late.as_secs());
        (self.warn)(&format!(
            "waiting for a PIN from pin-source {path}, to which nobody wrote one yet, {seconds} s more at most"
        ));
        let read = given.recv_timeout(late).or_else(|_| {
            file.end_wait();
            given.recv_timeout(soon)
        });
        match read {
            Err(_) | Ok(Err(SecretUnavailable::Empty)) => Err(SecretUnavailable::new(format!(
                "nobody wrote a PIN to pin-source {path}"
            ))),
            Ok(read) => read,
        }
    }

    fn find(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        if let Some(secret) = self.value.take() {
            (self.warn)(
                "the PIN stands in the key URI (pin-value), so it is in the process list and perhaps \
                 in the shell's history; pin-source=file:... keeps it out of both",
            );
            return Ok(secret);
        }
        if let Some(source) = self.source.clone() {
            return self.in_file(&source);
        }
        if let Some(secret) = (self.variable)() {
            return secret;
        }
        match self.prompt {
            Prompt::OnTerminal => ask(request),
            Prompt::Never => None,
        }
        .unwrap_or_else(|| {
            Err(SecretUnavailable::new(format!(
                "no pin-source in the URI, {PIN_VARIABLE} is not set, and there is no terminal to ask at"
            )))
        })
    }
}

impl SecretProvider for PinSources<'_> {
    fn secret(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        self.find(request)
    }

    fn was_refused(&mut self, request: &SecretRequest, secret: &Secret) -> bool {
        let known = |refused: &RefusedPins| refused.contains(request, secret);
        !self.offer_refused && self.refused.as_ref().is_some_and(known)
    }

    fn outcome(&mut self, request: &SecretRequest, secret: &Secret, offer: SecretOffer) {
        // What the flags show need not be remembered.
        let is_shown = match request {
            SecretRequest::Pin { state, .. } => !matches!(state, PinState::Ok | PinState::Unknown),
            SecretRequest::Password { .. } => true,
        };
        let offer = match offer {
            SecretOffer::Begun if is_shown => return,
            SecretOffer::Refused if is_shown => SecretOffer::Unjudged,
            offer => offer,
        };
        let noted = match &self.refused {
            Some(refused) => refused
                .note(request, secret, offer)
                .map_err(|error| error.to_string()),
            None => Err("neither STATE_DIRECTORY nor HOME is set".to_owned()),
        };
        if let (Err(reason), SecretOffer::Refused) = (noted, offer) {
            (self.warn)(&format!(
                "that the token refused this PIN cannot be remembered ({reason}), and it does not show lost tries itself"
            ));
        }
    }
}

privyseal_core::opaque_debug! { [] PinSources<'_>: value, source, prompt; }

/// Asks without echo, on the terminal itself, so that standard output stays the result's. `None` if there is
/// no terminal.
#[cfg(feature = "prompt")]
fn ask(request: &SecretRequest) -> Option<Result<Secret, SecretUnavailable>> {
    use std::io::{IsTerminal as _, stderr, stdin};
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return None;
    }
    let answer = crate::terminal::read_unseen(&format!("{request}: "))
        .map_err(|error| SecretUnavailable::new(format!("the terminal gave no PIN: {error}")));
    Some(answer.and_then(|answer| Secret::new(&answer)))
}

#[cfg(not(feature = "prompt"))]
const fn ask(_: &SecretRequest) -> Option<Result<Secret, SecretUnavailable>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn sources<'w>(
        value: Option<&str>,
        source: Option<&str>,
        warnings: &'w Mutex<Vec<String>>,
    ) -> PinSources<'w> {
        let value = value.map(|value| Secret::new(value).unwrap());
        PinSources::new(value.as_ref(), source, Prompt::Never, |text| {
            warnings.lock().unwrap().push(text.to_owned());
        })
    }

    fn request() -> SecretRequest {
        SecretRequest::Password {
            device: "usb".into(),
            auth_key: 1,
        }
    }

    #[test]
    fn pin_value_works_with_a_warning_that_does_not_show_it() {
        let warnings = Mutex::default();
        let mut sources = sources(Some("471147"), None, &warnings);
        assert!(!format!("{sources:?}").contains("471147"));
        assert_eq!(sources.secret(&request()), Secret::new("471147"));
        assert_eq!(warnings.lock().unwrap().len(), 1);
        assert!(!warnings.lock().unwrap()[0].contains("471147"));
    }

    #[test]
    fn the_variable_comes_after_the_uri() {
        let warnings = Mutex::default();
        let mut given = sources(None, None, &warnings);
        given.variable = || Some(Secret::new("1234"));
        assert_eq!(given.secret(&request()), Secret::new("1234"));
        given.variable = || Some(Secret::new(""));
        assert!(given.secret(&request()).is_err());
        let mut both = sources(None, Some("/nowhere/pin"), &warnings);
        both.variable = || Some(Secret::new("1234"));
        let error = both.secret(&request()).unwrap_err().to_string();
        assert!(
            error.contains("/nowhere/pin"),
            "no other source is tried: {error}"
        );
        assert!(warnings.lock().unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_all_can_read_is_refused_where_that_is_asked_for() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("privyseal-strict-{}", std::process::id()));
        std::fs::write(&path, "471147").unwrap();
        let source = path.display().to_string();
        for (mode, is_taken) in [(0o600, true), (0o640, true), (0o604, false), (0o644, false)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).unwrap();
            let warnings = Mutex::default();
            let strict = sources(None, Some(&source), &warnings)
                .strict(true)
                .secret(&request());
            assert_eq!(strict.is_ok(), is_taken, "{mode:o}");
            assert!(warnings.lock().unwrap().is_empty());
            let mut lenient = sources(None, Some(&source), &warnings);
            assert_eq!(lenient.secret(&request()), Secret::new("471147"));
            assert_eq!(warnings.lock().unwrap().is_empty(), is_taken, "{mode:o}");
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_waited_for_and_given_up() {
        let path = std::env::temp_dir().join(format!("privyseal-pipe-{}", std::process::id()));
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let source = path.display().to_string();
        let file = PinFile::from_pin_source(&source).unwrap();
        let warnings = Mutex::default();
        let mut given = sources(None, Some(&source), &warnings);
        // It would be read, and gone.
        assert_eq!(given.check_file(), None);
        let read = given.in_stream(&file, [Duration::from_millis(200); 2]);
        let error = read.unwrap_err().to_string();
        assert!(
            error.starts_with("nobody wrote a PIN to pin-source"),
            "{error}"
        );
        assert!(warnings.lock().unwrap()[0].contains(&source));
        let writer = thread::spawn(move || std::fs::write(path, "471147\n"));
        assert_eq!(given.secret(&request()), Secret::new("471147"));
        writer.join().unwrap().unwrap();
        std::fs::remove_file(source).unwrap();
    }

    #[test]
    fn without_any_source_it_says_which_there_are() {
        let warnings = Mutex::default();
        let mut sources = sources(None, None, &warnings);
        sources.variable = || None;
        let error = sources.secret(&request()).unwrap_err().to_string();
        assert!(
            error.contains("pin-source") && error.contains(PIN_VARIABLE),
            "{error}"
        );
    }
}
