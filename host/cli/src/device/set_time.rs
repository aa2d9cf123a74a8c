//! `privyseal device set-time`.

use std::path::PathBuf;

use clap::Args;
use privyseal::base::file;

use super::Which;
use crate::error::CliError;
use crate::options::moment;
use crate::output::print_line;

/// The longest signature that is read, in bytes: RSA-3072 has 384.
pub(super) const MAX_SIGNATURE: usize = 512;

/// Have the device believe a later time, with the provisioning authority's word
///
/// Without --signature it prints the line that the authority signs, with no line break at its end, for
/// this device and its present challenge:
///   privyseal device set-time --device URI > line        (the time is the number at its end)
///   openssl dgst -sha256 -sign authority.pem -out line.sig line
///   privyseal device set-time --device URI --now EPOCH --signature line.sig
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct SetTime {
    #[command(flatten)]
    which: Which,
    /// The time, in seconds since 1970; by default now
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    /// The authority's signature of the line: RSASSA-PKCS1-v1_5 with SHA-256, raw bytes
    #[arg(long, value_name = "FILE", requires = "now")]
    signature: Option<PathBuf>,
}

impl SetTime {
    pub(super) fn run(self) -> Result<(), CliError> {
        let now = moment("--now", self.now)?.as_secs();
        let signature = self.signature.as_deref();
        let signature = signature
            .map(|path| file::read(path, MAX_SIGNATURE))
            .transpose()?;
        let mut device = self.which.open()?;
        let Some(signature) = signature else {
            return crate::output::print(device.info().set_time_statement(now).as_bytes());
        };
        let floor = device.set_time(now, &signature)?;
        print_line(format!("time floor {floor}").as_bytes())
    }
}
