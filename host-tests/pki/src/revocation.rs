//! What an authority has taken back.

use x509_cert::Certificate;
use x509_cert::builder::{Builder as _, CrlBuilder};
use x509_cert::crl::RevokedCert;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::CrlNumber;

use super::authority::Authority;
use super::certificate::Validity;

impl Authority {
    /// A list of these certificates (DER) as revoked, DER: of now, and good for twenty years.
    ///
    /// # Panics
    /// If one is no certificate.
    pub fn revocation_list(&self, revoked: &[&[u8]]) -> Vec<u8> {
        self.list(revoked, true)
    }

    /// One without nextUpdate and without a certificate, DER: nobody keeps it.
    ///
    /// # Panics
    /// As [`Self::revocation_list`].
    pub fn passing_list(&self) -> Vec<u8> {
        self.list(&[], false)
    }

    fn list(&self, revoked: &[&[u8]], lasts: bool) -> Vec<u8> {
        let list = || -> x509_cert::builder::Result<Vec<u8>> {
            let issuer = Certificate::from_der(&self.certificate)?;
            let validity = Validity::years_from_now(20).to_x509()?;
            let revoked = revoked.iter().map(|der| {
                let certificate = Certificate::from_der(der)?;
                Ok(RevokedCert {
                    serial_number: certificate.tbs_certificate().serial_number().clone(),
                    revocation_date: validity.not_before,
                    crl_entry_extensions: None,
                })
            });
            let revoked = revoked.collect::<x509_cert::builder::Result<Vec<RevokedCert>>>()?;
            let number = CrlNumber::try_from(1_u64)?;
            let mut list = CrlBuilder::new_with_this_update(&issuer, number, validity.not_before)?
                .with_next_update(lasts.then_some(validity.not_after));
            if !revoked.is_empty() {
                list = list.with_certificates(revoked.into_iter());
            }
            let signer = self.key.certificate_signer();
            Ok(list
                .build::<_, rsa::pkcs1v15::Signature>(&signer)?
                .to_der()?)
        };
        list().unwrap_or_else(|error| panic!("cannot make a revocation list: {error}"))
    }
}
