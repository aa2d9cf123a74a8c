//! `privyseal ishare party`: whether a party is active, and which certificates it has.

use std::path::PathBuf;

use clap::Args;
use privyseal::base::clock;
use privyseal::pki::certificates::Certificates;
use privyseal::pki::party_id;
use privyseal::pki::revocation::RevocationOptions;
use privyseal::schemes::ishare::{self, IshareError, PartyQuery, subject};
use privyseal_core::cert::Chain;

use super::registry::RegistryOptions;
use crate::error::CliError;
use crate::options::{OWN_CERTIFICATE, of_option};
use crate::output::print_report;

/// Get what the registry says about a party, prove it, and print it; the party must be Active
#[derive(Args)]
#[command(mut_arg(OWN_CERTIFICATE, |arg| arg.long(OWN_CERTIFICATE)))]
pub(crate) struct Party {
    /// The party's id
    #[arg(value_name = "PARTY_ID")]
    id: String,
    #[command(flatten)]
    registry: RegistryOptions,
    /// The party's certificate with its chain, PEM or DER: it must be one that the party registered, and
    /// issued by a CA on the trusted list
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Party {
    pub(super) fn run(self) -> Result<(), CliError> {
        let scheme = self.registry.scheme()?;
        party_id::given(scheme, &self.id)?;
        let certificates = self.certificate.as_deref();
        let certificates = certificates.map(Certificates::from_file);
        let certificates = certificates
            .transpose()
            .map_err(of_option("--certificate"))?;
        let chain = certificates.as_ref().map(Certificates::chain).transpose()?;
        let subject_name = chain.as_ref().and_then(Chain::leaf).and_then(subject::text);
        let query = PartyQuery::of(scheme, &self.id, subject_name.as_deref());
        let prove = |chain: &Chain<'_>, revocation| {
            let proven = ishare::prove_seal(&self.id, chain, clock::now()?, revocation);
            proven.map_err(|fault| CliError::from(IshareError::Party(fault)))
        };
        if let Some(chain) = &chain {
            prove(chain, RevocationOptions::default())?;
        }
        let opened = self.registry.open()?;
        let registry = opened.registry();
        opened.progress.step("about the party");
        let party = registry.party(query)?;
        opened
            .progress
            .aside(|| print_report(&party, self.json.then(|| party.to_json())))?;
        opened.progress.step("for the trusted list");
        party.check_active().map_err(IshareError::Party)?;
        let Some(chain) = chain else { return Ok(()) };
        judge(&party, &chain, &registry)?;
        // Nobody is asked about a certificate before its CA is known to be listed.
        prove(&chain, opened.revocation.options())
    }
}

/// Whether the registry vouches for the certificate in both ways.
fn judge(
    party: &ishare::Party,
    chain: &Chain<'_>,
    registry: &ishare::Registry<'_>,
) -> Result<(), CliError> {
    if let Some(leaf) = chain.leaf() {
        party.check_certificate(leaf).map_err(IshareError::Party)?;
    }
    let list = registry.trusted_list()?;
    list.vouches_for(chain).map_err(IshareError::List)?;
    Ok(())
}
