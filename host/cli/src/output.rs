//! Standard output: the result and nothing else, whole or not at all.

use std::io::{self, Write};

use privyseal::Error;
use zeroize::Zeroizing;

/// Prints `text` and one newline. It may be a credential: the copy is wiped.
pub(super) fn print_line(text: &[u8]) -> Result<(), Error> {
    let mut line = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1)));
    line.extend_from_slice(text);
    line.push(b'\n');
    print(&line)
}

/// Prints `text` as it is.
pub(super) fn print(text: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(Error::Output)
}

/// Prints a report as JSON.
pub(super) fn print_json(report: &serde_json::Value) -> Result<(), Error> {
    print_line(format!("{report:#}").as_bytes())
}
