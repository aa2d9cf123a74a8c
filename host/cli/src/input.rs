//! A token from the command line, from a file, or from standard input, where other users cannot see it.

use std::path::Path;

use privyseal::base::BaseError;
use privyseal::base::file::{InputFile, MAX_FILE};
use zeroize::Zeroizing;

use crate::error::CliError;

/// The token, which is on standard input if the argument is `-`.
pub(super) fn token(argument: String) -> Result<String, CliError> {
    if argument != "-" {
        if Path::new(&argument).is_file() {
            let reason = "is the name of a file: give - and the file on standard input";
            return Err(CliError::option("TOKEN", reason));
        }
        return Ok(argument);
    }
    let token = secret(Path::new("-"))?.to_string();
    if token.trim().is_empty() {
        return Err(CliError::option(
            "TOKEN",
            "is -, and there is nothing on standard input",
        ));
    }
    Ok(token)
}

/// The secret in a file, or on standard input for `-`, without the newline that editors leave at the end.
pub(super) fn secret(path: &Path) -> Result<Zeroizing<String>, BaseError> {
    let mut text = InputFile::open_or_stdin(path)?.read_text(MAX_FILE)?;
    let len = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(len);
    Ok(text)
}
