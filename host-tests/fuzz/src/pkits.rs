//! NIST's test suite with other keys, so that what is changed in it can be signed again.

use std::collections::HashMap;
use std::io::Read as _;

use ring::signature::{
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use serde::Deserialize;

use crate::tree::{Content, Node};

/// AlgorithmIdentifier of Ed25519 (RFC 8410 section 3).
const ED25519: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";
const ANCHOR: &str = "TrustAnchorRootCertificate.crt";
const ANCHORS_LIST: &str = "TrustAnchorRootCRL.crl";

#[derive(Deserialize)]
struct Suite {
    files: Vec<String>,
    cases: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    leaf: String,
    others: Vec<String>,
    crls: Vec<String>,
}

/// A certificate or a list: what is signed, and who signs it.
#[derive(Clone)]
pub struct Object {
    pub tbs: Node,
    pub is_list: bool,
    /// The number of a key; none where the signature is wrong on purpose, or of another algorithm than RSA.
    pub signer: Option<usize>,
}

/// One case: the leaf first.
pub struct Case {
    pub name: String,
    pub objects: Vec<Object>,
}

pub struct Pkits {
    pub cases: Vec<Case>,
    /// The trusted root, DER.
    pub anchor: Vec<u8>,
    keys: Vec<Ed25519KeyPair>,
}

impl Pkits {
    pub fn load() -> Self {
        let suite: Suite =
            serde_json::from_str(include_str!("../../fixtures/pkits/cases.json")).expect("cases");
        let packed = &include_bytes!("../../fixtures/pkits/files.der.gz")[..];
        let mut der = Vec::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_end(&mut der)
            .expect("files");
        let files = Node::read_all(&der).expect("DER");
        assert_eq!(files.len(), suite.files.len());
        let mut spkis = Vec::new();
        // Whose keys they are: a signer is looked for among those of the issuer's name first.
        let mut names: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for tbs in files.iter().map(tbs_of) {
            if let Some(at) = spki_place(tbs) {
                let spki = tbs.nodes()[at].to_der();
                let known = spkis.iter().position(|known| *known == spki);
                let number = known.unwrap_or(spkis.len());
                if known.is_none() {
                    spkis.push(spki);
                }
                names
                    .entry(tbs.nodes()[at - 1].to_der())
                    .or_default()
                    .push(number);
            }
        }
        let keys: Vec<_> = spkis.iter().map(|spki| new_key(spki)).collect();
        let objects = files.iter().map(|file| {
            let of_name = issuer_of(tbs_of(file)).and_then(|name| names.get(&name.to_der()));
            let all: Vec<_> = (0..spkis.len()).collect();
            let mut candidates = of_name.unwrap_or(&all).iter().copied();
            let signer = candidates.find(|&number| is_signed_by(file, &spkis[number]));
            object(tbs_of(file), &spkis, &keys, signer)
        });
        let objects: HashMap<_, _> = suite
            .files
            .iter()
            .map(String::as_str)
            .zip(objects)
            .collect();
        let cases = suite.cases.iter().map(|entry| {
            let names = core::iter::once(&entry.leaf)
                .chain(&entry.others)
                .chain(&entry.crls);
            let names = names.map(String::as_str).chain([ANCHORS_LIST]);
            Case {
                name: entry.name.clone(),
                objects: names.map(|name| objects[name].clone()).collect(),
            }
        });
        let mut pkits = Self {
            cases: cases.collect(),
            anchor: Vec::new(),
            keys,
        };
        pkits.anchor = pkits.sign(&objects[ANCHOR]);
        pkits
    }

    /// The whole of it, DER.
    pub fn sign(&self, object: &Object) -> Vec<u8> {
        let tbs = object.tbs.to_der();
        let signature = match object.signer {
            Some(signer) => self.keys[signer].sign(&tbs).as_ref().to_vec(),
            None => vec![7; 64],
        };
        let node = |tag, content: &[u8]| Node {
            tag,
            content: Content::Bytes(content.to_vec()),
        };
        let bits = node(3, &[&[0], &signature[..]].concat()).to_der();
        node(0x30, &[&tbs, ED25519, &bits].concat()).to_der()
    }
}

fn tbs_of(file: &Node) -> &Node {
    &file.nodes()[0]
}

/// Where the key of a certificate stands in its signed part; a list has none.
fn spki_place(tbs: &Node) -> Option<usize> {
    let has_version = tbs.nodes().first()?.tag == 0xa0;
    let at = 5 + usize::from(has_version);
    let is_key = tbs
        .nodes()
        .get(at)
        .is_some_and(|node| node.nodes().last().is_some_and(|bits| bits.tag == 3));
    is_key.then_some(at)
}

/// What stands behind the algorithm, which is the first SEQUENCE.
fn issuer_of(tbs: &Node) -> Option<&Node> {
    tbs.nodes().iter().filter(|node| node.tag == 0x30).nth(1)
}

/// A key that belongs to another one, always the same.
fn new_key(spki: &[u8]) -> Ed25519KeyPair {
    let seed = ring::digest::digest(&ring::digest::SHA256, spki);
    Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).expect("32 bytes")
}

fn is_signed_by(file: &Node, spki: &[u8]) -> bool {
    let bits = |node: &Node| match &node.content {
        Content::Bytes(bytes) => bytes.get(1..).unwrap_or_default().to_vec(),
        Content::Nodes(_) => Vec::new(),
    };
    let (Some(signature), Some(spki)) = (file.nodes().last(), Node::read(spki)) else {
        return false;
    };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, bits(&spki.nodes()[1]));
    key.verify(&tbs_of(file).to_der(), &bits(signature)).is_ok()
}

fn object(tbs: &Node, spkis: &[Vec<u8>], keys: &[Ed25519KeyPair], signer: Option<usize>) -> Object {
    let mut tbs = tbs.clone();
    let place = spki_place(&tbs);
    if let Some(at) = place {
        let old = tbs.nodes()[at].to_der();
        let key = spkis
            .iter()
            .position(|spki| *spki == old)
            .expect("a known key");
        let bits = [&[0], keys[key].public_key().as_ref()].concat();
        let bits = Node {
            tag: 3,
            content: Content::Bytes(bits),
        }
        .to_der();
        tbs.nodes_mut()[at] = Node {
            tag: 0x30,
            content: Content::Bytes([ED25519, &bits].concat()),
        };
    }
    // The first SEQUENCE is the algorithm; before it are numbers only.
    let algorithm = tbs.nodes_mut().iter_mut().find(|node| node.tag == 0x30);
    *algorithm.expect("an algorithm") = Node::read(ED25519).expect("DER");
    Object {
        tbs,
        is_list: place.is_none(),
        signer,
    }
}
