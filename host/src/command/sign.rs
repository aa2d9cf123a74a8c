//! `privyseal sign`: one assertion on standard output.

use clap::Args;
use privyseal::Error;

use super::options::ClientOptions;
use super::output::print_line;

/// Sign a client assertion and print it: one compact JWS and a newline
#[derive(Args)]
pub(super) struct Sign {
    #[command(flatten)]
    client: ClientOptions,
}

impl Sign {
    pub(super) fn run(self) -> Result<(), Error> {
        let options = self.client.assertion()?;
        let mut client = self.client.client()?;
        let assertion = client.assertion(&options)?;
        print_line(assertion.as_str().as_bytes())
    }
}
