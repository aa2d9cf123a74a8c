//! `privyseal csr`: a certification request, signed by the key itself.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use privyseal::pki::distinguished_name::DistinguishedName;
use privyseal::pki::pem;
use privyseal_core::Signer as _;
use privyseal_core::cert::{KeyUsage, KeyUsages};
use privyseal_core::csr::{CertificationRequestInfo, Subject};
use privyseal_core::limits::MAX_CERTIFICATION_REQUEST;

use super::options::KeyOptions;
use super::output::print_line;
use crate::error::CliError;

/// Sign a PKCS #10 certification request with the key and print it as PEM
#[derive(Args)]
pub(super) struct Csr {
    #[command(flatten)]
    key: KeyOptions,
    #[command(flatten)]
    asked: RequestOptions,
}

/// What a certification request says.
#[derive(Args)]
pub(super) struct RequestOptions {
    /// The subject: CN=Name,organizationIdentifier=NTRNL-1,O=Org,C=NL or /C=NL/O=Org/CN=Name
    #[arg(long, value_name = "DN")]
    subject: String,
    /// The key usages to ask for, with commas between; by default none, and the CA decides
    #[arg(long, value_name = "USAGE", value_delimiter = ',', value_parser = usage_parser())]
    key_usage: Vec<KeyUsage>,
}

impl Csr {
    pub(super) fn run(self) -> Result<(), CliError> {
        let uri = self.key.required("it signs the request")?;
        let (pem, _) = self.asked.signed(|subject, usages| {
            let mut signer = self.key.access.open(&uri)?;
            let info = CertificationRequestInfo::new(subject, usages, signer.public_key())?;
            let mut buffer = vec![0; MAX_CERTIFICATION_REQUEST];
            let der = info.sign(&mut signer, &mut buffer)?.as_der().to_vec();
            Ok((der, signer))
        })?;
        print_line(pem.as_bytes())
    }
}

impl RequestOptions {
    /// Has it signed, and gives it as PEM, with its signer.
    pub(super) fn signed<S>(
        &self,
        sign: impl FnOnce(&Subject<'_>, KeyUsages) -> Result<(Vec<u8>, S), CliError>,
    ) -> Result<(String, S), CliError> {
        let name = DistinguishedName::parse(&self.subject)?;
        let subject = Subject::new(&name.attributes()?)?;
        let (der, signer) = sign(&subject, self.key_usage.iter().copied().collect())?;
        Ok((pem::encode("CERTIFICATE REQUEST", &der), signer))
    }
}

/// What a key that signs may ask for; the second has had two names (RFC 5280 section 4.2.1.3).
fn usage_parser() -> impl TypedValueParser<Value = KeyUsage> {
    let names = [
        PossibleValue::new("digitalSignature"),
        PossibleValue::new("nonRepudiation").alias("contentCommitment"),
    ];
    PossibleValuesParser::new(names).map(|name| match name.as_str() {
        "digitalSignature" => KeyUsage::DigitalSignature,
        _ => KeyUsage::NonRepudiation,
    })
}
