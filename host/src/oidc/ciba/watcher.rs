//! Who is told how far a flow is: a person waits for another person.

use core::fmt;
use core::time::Duration;

use super::discovery::QrImage;

/// What a flow is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Nobody has scanned the QR code yet.
    Discovery,
    /// The person is known, and has not confirmed yet.
    Authentication,
    /// The person has confirmed: tokens are fetched and judged.
    Tokens,
}

/// Is told what happens.
pub trait Watcher {
    /// The QR code to show from now on, instead of any before.
    fn qr_code(&mut self, image: &QrImage) -> Result<(), crate::Error>;

    /// The flow has come to `state`, and stays in it for `left` at most. Called at each change and about
    /// once a second in between.
    fn waiting(&mut self, state: State, left: Duration);
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "waiting for the QR code to be scanned",
            Self::Authentication => "waiting for the person to confirm",
            Self::Tokens => "fetching the tokens",
        })
    }
}
