//! Devices that start again while they make a key, or sign a request for it.

use privyseal_core::RsaPublicKey;
use privyseal_core::cert::KeyUsages;
use privyseal_core::csr::{Subject, SubjectAttribute, SubjectAttributeType};
use privyseal_core::rsa::spki::{spki_digest, write_spki};
use privyseal_protocol::{DeviceState, Generation, Request, Response};

use super::peer::{Peer, frame};
use super::{LONG, SHORT, open};
use crate::{ClientError, DeviceError, Limits};

#[test]
fn a_device_that_started_again_has_made_no_key() {
    let mut looks = 0;
    let peer = Peer::new(move |id, request| match request {
        Request::Generate(_) => frame(id, &Response::Accepted { received: 0 }),
        _ => Peer::told(id, |info| {
            looks += 1;
            // The first two are of those who open it and who begin.
            let is_making = looks == 3;
            info.state = if is_making {
                DeviceState::Generating
            } else {
                DeviceState::Empty
            };
            info.generation = is_making.then_some(Generation {
                bits: 2048,
                primes: 0,
                candidates: 1,
            });
            info.key = None;
        }),
    });
    let mut told = 0;
    let made = open(peer, LONG)
        .unwrap()
        .generate(2048, true, None, &mut |_| told += 1);
    let error = made.unwrap_err();
    assert!(matches!(error, DeviceError::NotGenerated), "{error}");
    assert_eq!(told, 1);
    // Its log has nothing of a start that made no key ready.
    let said = error.to_string();
    assert!(said.contains("started again, or gave up"), "{said}");
}

/// Nothing else tells the host of it; so it waits no longer than the slowest part takes.
#[test]
fn a_device_that_started_again_while_it_signed_a_request() {
    let key = RsaPublicKey::from_components(&[0xc3; 256], &[1, 0, 1]).unwrap();
    let (digest, mut spki) = (spki_digest(&key), Vec::new());
    let Ok(()) = write_spki(&key, &mut spki);
    let peer = Peer::new(move |id, request| match request {
        Request::Csr(_) => Vec::new(),
        Request::Read { part, offset: 0 } => frame(
            id,
            &Response::Data {
                part: *part,
                total: spki.len().try_into().unwrap(),
                offset: 0,
                bytes: &spki,
            },
        ),
        _ => Peer::told(id, |info| {
            info.state = DeviceState::Uncertified;
            info.key = Some(digest);
        }),
    });
    let limits = Limits {
        signature: SHORT.signature,
        kibibyte: SHORT.kibibyte,
        ..LONG
    };
    let name = SubjectAttribute::new(SubjectAttributeType::CommonName, "Gateway").unwrap();
    let subject = Subject::new(&[name]).unwrap();
    let mut device = open(peer, limits).unwrap();
    let asked = device.certification_request(&subject, KeyUsages::default());
    let Err(ClientError::Device(DeviceError::Silent { limit, .. })) = asked else {
        panic!("{asked:?}");
    };
    assert_eq!(limit, 2 * SHORT.signature);
}
