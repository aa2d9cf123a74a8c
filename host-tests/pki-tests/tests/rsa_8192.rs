//! A CA whose RSA key is larger than what the core multiplies: the host's verifier proves what it issued.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use privyseal::Certificates;
use privyseal::pki::links::HostLinks;
use privyseal::pki::path::PathOptions;
use privyseal::pki::pem;
use privyseal::pki::revocation::RevocationOptions;
use privyseal_core::UnixTime;
use privyseal_core::cert::{Chain, ChainError, LinkError, RsaLinks};
use privyseal_core::rsa::KeyError;
use privyseal_test_base::tool::{command, run};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/rsa-8192");

fn read(name: &str) -> Vec<u8> {
    let file = std::fs::read(Path::new(FIXTURES).join(name)).unwrap();
    pem::blocks(&file).unwrap()[0].der.to_vec()
}

#[test]
fn openssl_and_the_host_verify_it_and_the_core_says_why_not() {
    let verify = [
        "verify",
        "-attime",
        "1800000000",
        "-CAfile",
        "root.pem",
        "leaf.pem",
    ];
    run(command("openssl", verify).current_dir(FIXTURES));

    let (leaf, root) = (read("leaf.pem"), read("root.pem"));
    let trust = Certificates::from(vec![root.clone()]);
    let options = PathOptions::at(UnixTime::from_secs(1_800_000_000).unwrap());
    let prove = |leaf: &[u8]| {
        Certificates::from(vec![leaf.to_vec()])
            .prove(&trust, &options, RevocationOptions::default())
            .is_ok()
    };
    assert!(prove(&leaf));
    let chain = || Chain::order(&[&leaf, &root]).unwrap();
    chain().prove(&HostLinks).unwrap();

    let mut changed = leaf.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(!prove(&changed), "a bit of its signature");
    let changed = Chain::order(&[&changed, &root]).unwrap();
    let refused = |error| Some(ChainError::Link { position: 0, error });
    assert_eq!(
        changed.prove(&HostLinks).err(),
        refused(LinkError::BadSignature)
    );

    let too_large = LinkError::IssuerKey(KeyError::Size { bits: 8192 });
    assert_eq!(chain().prove(&RsaLinks).err(), refused(too_large));
}
