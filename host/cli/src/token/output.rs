//! How an access token is handed over.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use privyseal::AccessToken;
use privyseal_hsm::{can_replace_file, replace_file};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::output::{can_print, output_file, print_response};

/// How an access token is handed over.
#[derive(Args)]
pub(crate) struct TokenOutput {
    /// How the token is written: the server's JSON, the token alone, a header for curl, or a variable for a shell
    #[arg(long = "output", value_enum, value_name = "FORM", default_value_t = Form::Json)]
    form: Form,
    /// Write it to this file, which only this user can read, instead of standard output; a file that is there is replaced
    #[arg(long, value_name = "FILE", value_parser = output_file())]
    to: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Json,
    Token,
    Header,
    Env,
}

impl TokenOutput {
    /// Refuses options that would be ignored, where something else than the token is printed.
    pub(crate) fn refuse(&self) -> Result<(), CliError> {
        if self.form == Form::Json {
            return Ok(());
        }
        Err(CliError::option(
            "--output",
            "is about the token, and something else is printed",
        ))
    }

    /// Fails where that could not be written, before a token is asked for.
    pub(crate) fn can_be_written(&self) -> Result<(), CliError> {
        match &self.to {
            Some(path) => can_replace_file(path).map_err(CliError::of_output(path)),
            None => can_print(),
        }
    }

    /// Writes the token.
    pub(crate) fn write(&self, token: &AccessToken) -> Result<(), CliError> {
        let (before, text) = match self.form {
            Form::Json => ("", token.expose_response().trim_ascii()),
            Form::Token => ("", token.expose().as_bytes()),
            Form::Header => ("Authorization: Bearer ", token.expose().as_bytes()),
            Form::Env => ("ACCESS_TOKEN=", token.expose().as_bytes()),
        };
        self.write_text(&Zeroizing::new([before.as_bytes(), text].concat()))
    }

    /// Writes what was got with the token.
    pub(crate) fn write_text(&self, text: &[u8]) -> Result<(), CliError> {
        match &self.to {
            Some(path) => {
                let line = Zeroizing::new([text, b"\n"].concat());
                replace_file(path, 0o600, &line).map_err(CliError::of_output(path))
            }
            None => print_response(text),
        }
    }
}
