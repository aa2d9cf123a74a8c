//! Certificates from files, as owned DER: what the core then orders, reads and proves in place.

use std::path::Path;

use privyseal_core::cert::{Chain, ChainError};
use privyseal_core::{RsaPublicKey, SchemeRules, UnixTime};
use sha2::{Digest as _, Sha256};

use super::PkiError;
use super::links::HostLinks;
use super::path::{
    self, End, Heap, NormalName, PathCertificate, PathError, PathOptions, display_name,
};
use super::pem::{self, PemError, Wanted};
use super::revocation::RevocationOptions;
use crate::base::{clock, file};

/// DER certificates in the order in which they were given. Nothing is known about them yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates(Vec<Vec<u8>>);

impl Certificates {
    /// Reads a file with one or more PEM certificates, with any text around them, or with one DER
    /// certificate, of 1 MiB at most.
    ///
    /// # Errors
    ///
    /// [`PkiError::File`] and [`PkiError::Content`], which name the file.
    pub fn from_file(path: &Path) -> Result<Self, PkiError> {
        let content = file::read(path, file::MAX_FILE)?;
        Self::from_bytes(&content).map_err(|fault| PkiError::Content {
            path: path.to_owned(),
            fault,
        })
    }

    /// Reads the content of such a file.
    ///
    /// # Errors
    ///
    /// [`PemError`] if there is none, if one of several cannot be read, or if there is anything else in PEM,
    /// such as a private key.
    pub fn from_bytes(content: &[u8]) -> Result<Self, PemError> {
        let wanted = Wanted {
            label: "CERTIFICATE",
            name: "certificate",
        };
        pem::read(content, wanted).map(Self)
    }

    /// The one chain among them, leaf first. Copies, and certificates that do not belong to it, do not matter. Proves
    /// nothing to those who use it: [`Chain::prove`] does.
    ///
    /// # Errors
    ///
    /// As [`Certificates::chain_for`], or that of the clock.
    pub fn chain(&self) -> Result<Chain<'_>, PkiError> {
        self.chain_for(&ChainOptions::at(clock::now()?))
    }

    /// The same, for that key and scheme: of several certificates for one key the one that is valid, of the scheme's
    /// key usage, and with a path to a root.
    ///
    /// # Errors
    ///
    /// [`PkiError::Path`] if it cannot be told which one is the leaf, or if an issuer is missing between those given;
    /// [`PkiError::Core`] if the chain is longer than the core takes.
    pub fn chain_for(&self, wanted: &ChainOptions<'_>) -> Result<Chain<'_>, PkiError> {
        self.chains_for(wanted).map(|(chain, _)| chain)
    }

    /// The same, and those of other certificates for the key, for when it is not valid.
    pub(crate) fn chains_for(
        &self,
        wanted: &ChainOptions<'_>,
    ) -> Result<(Chain<'_>, Vec<Chain<'_>>), PkiError> {
        if self.0.is_empty() {
            return Err(ChainError::Empty.into());
        }
        let heap = Heap::new(self.iter())?;
        let mut ranked = Vec::new();
        for leaf in wanted.leaves(&heap)? {
            let begin = heap.certificates().get(leaf).map(|it| it.not_before());
            // The issuers that one has which is not valid yet are those of its time.
            let options = PathOptions::at(begin.map_or(wanted.now, |begin| begin.max(wanted.now)));
            let path = heap.assemble(leaf, &options)?;
            ranked.push((wanted.rank(&heap, &path), path));
        }
        ranked.sort_by(|(one, _), (other, _)| other.cmp(one));
        let mut ranked = ranked.into_iter();
        let ((is_usable, ..), path) = ranked.next().ok_or(ChainError::Empty)?;
        let in_order = |path: &path::Path| {
            let on_path = heap.on_path(path);
            let ders: Vec<_> = on_path.iter().map(|it| it.as_der()).collect();
            Chain::in_order(&ders)
        };
        if let Err(error) = heap.check_complete(&path) {
            // Where their names make one chain all the same, its proof says best which signature is wrong.
            let all = heap
                .certificates()
                .iter()
                .map(|certificate| certificate.as_der());
            let chain = Chain::order(&all.collect::<Vec<_>>()).map_err(|_| error)?;
            return Ok((chain, Vec::new()));
        }
        let as_usable = ranked.filter(|(rank, _)| rank.0 == is_usable);
        let others = as_usable.filter_map(|(_, path)| in_order(&path).ok());
        Ok((in_order(&path)?, others.collect()))
    }

    /// Proves the chain before the key is known that it must be for; that says which one of several leaves is meant.
    ///
    /// # Errors
    ///
    /// As [`Certificates::chain_for`], and why the chain does not hold.
    pub fn check_before_key(&self, wanted: &ChainOptions<'_>) -> Result<(), PkiError> {
        match self.chain_for(wanted) {
            Err(PkiError::Path(PathError::SeveralLeaves { .. })) => Ok(()),
            chain => Ok(chain?.prove(&HostLinks).map(|_| ())?),
        }
    }

    /// The path from the first certificate to one of `trust` (RFC 5280 section 6.1), DER and leaf first, without
    /// what is trusted. The others may stand in any order, and need not belong to it. Nobody on it is revoked, by
    /// `revocation`.
    ///
    /// # Errors
    ///
    /// [`PathError`].
    pub fn prove(
        &self,
        trust: &Self,
        options: &PathOptions,
        revocation: RevocationOptions<'_>,
    ) -> Result<Vec<&[u8]>, PathError> {
        let heap = Heap::new(self.iter())?.trusting(trust.iter())?;
        let check = revocation.at(options.now);
        let accept = |path: &_| check.map_or(Ok(()), |check| check.check(&heap, path));
        let path = heap.prove(0, options, &accept)?;
        Ok(heap
            .on_path(&path)
            .iter()
            .map(|certificate| certificate.as_der())
            .collect())
    }

    /// The certificates, as given.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// Which chain is wanted, where certificates make several.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ChainOptions<'a> {
    /// The moment at which it should be valid.
    pub now: UnixTime,
    /// The key that the leaf is for.
    pub key: Option<&'a RsaPublicKey>,
    /// The scheme that says what the leaf may be used for.
    pub scheme: Option<&'a SchemeRules>,
    /// SHA-256 of the leaf (DER), where one is named.
    pub leaf: Option<[u8; 32]>,
}

impl ChainOptions<'_> {
    /// Valid at `now`, for any key.
    pub const fn at(now: UnixTime) -> Self {
        Self {
            now,
            key: None,
            scheme: None,
            leaf: None,
        }
    }

    /// The certificates that can be the leaf: those for the key, else the one that issued no other.
    fn leaves(&self, heap: &Heap<'_>) -> Result<Vec<usize>, PathError> {
        let all = || heap.certificates().iter().enumerate();
        if let Some(digest) = self.leaf {
            let is_named = |it: &PathCertificate<'_>| Sha256::digest(it.as_der())[..] == digest;
            let (at, _) = all()
                .find(|(_, it)| is_named(it))
                .ok_or(PathError::NamedLeafMissing)?;
            return Ok(vec![at]);
        }
        let is_for_key = |certificate: &PathCertificate<'_>| {
            self.key
                .is_some_and(|key| certificate.rsa_key().as_ref() == Ok(key))
        };
        let for_key: Vec<_> = all()
            .filter(|(_, it)| !it.is_ca() && is_for_key(it))
            .map(|(at, _)| at)
            .collect();
        if !for_key.is_empty() {
            return Ok(for_key);
        }
        let issued = |issuer: usize, subject: &NormalName| {
            all().any(|(at, other)| at != issuer && other.issuer == *subject)
        };
        let mut leaves: Vec<_> = all().filter(|(at, it)| !issued(*at, &it.subject)).collect();
        if leaves.iter().any(|(_, it)| !it.is_ca()) {
            leaves.retain(|(_, it)| !it.is_ca());
        }
        let mut leaves = leaves.into_iter();
        let (at, first) = leaves.next().ok_or(PathError::NoLeaf)?;
        let mut found = vec![at];
        for (at, other) in leaves {
            if other.spki() != first.spki() {
                return Err(PathError::SeveralLeaves {
                    first: display_name(first.subject()),
                    second: display_name(other.subject()),
                });
            }
            found.push(at);
        }
        Ok(found)
    }

    /// The better the chain, the greater.
    fn rank(&self, heap: &Heap<'_>, path: &path::Path) -> (bool, bool, bool, UnixTime) {
        let chain = heap.on_path(path);
        let is_valid = chain.iter().all(|it| it.is_valid_at(self.now));
        let leaf = chain.first();
        let is_usable = leaf.is_some_and(|leaf| {
            self.scheme
                .is_none_or(|scheme| scheme.check_leaf_key_usage(Some(leaf)).is_ok())
        });
        let end = leaf.map_or(self.now, |leaf| leaf.not_after());
        (is_usable, is_valid, path.end != End::Open, end)
    }
}

impl From<Vec<Vec<u8>>> for Certificates {
    fn from(certificates: Vec<Vec<u8>>) -> Self {
        Self(certificates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

    #[test]
    fn pem_with_text_around_it_and_der() {
        let two = format!("subject=x\r\n{PEM}issuer=y\n{PEM}");
        let certificates = Certificates::from_bytes(two.as_bytes()).unwrap();
        assert_eq!(
            certificates.iter().collect::<Vec<_>>(),
            [[0x30, 0], [0x30, 0]]
        );
        let one = Certificates::from_bytes(&[0x30, 0]).unwrap();
        assert_eq!(one.iter().collect::<Vec<_>>(), [[0x30, 0]]);
    }

    #[test]
    fn what_is_no_chain_says_why() {
        for (content, reason) in [
            ("", "no certificate"),
            ("hello", "no certificate"),
            ("-----BEGIN CERTIFICATE-----\nMAA=\n", "cut off"),
            (
                "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
                "not base64",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
                "private key",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
                "private key",
            ),
        ] {
            let error = Certificates::from_bytes(content.as_bytes()).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(reason), "{content:?}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Certificates::from_file(Path::new("/nowhere/chain.pem")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/chain.pem"), "{error}");
        let error = crate::Error::from(error);
        assert_eq!(error.kind(), crate::ErrorKind::Input);
    }
}
