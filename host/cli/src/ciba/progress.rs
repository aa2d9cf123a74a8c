//! How far it is, on standard error: a spinner with the time that is left, or plain lines where no person
//! looks.

use core::error::Error;
use core::time::Duration;
use std::path::PathBuf;

use indicatif::ProgressBar;
use privyseal::oidc::ciba::{QrImage, State, Watcher};
use privyseal_hsm::replace_file;

use super::{modules, qr};
use crate::output::say;
use crate::progress::{SPINNER, bar, minutes};

/// Shows QR codes and states.
pub(super) struct Progress {
    file: Option<PathBuf>,
    state: Option<State>,
    /// Whether there is a code to scan.
    has_code: bool,
    /// Hidden where standard error is no terminal.
    spinner: ProgressBar,
}

impl Progress {
    /// QR codes go to `file`, too.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        let spinner = bar(SPINNER);
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self {
            file,
            state: None,
            has_code: false,
            spinner,
        }
    }

    /// Takes the spinner away.
    pub(super) fn finish(&self) {
        self.spinner.finish_and_clear();
    }

    /// On the terminal, or where that cannot be, in words.
    fn draw(&self, image: &QrImage) {
        let text = match (modules::read(image.as_bytes()), &self.file) {
            (Some(modules), _) => qr::half_blocks(&modules),
            (None, Some(file)) => format!("scan the QR code in {}", file.display()),
            (None, None) => {
                "warning: the image of the QR code cannot be shown here; give --qr FILE".to_owned()
            }
        };
        self.spinner.suspend(|| say!("{text}"));
    }
}

impl Watcher for Progress {
    fn qr_code(&mut self, image: &QrImage) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.has_code = true;
        if let Some(file) = &self.file {
            let shown = file.display();
            replace_file(file, 0o666, image.as_bytes())
                .map_err(|error| format!("cannot write {shown}: {error}"))?;
            if self.spinner.is_hidden() {
                let until = image.expires_at();
                let until = until.map(|until| format!(", good until {until}"));
                say!("a new QR code is in {shown}{}", until.unwrap_or_default());
            }
        }
        if !self.spinner.is_hidden() {
            self.draw(image);
        }
        Ok(())
    }

    fn waiting(&mut self, state: State, left: Duration) {
        let is_new = self.state.replace(state) != Some(state);
        if is_new && state == State::Discovery && !self.has_code {
            self.spinner.suspend(|| {
                say!(
                    "warning: the provider sent no QR code (qr_code) that is still good, so there is nothing to scan yet"
                );
            });
        }
        if self.spinner.is_hidden() {
            if is_new {
                say!("{state}");
            }
        } else if left.is_zero() {
            self.spinner.set_message(state.to_string());
        } else {
            let left = minutes(left);
            self.spinner.set_message(format!("{state}, {left} left"));
        }
    }
}

/// An error comes on lines of its own.
impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
