//! RFC 5280 section 6.1.3 to 6.1.5, one certificate after the other, from the anchor to the leaf.

use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::name::GeneralName;

use privyseal_core::cert::{Certificate, KeyUsage, LinkError};

use super::certificate::PathCertificate;
use super::name::{email_is_within, is_within};
use super::policy::PolicyState;
use super::{NormalName, PathError, PathOptions, PathRule, TrustAnchor};

/// The most comparisons of names with constraints for one certificate.
const MAX_COMPARISONS: usize = 250_000;

/// Whether `path`, leaf first, holds below `anchor`; without an anchor the last certificate's signature is not
/// judged. `verify` tells whether that key signed the certificate at that position.
pub(super) fn validate<'h>(
    path: &[&'h PathCertificate<'_>],
    anchor: Option<&'h TrustAnchor>,
    options: &PathOptions,
    verify: impl Fn(usize, &'h [u8]) -> Result<(), LinkError>,
) -> Result<(), PathError> {
    let mut issuer = anchor.map(|anchor| (&anchor.name, anchor.spki.as_slice()));
    let mut policies = PolicyState::new(&options.policies, path.len());
    let mut constraints = Vec::<&NameConstraints>::new();
    let mut path_len = path.len();
    for (position, certificate) in path.iter().enumerate().rev() {
        let check = |holds: bool, rule: PathRule| {
            if holds {
                Ok(())
            } else {
                Err(rule.at(position))
            }
        };
        let is_self_issued = certificate.is_self_issued();
        // 6.1.3 (a)
        if let Some((name, spki)) = issuer {
            check(*name == certificate.issuer, PathRule::Issuer)?;
            verify(position, spki).map_err(|error| PathRule::Signature(error).at(position))?;
        }
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        check(options.now >= not_before, PathRule::NotYetValid(not_before))?;
        check(options.now <= not_after, PathRule::Expired(not_after))?;
        // (b), (c)
        if position == 0 || !is_self_issued {
            check(
                are_permitted(certificate, &constraints),
                PathRule::NameConstraints,
            )?;
        }
        // (d) to (f)
        let may_be_any = position > 0 && is_self_issued;
        check(
            policies.certificate(&certificate.extensions, may_be_any),
            PathRule::Policies,
        )?;
        check(
            !certificate.extensions.unrecognised,
            PathRule::CriticalExtension,
        )?;
        if position == 0 {
            let holds = policies.wrap_up(&certificate.extensions);
            return check(holds, PathRule::Policies);
        }
        // 6.1.4
        check(
            policies.prepare(&certificate.extensions, is_self_issued),
            PathRule::Policies,
        )?;
        constraints.extend(&certificate.extensions.name_constraints);
        check(certificate.is_ca(), PathRule::NotCa)?;
        if !is_self_issued {
            check(path_len > 0, PathRule::PathLength)?;
            path_len = path_len.saturating_sub(1);
        }
        if let Some(limit) = certificate.basic_constraints().and_then(|it| it.path_len) {
            path_len = path_len.min(usize::from(limit));
        }
        let usages = certificate.key_usages();
        let may_sign = usages.is_none_or(|usages| usages.has(KeyUsage::KeyCertSign));
        check(may_sign, PathRule::KeyUsage)?;
        issuer = Some((&certificate.subject, certificate.spki()));
    }
    Ok(())
}

/// Whether the names and policies of a chain, leaf first, are such as the constraints in it allow; `None` where that
/// cannot be told. A root at its end is an anchor, and constrains nobody (RFC 5280 section 6.1.1 (d)).
pub(crate) fn constraints_hold(chain: &[Certificate<'_>]) -> Option<bool> {
    let path = match chain {
        [path @ .., root] if root.is_self_issued() && !path.is_empty() => path,
        path => path,
    };
    let read = path
        .iter()
        .map(|certificate| PathCertificate::from_der(certificate.as_der()));
    let read = read.collect::<Result<Vec<_>, _>>().ok()?;
    // A moment at which all have begun: dates are judged elsewhere.
    let now = read
        .iter()
        .map(|certificate| certificate.not_before())
        .max()?;
    let read: Vec<_> = read.iter().collect();
    match validate(&read, None, &PathOptions::at(now), |_, _| Ok(())) {
        Ok(()) => Some(true),
        Err(PathError::Broken {
            rule: PathRule::NameConstraints | PathRule::Policies,
            ..
        }) => Some(false),
        Err(_) => None,
    }
}

/// Whether every name of the certificate is one that all constraints above it allow.
fn are_permitted(certificate: &PathCertificate<'_>, constraints: &[&NameConstraints]) -> bool {
    let names = &certificate.extensions.names;
    let subtrees = constraints.iter().flat_map(|it| {
        let lists = [&it.permitted_subtrees, &it.excluded_subtrees];
        lists.into_iter().flatten().flatten()
    });
    if subtrees
        .count()
        .saturating_mul(names.len().saturating_add(1))
        > MAX_COMPARISONS
    {
        return false;
    }
    constraints.iter().all(|constraints| {
        let subject = subject_permitted(certificate, constraints);
        subject
            && names
                .iter()
                .all(|name| is_permitted(constraints, |base| is_within(name, base)))
    })
}

/// The subject itself, if there is one, and mail addresses in it.
fn subject_permitted(certificate: &PathCertificate<'_>, constraints: &NameConstraints) -> bool {
    let subject = &certificate.subject;
    let directory = |base: &GeneralName| match base {
        GeneralName::DirectoryName(base) => Ok(Some(subject.is_within(&NormalName::new(base)))),
        _ => Ok(None),
    };
    let mut emails = certificate.emails.iter();
    (subject.is_empty() || is_permitted(constraints, directory))
        && emails.all(|email| {
            is_permitted(constraints, |base| match base {
                GeneralName::Rfc822Name(base) => email_is_within(email, base.as_str()).map(Some),
                _ => Ok(None),
            })
        })
}

/// Whether a name is in one permitted subtree, where there are any of its form, and in no excluded one. `is_within`
/// answers `None` for a subtree of another form, and an error where it cannot tell.
fn is_permitted(
    constraints: &NameConstraints,
    is_within: impl Fn(&GeneralName) -> Result<Option<bool>, ()>,
) -> bool {
    let judge =
        |subtrees: &Option<Vec<x509_cert::ext::pkix::constraints::name::GeneralSubtree>>| {
            let mut verdict = None;
            for subtree in subtrees.iter().flatten() {
                if subtree.minimum != 0 || subtree.maximum.is_some() {
                    return Err(());
                }
                verdict = match (verdict, is_within(&subtree.base)?) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (one, other) => one.or(other),
                };
            }
            Ok(verdict)
        };
    let permitted = judge(&constraints.permitted_subtrees);
    let excluded = judge(&constraints.excluded_subtrees);
    matches!(
        (permitted, excluded),
        (Ok(None | Some(true)), Ok(None | Some(false)))
    )
}
