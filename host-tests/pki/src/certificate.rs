//! What a certificate says, with a knob for each rule that a test breaks.

use privyseal_test_base::clock;
use std::str::FromStr as _;
use std::time::{Duration, UNIX_EPOCH};

use x509_cert::builder::profile::BuilderProfile;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::flagset::FlagSet;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use x509_cert::{TbsCertificate, der};

/// A bit of the key usage extension (RFC 5280 section 4.2.1.3).
pub use x509_cert::ext::pkix::KeyUsages as Usage;

/// Days of a year, near enough.
const YEAR: u64 = 365 * 24 * 3600;

/// From when to when, both inclusive, in seconds since the epoch (RFC 5280 section 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: u64,
    /// The last second.
    pub not_after: u64,
}

impl Validity {
    /// From a day ago, for `years` years.
    ///
    /// # Panics
    /// If the clock shows a time before 1970.
    pub fn years_from_now(years: u64) -> Self {
        let now = clock::now();
        let not_before = now - 24 * 3600;
        Self {
            not_before,
            not_after: not_before + years * YEAR,
        }
    }

    pub(super) fn to_x509(self) -> der::Result<x509_cert::time::Validity> {
        let time =
            |seconds| x509_cert::time::Time::try_from(UNIX_EPOCH + Duration::from_secs(seconds));
        Ok(x509_cert::time::Validity::new(
            time(self.not_before)?,
            time(self.not_after)?,
        ))
    }
}

/// A certificate to be issued. The fields are knobs: set what the test is about.
#[derive(Clone, Debug)]
pub struct CertificateSpec {
    /// The subject, as RFC 4514 writes it.
    pub subject: String,
    /// When it is valid.
    pub validity: Validity,
    /// `cA` of the basic constraints; `None` leaves the extension out.
    pub ca: Option<bool>,
    /// `pathLenConstraint` of the basic constraints.
    pub path_len: Option<u8>,
    /// Key usage, critical; `None` leaves the extension out.
    pub key_usage: Option<Vec<Usage>>,
    /// Extended key usage, not critical; empty leaves the extension out.
    pub purposes: &'static [&'static str],
    /// Bytes of a non-critical extension that nobody knows: makes a certificate as large as a test
    /// wants.
    pub padding: usize,
    /// Extensions without content that nobody knows, not critical.
    pub extensions: u8,
    /// Extensions with this content (DER), not critical.
    pub special: Vec<(&'static str, Vec<u8>)>,
}

impl CertificateSpec {
    /// A CA below which `path_len` further CAs may stand (any number, if `None`), valid for twenty
    /// years.
    pub fn authority(common_name: &str, path_len: Option<u8>) -> Self {
        Self {
            subject: format!("CN={common_name},O=Privyseal Test Trust,C=NL"),
            validity: Validity::years_from_now(20),
            ca: Some(true),
            path_len,
            key_usage: Some(vec![Usage::KeyCertSign, Usage::CRLSign]),
            purposes: &[],
            padding: 0,
            extensions: 0,
            special: Vec::new(),
        }
    }

    /// An eSeal-like leaf: non-repudiation only, and an organization identifier (ETSI EN 319 412-1
    /// section 5.1.4), valid for two years.
    pub fn seal() -> Self {
        Self {
            subject: "CN=Test eSeal,2.5.4.97=NTRNL-12345678,O=Privyseal Test Organization,C=NL"
                .into(),
            validity: Validity::years_from_now(2),
            ca: Some(false),
            path_len: None,
            key_usage: Some(vec![Usage::NonRepudiation]),
            purposes: &[],
            padding: 0,
            extensions: 0,
            special: Vec::new(),
        }
    }

    /// The same with another validity.
    #[must_use]
    pub fn valid(mut self, not_before: u64, not_after: u64) -> Self {
        self.validity = Validity {
            not_before,
            not_after,
        };
        self
    }

    /// The same with another key usage.
    #[must_use]
    pub fn usage(mut self, usage: &[Usage]) -> Self {
        self.key_usage = Some(usage.to_vec());
        self
    }

    /// The same for these purposes alone.
    #[must_use]
    pub fn purposes(mut self, purposes: &'static [&'static str]) -> Self {
        self.purposes = purposes;
        self
    }

    /// The same with an extension of that many bytes.
    #[must_use]
    pub fn padded(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }

    pub(super) fn subject_name(&self) -> der::Result<Name> {
        Name::from_str(&self.subject)
    }
}

/// Puts a spec into the form that the certificate builder wants.
pub(super) struct Profile<'a> {
    pub(super) spec: &'a CertificateSpec,
    pub(super) subject: Name,
    pub(super) issuer: Name,
}

impl BuilderProfile for Profile<'_> {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        subject_key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let spec = self.spec;
        let mut extensions = Vec::new();
        let mut add = |extension: der::Result<Extension>| -> der::Result<()> {
            extensions.push(extension?);
            Ok(())
        };
        let subject_key_id = SubjectKeyIdentifier::try_from(subject_key)?;
        add((&subject_key_id).to_extension(&self.subject, &[]))?;
        let authority_key_id = AuthorityKeyIdentifier::try_from(issuer_key)?;
        add((&authority_key_id).to_extension(&self.subject, &[]))?;
        if let Some(ca) = spec.ca {
            let constraints = BasicConstraints {
                ca,
                path_len_constraint: spec.path_len,
            };
            add((&constraints).to_extension(&self.subject, &[]))?;
        }
        if let Some(usage) = &spec.key_usage {
            let usage = usage
                .iter()
                .fold(FlagSet::<KeyUsages>::default(), |set, &bit| set | bit);
            add((&KeyUsage(usage)).to_extension(&self.subject, &[]))?;
        }
        if !spec.purposes.is_empty() {
            let purposes = spec.purposes.iter().map(|oid| ObjectIdentifier::new(oid));
            let purposes = ExtendedKeyUsage(
                purposes
                    .collect::<Result<_, _>>()
                    .map_err(der::Error::from)?,
            );
            add((&purposes).to_extension(&self.subject, &[]))?;
        }
        if spec.padding > 0 {
            add(other("1.3.6.1.4.1.32473.1", vec![0; spec.padding]))?;
        }
        for number in 0..spec.extensions {
            add(other(&format!("1.3.6.1.4.1.32473.2.{number}"), Vec::new()))?;
        }
        for (id, content) in &spec.special {
            add(other(id, content.clone()))?;
        }
        Ok(extensions)
    }
}

/// An extension; RFC 9371 reserves identifiers below 1.3.6.1.4.1.32473 for examples.
fn other(id: &str, content: Vec<u8>) -> der::Result<Extension> {
    Ok(Extension {
        extn_id: ObjectIdentifier::new(id)?,
        critical: false,
        extn_value: OctetString::new(content)?,
    })
}
