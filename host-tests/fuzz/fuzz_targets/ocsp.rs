//! Responses of OCSP responders. The input is what a responder says, which is signed by its key; or the whole response,
//! which nobody who may has signed: it is never believed.
#![no_main]

use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use privyseal::pki::Certificates;
use privyseal::pki::crl::Crl;
use privyseal::pki::ocsp::{OcspQuestion, OcspResponse};
use privyseal::pki::path::{PathError, PathOptions};
use privyseal::pki::revocation::{FetchRevocation, Revocation, RevocationOptions, RevocationPlaces};
use privyseal_core::UnixTime;
use privyseal_fuzz::pkits::{Object, Pkits};
use privyseal_fuzz::tree::{Content, Node};

const NOW: u64 = 1_767_225_600;
/// id-pkix-ocsp-basic (RFC 6960 section 4.2.1).
const BASIC: &[u8] = b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01";

/// A leaf below the trusted root, and the root's key as its responder.
static CASE: LazyLock<(Pkits, Object)> = LazyLock::new(|| {
    let pkits = Pkits::load();
    let case = pkits
        .cases
        .iter()
        .find(|case| case.name == "valid_signatures_test1")
        .expect("a case");
    let ca = case.objects[1].clone();
    (pkits, ca)
});

#[derive(Debug)]
struct Responder<'a> {
    response: &'a [u8],
    is_whole: bool,
    asked: Mutex<Vec<u8>>,
}

impl FetchRevocation for Responder<'_> {
    fn response(
        &self,
        _: &RevocationPlaces,
        ask: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        judge: &dyn Fn(&OcspResponse) -> Revocation,
        _: Instant,
    ) -> Option<Revocation> {
        let question = ask(b"a nonce of sixteen")?;
        *self.asked.lock().expect("one thread") = question.to_der();
        let whole = if self.is_whole {
            self.response.to_vec()
        } else {
            whole(self.response)
        };
        Some(judge(&question.response(whole)))
    }

    fn lists(&self, _: &RevocationPlaces, _: UnixTime, _: Instant) -> Vec<Crl> {
        Vec::new()
    }

    fn forget(&self, _: &RevocationPlaces) {}
}

/// A successful response with these data.
fn whole(data: &[u8]) -> Vec<u8> {
    let (pkits, ca) = &*CASE;
    let data = Node {
        tag: 0x30,
        content: Content::Bytes(data.to_vec()),
    };
    let signed = pkits.sign(&Object {
        tbs: data,
        is_list: true,
        signer: ca.signer,
    });
    let node = |tag, content: Vec<u8>| {
        Node {
            tag,
            content: Content::Bytes(content),
        }
        .to_der()
    };
    let bytes = node(0x30, [BASIC, &node(4, signed)].concat());
    node(0x30, [&[0x0a, 1, 0], &node(0xa0, bytes)[..]].concat())
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, response)) = data.split_first() else {
        return;
    };
    let (pkits, ca) = &*CASE;
    let responder = Responder {
        response,
        is_whole: choice & 1 == 1,
        asked: Mutex::default(),
    };
    let mut revocation = RevocationOptions::default();
    revocation.fetch = Some(&responder);
    let chain = Certificates::from(vec![pkits.sign(ca)]);
    let trust = Certificates::from(vec![pkits.anchor.clone()]);
    let options = PathOptions::at(UnixTime::from_secs(NOW).expect("a moment"));
    let verdict = chain.prove(&trust, &options, revocation);
    let asked = responder.asked.lock().expect("one thread");
    assert!(!asked.is_empty(), "the responder was asked");
    let is_about_revocation = verdict
        .as_ref()
        .err()
        .is_none_or(PathError::is_about_revocation);
    assert!(is_about_revocation, "{verdict:?}");
    if verdict.is_ok() {
        assert!(!responder.is_whole, "nobody signed it");
        // CertID: SHA-1 of the issuer's name and of its key, and the serial number, as they were asked for.
        let id = asked_id(&asked);
        assert!(
            response.windows(id.len()).any(|window| window == id),
            "it is about another certificate"
        );
    }
});

/// What follows the hash's algorithm in the CertID of the one request.
fn asked_id(request: &[u8]) -> Vec<u8> {
    let request = Node::read(request).expect("DER");
    let id = &request.nodes()[0].nodes()[0].nodes()[0].nodes()[0];
    id.nodes()[1..].iter().flat_map(Node::to_der).collect()
}
