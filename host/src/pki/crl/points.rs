//! Distribution points: which part of a CA's certificates a list is about, and which list a certificate means
//! (RFC 5280 sections 4.2.1.13, 5.2.5 and 6.3.3 (b)).

use x509_cert::ext::pkix::crl::dp::{DistributionPoint, IssuingDistributionPoint, Reasons};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};

use crate::pki::path::{NormalName, PathCertificate};

/// Every reason for which a certificate is revoked.
pub(in crate::pki) const ALL_REASONS: u16 = 0x1fe;

/// One name of a place where lists are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pki) enum PointName {
    Directory(NormalName),
    Other(GeneralName),
}

/// Which certificates a list is about. By default all of its issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pki) struct Scope {
    point: Option<Vec<PointName>>,
    /// Whether end-entity certificates (`users`) and CA certificates (`authorities`) are covered; with
    /// `onlyContainsAttributeCerts`, neither.
    users: bool,
    authorities: bool,
    pub(in crate::pki) reasons: u16,
    is_indirect: bool,
}

/// Where the lists about a certificate are.
#[derive(Debug)]
pub(in crate::pki) struct Point {
    names: Vec<PointName>,
    /// Who issues them, if not the certificate's issuer.
    issuers: Option<Vec<NormalName>>,
    pub(in crate::pki) reasons: u16,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            point: None,
            users: true,
            authorities: true,
            reasons: ALL_REASONS,
            is_indirect: false,
        }
    }
}

impl Scope {
    pub(in crate::pki) fn new(point: &IssuingDistributionPoint, issuer: &NormalName) -> Self {
        let names = point.distribution_point.as_ref();
        Self {
            point: names.map(|names| point_names(names, issuer)),
            users: !point.only_contains_ca_certs && !point.only_contains_attribute_certs,
            authorities: !point.only_contains_user_certs && !point.only_contains_attribute_certs,
            reasons: mask(point.only_some_reasons.as_ref()),
            is_indirect: point.indirect_crl,
        }
    }

    /// RFC 5280 section 6.3.3 (b), for a list of `list_issuer`.
    pub(in crate::pki) fn covers(
        &self,
        list_issuer: &NormalName,
        certificate: &PathCertificate<'_>,
        point: &Point,
    ) -> bool {
        let is_of_issuer = match &point.issuers {
            Some(issuers) => self.is_indirect && issuers.contains(list_issuer),
            None => *list_issuer == certificate.issuer,
        };
        let is_for_point = self
            .point
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| point.names.contains(name)));
        let is_for_kind = if certificate.is_ca() {
            self.authorities
        } else {
            self.users
        };
        is_of_issuer && is_for_point && is_for_kind
    }
}

impl Point {
    /// The certificate's distribution points, or else the one that is meant without any: the issuer's name (RFC 5280
    /// section 6.3.3).
    pub(in crate::pki) fn all_of(certificate: &PathCertificate<'_>) -> Vec<Self> {
        let named = certificate.extensions.distribution_points.iter();
        let mut points: Vec<_> = named
            .map(|point| Self::new(point, &certificate.issuer))
            .collect();
        points.push(Self {
            names: vec![PointName::Directory(certificate.issuer.clone())],
            issuers: None,
            reasons: ALL_REASONS,
        });
        points
    }

    fn new(point: &DistributionPoint, issuer: &NormalName) -> Self {
        let issuers = point.crl_issuer.as_ref().map(|names| {
            let names = names.iter().map(PointName::new);
            let names = names.filter_map(|name| match name {
                PointName::Directory(name) => Some(name),
                PointName::Other(_) => None,
            });
            names.collect::<Vec<_>>()
        });
        let list_issuer = issuers
            .as_ref()
            .and_then(|issuers| issuers.first())
            .unwrap_or(issuer);
        let names = match (&point.distribution_point, &issuers) {
            (Some(names), _) => point_names(names, list_issuer),
            (None, Some(issuers)) => issuers.iter().cloned().map(PointName::Directory).collect(),
            (None, None) => Vec::new(),
        };
        Self {
            names,
            issuers,
            reasons: mask(point.reasons.as_ref()),
        }
    }
}

impl PointName {
    fn new(name: &GeneralName) -> Self {
        match name {
            GeneralName::DirectoryName(name) => Self::Directory(NormalName::new(name)),
            other => Self::Other(other.clone()),
        }
    }
}

fn point_names(names: &DistributionPointName, list_issuer: &NormalName) -> Vec<PointName> {
    match names {
        DistributionPointName::FullName(names) => names.iter().map(PointName::new).collect(),
        DistributionPointName::NameRelativeToCRLIssuer(part) => {
            vec![PointName::Directory(list_issuer.joined(part))]
        }
    }
}

fn mask(reasons: Option<&der::flagset::FlagSet<Reasons>>) -> u16 {
    reasons.map_or(ALL_REASONS, |reasons| reasons.bits() & ALL_REASONS)
}
