//! Certificates that no library would issue, composed element by element. Their signatures are judged by a verifier
//! that says yes: what is tried here is everything else.

mod encoding;
mod order;
mod proof;

use std::format;
use std::vec;
use std::vec::Vec;

use super::oid::SHA256_WITH_RSA;
use super::{Certificate, CertificateError, Chain, ChainError, LinkError, ProvenChain, VerifyLink};

/// Says yes.
#[derive(Debug)]
struct Yes;

impl VerifyLink for Yes {
    fn verify(&self, _: &Certificate<'_>, _: &Certificate<'_>) -> Result<(), LinkError> {
        Ok(())
    }
}

/// One element, DER.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let mut element = match content.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    element.extend_from_slice(content);
    element
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// A name of one commonName.
fn name(text: &str) -> Vec<u8> {
    let pair = sequence(&[&[0x06, 3, 0x55, 4, 3], &tlv(0x0c, text.as_bytes())]);
    sequence(&[&tlv(0x31, &pair)])
}

/// An extension below id-ce (2.5.29).
fn extension(arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&[0x06, 3, 0x55, 0x1d, arc], critical, &tlv(0x04, value)])
}

/// cA and, if there is one, pathLenConstraint.
fn basic_constraints(path_len: Option<u8>) -> Vec<u8> {
    let limit = path_len.map_or(Vec::new(), |limit| tlv(0x02, &[limit]));
    extension(19, true, &sequence(&[&[1, 1, 0xff], &limit]))
}

/// keyCertSign.
fn cert_sign() -> Vec<u8> {
    extension(15, true, &[3, 2, 2, 4])
}

/// What a certificate is made of.
#[derive(Clone)]
struct Spec {
    version: Vec<u8>,
    serial: Vec<u8>,
    issuer: &'static str,
    subject: &'static str,
    /// Years of its validity: from the first day of one to the first day of the other.
    years: (u8, u8),
    extensions: Vec<Vec<u8>>,
    /// What stands behind the key instead of the extensions.
    behind: Option<Vec<u8>>,
    /// What follows the last element of the signed part.
    trailing: Vec<u8>,
}

impl Spec {
    fn leaf(issuer: &'static str) -> Self {
        Self {
            version: vec![0xa0, 3, 2, 1, 2],
            serial: vec![2, 1, 7],
            issuer,
            subject: "leaf",
            years: (26, 30),
            extensions: vec![extension(15, true, &[3, 2, 6, 0x40])],
            behind: None,
            trailing: Vec::new(),
        }
    }

    fn ca(issuer: &'static str, subject: &'static str, path_len: Option<u8>) -> Self {
        Self {
            subject,
            years: (20, 40),
            extensions: vec![basic_constraints(path_len), cert_sign()],
            ..Self::leaf(issuer)
        }
    }

    fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    fn der(&self) -> Vec<u8> {
        let algorithm = {
            let oid = tlv(0x06, SHA256_WITH_RSA.as_bytes());
            sequence(&[&oid, &[5, 0]])
        };
        let moment = |year: u8| tlv(0x17, format!("{year}0101000000Z").as_bytes());
        let validity = sequence(&[&moment(self.years.0), &moment(self.years.1)]);
        let key = sequence(&[&algorithm, &[3, 2, 0, 0]]);
        let extensions = tlv(0xa3, &tlv(0x30, &self.extensions.concat()));
        let tbs = sequence(&[
            &self.version,
            &self.serial,
            &algorithm,
            &name(self.issuer),
            &validity,
            &name(self.subject),
            &key,
            self.behind.as_ref().unwrap_or(&extensions),
            &self.trailing,
        ]);
        sequence(&[&tbs, &algorithm, &[3, 2, 0, 0]])
    }
}

fn read(spec: &Spec) -> Result<(), CertificateError> {
    Certificate::from_der(&spec.der()).map(|_| ())
}

/// The proof of these certificates, in their order.
fn proved(specs: &[Spec]) -> Result<(), ChainError> {
    proved_by(specs, &Yes)
}

fn proved_by<P: VerifyLink>(specs: &[Spec], links: &P) -> Result<(), ChainError> {
    let ders: Vec<_> = specs.iter().map(Spec::der).collect();
    let ders: Vec<&[u8]> = ders.iter().map(Vec::as_slice).collect();
    let chain = Chain::order(&ders).expect("a chain");
    chain.prove(links).map(|_: ProvenChain<'_, P>| ())
}
