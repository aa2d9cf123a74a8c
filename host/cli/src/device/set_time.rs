//! `privyseal device set-time`.

use std::path::{Path, PathBuf};

use clap::Args;
use privyseal::base::{clock, file};
use privyseal_core::cert::Certificate;
use privyseal_gateway::DeviceKey;

use super::{Which, check_authority};
use crate::error::CliError;
use crate::options::moment;
use crate::output::{print, print_line, say};

/// The longest signature that is read, in bytes: RSA-3072 has 384.
const MAX_SIGNATURE: usize = 512;

/// Have the device believe another time, later or earlier, with the provisioning authority's word
///
/// Without --signature it prints the line that the authority signs, with no line break at its end, for
/// this device and its present challenge; its word serves once, and for that second:
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

/// A signature of the authority or the maker, if its file is given.
pub(super) fn signature(file: Option<&Path>) -> Result<Option<Vec<u8>>, CliError> {
    let signature = file.map(|path| file::read(path, MAX_SIGNATURE));
    Ok(signature.transpose()?)
}

impl SetTime {
    pub(super) fn run(self) -> Result<(), CliError> {
        let now = moment("--now", self.now)?;
        let signature = signature(self.signature.as_deref())?;
        let mut key = DeviceKey::of(self.which.open()?)?;
        check_authority(key.policy().ok())?;
        let leaf = key.certificates().first();
        let leaf = leaf.and_then(|der| Certificate::from_der(der).ok());
        if leaf.is_some_and(|leaf| now < leaf.not_before()) {
            say!("warning: --now is {now}, before the device's certificate is valid");
        } else if now.as_secs().abs_diff(clock::now()?.as_secs()) > 86_400 {
            say!("warning: --now is {now}, more than a day from this machine's clock");
        }
        let Some(signature) = signature else {
            return print(key.info().set_time_statement(now.as_secs()).as_bytes());
        };
        let floor = key.set_time(now.as_secs(), &signature)?;
        print_line(format!("time floor {floor}").as_bytes())
    }
}
