//! `privyseal sign`: one assertion, or one signed authentication request, on standard output.

use clap::Args;
use privyseal::keys::key::KeyUri;
use privyseal::oauth::{REQUEST, SignedRequest};

use super::options::{ClientOptions, RequestOptions};
use super::output::print_line;
use crate::error::CliError;

/// Sign a client assertion (or an authentication request) and print it: one compact JWS and a newline
#[derive(Args)]
pub(super) struct Sign {
    #[command(flatten)]
    client: ClientOptions,
    #[command(flatten)]
    request: RequestOptions,
}

impl Sign {
    /// Whether the key is on a device.
    pub(super) fn is_device(&self) -> Result<bool, CliError> {
        let uris = self.client.keys.uris()?;
        Ok(matches!(&*uris, [KeyUri::Device(_)]))
    }

    pub(super) fn run(self) -> Result<(), CliError> {
        let options = self.client.assertion()?;
        let signed = if self.client.endpoint.as_deref() == Some(REQUEST) {
            let asked = self.request.asked()?;
            let source = self.client.source()?;
            source.signed_request(&options, SignedRequest::Authentication(&asked))?
        } else {
            self.request.refuse()?;
            self.client.source()?.assertion(&options)?
        };
        print_line(signed.as_str().as_bytes())
    }
}
