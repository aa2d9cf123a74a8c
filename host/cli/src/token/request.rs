//! What is called with a token, besides where.

use std::path::PathBuf;

use clap::Args;
use privyseal::oauth::CallMethod;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::input::secret;
use crate::options::named;

/// How the path is called.
#[derive(Args)]
pub(super) struct CallRequest {
    /// Call it with this method instead; by default GET, or POST with --body
    #[arg(long, value_name = "METHOD", requires = "call", value_parser = named(CallMethod::ALL.map(CallMethod::name), CallMethod::by_name))]
    method: Option<CallMethod>,
    /// Send the JSON in this file, or on standard input for -
    #[arg(long, value_name = "FILE|-", requires = "call")]
    body: Option<PathBuf>,
}

impl CallRequest {
    /// The method and the body, before an assertion is spent on them.
    pub(super) fn read(&self) -> Result<(CallMethod, Zeroizing<Vec<u8>>), CliError> {
        let usual = match self.body {
            Some(_) => CallMethod::Post,
            None => CallMethod::Get,
        };
        let method = self.method.unwrap_or(usual);
        let Some(path) = &self.body else {
            if method.has_body() {
                let reason = format!("{} sends one", method.name());
                return Err(CliError::missing("--body", reason));
            }
            return Ok((method, Zeroizing::default()));
        };
        if !method.has_body() {
            let reason = format!("is not for {}, which sends none", method.name());
            return Err(CliError::option("--body", reason));
        }
        let text = secret(path)?;
        if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            return Err(CliError::option(
                "--body",
                "names something that is no JSON",
            ));
        }
        Ok((method, Zeroizing::new(text.as_bytes().to_vec())))
    }
}
