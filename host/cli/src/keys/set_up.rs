//! `privyseal keys generate` and `put-chain`.

use std::path::PathBuf;

use clap::Args;
use privyseal::NewKey;
use privyseal::base::clock;
use privyseal::pki::certificates::{Certificates, ChainOptions};
use privyseal_core::cert::Certificate;

use crate::error::CliError;
use crate::options::{KeyOptions, of_option};
use crate::output::{print_line, say};
use crate::progress::while_it_takes;

/// Generate an RSA key on the token, which signs only and never leaves it, and print its URI
///
/// A TPM makes none that only signs: its key may decrypt, too, and a note says so. The URI names the token and the new key: object and, if you like, id; key-id for a YubiHSM. A name that is taken is
/// refused. privyseal csr asks a CA for its certificate, privyseal keys put-chain stores that.
#[derive(Args)]
pub(super) struct Generate {
    #[command(flatten)]
    key: KeyOptions,
    /// Label of the new key; by default the URI's object
    #[arg(long)]
    label: Option<String>,
    /// Bits of the RSA modulus
    #[arg(long, default_value = "2048", value_parser = ["2048", "3072", "4096"])]
    bits: String,
    /// The token wants the PIN for every signature, where it can (CKA_ALWAYS_AUTHENTICATE)
    #[arg(long)]
    always_authenticate: bool,
    /// YubiHSM: the domain of the new key, 1 to 16
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    domain: u8,
}

/// Store the key's certificate and its issuers on its token, and print their URIs
///
/// They are put into order first. What is there already stays.
#[derive(Args)]
pub(super) struct PutChain {
    #[command(flatten)]
    key: KeyOptions,
    /// The chain, PEM or DER, in any order
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// Remove other certificates of this key, after the new ones are there
    #[arg(long)]
    replace: bool,
}

impl Generate {
    pub(super) fn run(self) -> Result<(), CliError> {
        let uri = self.key.required("it names the new key")?;
        let bits = self.bits.parse().unwrap_or(2048);
        self.key.access.check_new(bits)?;
        let new = NewKey::default()
            .bits(bits)
            .always_authenticate(self.always_authenticate)
            .domain(self.domain);
        let policy = self.key.policy();
        let made = while_it_takes(
            "the token makes the key",
            &mut self.key.pins(&uri),
            |pins| uri.generate(pins, &policy, &new, self.label.as_deref()),
        );
        let (made, notes) = made?;
        for note in notes {
            say!("note: the key {note}");
        }
        print_line(made.to_string().as_bytes())
    }
}

impl PutChain {
    pub(super) fn run(self) -> Result<(), CliError> {
        let uri = self.key.required("the chain belongs to it")?;
        let given = Certificates::from_file(&self.chain).map_err(of_option("--chain"))?;
        let now = clock::now()?;
        let wanted = ChainOptions::at(now);
        given
            .check_before_key(&wanted)
            .map_err(of_option("--chain"))?;
        let chain = given.chain_for(&wanted).map_err(of_option("--chain"))?;
        let leaf = &chain.certificates()[0];
        let (begins, ends) = (leaf.not_before(), leaf.not_after());
        if self.replace && !(begins..=ends).contains(&now) {
            let reason = format!(
                "removes what signs now, and the new certificate is valid from {begins} to {ends} only"
            );
            return Err(CliError::option("--replace", reason));
        }
        let ders = chain.certificates().iter().map(Certificate::as_der);
        let chain: Certificates = ders.map(<[u8]>::to_vec).collect::<Vec<_>>().into();
        let (pins, policy) = (&mut self.key.pins(&uri), self.key.policy());
        let stored = uri.put_chain(pins, &policy, &chain, self.replace)?;
        let stored: Vec<String> = stored.iter().map(ToString::to_string).collect();
        print_line(stored.join("\n").as_bytes())
    }
}
