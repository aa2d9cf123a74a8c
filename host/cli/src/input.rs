//! A token from the command line, or from standard input, where other users cannot see it.

use std::io::{self, Read};
use std::path::PathBuf;

use privyseal::Error;

/// The most bytes that are read from standard input.
const MAX_INPUT: u64 = 1024 * 1024;

/// The token, which is on standard input if the argument is `-`.
pub(super) fn token(argument: String) -> Result<String, Error> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut token = String::new();
    let path = PathBuf::from("standard input");
    match io::stdin()
        .lock()
        .take(MAX_INPUT)
        .read_to_string(&mut token)
    {
        Ok(_) => Ok(token),
        Err(source) => Err(Error::File { path, source }),
    }
}
