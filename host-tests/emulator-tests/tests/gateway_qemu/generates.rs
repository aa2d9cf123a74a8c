//! A key that the gateway makes, on the board's own image: certified, installed, used, and still there after a reset.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use privyseal_protocol::{
    CsrRequest, DeviceState, Generate, Origin, Part, Request, Response, SignRequest, SubjectPart,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_base::tool::{command, output};
use privyseal_test_pki::CertificateSpec;
use privyseal_test_simulators::emulator::{Emulator, STM32F405};
use privyseal_test_simulators::gateway::Gateway;
use privyseal_test_simulators::link::Upload;

use crate::stage::{Party, SERVED, encoded, openssl_verifies};

/// Where the image for the emulator has them: `_secrets_start`, and what stands before them there.
const PRIMES_AT: u32 = 0x2002_e000 + 192 + 256;

#[test]
fn a_key_of_its_own_is_certified_and_signs() {
    let party = Party::new("seal");
    let mut emulator = Emulator::gateway(STM32F405);
    let mut gateway = Gateway::new(emulator.connect());
    let request = Request::Generate(Generate {
        bits: 2048,
        board_entropy: false,
        unlock: None,
        seed: b"forty-eight bytes of a seed that nobody knows...",
    });
    let begun = gateway.ask(&request, |response| {
        matches!(response, Response::Accepted { .. }).then_some(())
    });
    begun.expect("it begins");
    let mut told = 0;
    while gateway.info(|info| info.state) == DeviceState::Generating {
        told += gateway.info(|info| info.generation.map_or(0, |it| it.candidates));
    }
    assert!(told > 0, "it says how far it is");
    let (state, origin) = gateway.info(|info| (info.state, info.origin));
    assert_eq!(
        (state, origin),
        (DeviceState::Uncertified, Some(Origin::Generated))
    );

    nothing_of_it_is_in_ram(&mut emulator);

    // What it has made outlives a reset.
    emulator.reset();
    drop(gateway);
    let mut gateway = Gateway::new(emulator.connect());
    assert_eq!(gateway.info(|info| info.state), DeviceState::Uncertified);
    let der = csr(&mut gateway);
    let words = "req -inform DER -verify -noout -pubkey";
    let said = output(&mut command("openssl", words.split(' ')), &der);
    assert!(said.status.success(), "{said:?}");
    let spki = spki(&mut gateway);
    let words = "pkey -pubin -outform DER";
    let asked = output(&mut command("openssl", words.split(' ')), &said.stdout);
    assert_eq!(asked.stdout, spki, "the request is for its key");

    let installed = gateway.provision(&Upload {
        key: Vec::new(),
        policy: encoded(&party.policy),
        chain: party.pki.chain(&spki, &CertificateSpec::seal()).concat(),
        seed: Vec::new(),
        unlock: Vec::new(),
    });
    installed.expect("a good installation");
    for round in 0..2 {
        let (scheme, _, audience) = SERVED[0];
        let token = gateway.sign(SignRequest {
            audience: Some(audience),
            ..SignRequest::new(scheme, run_start() + round)
        });
        openssl_verifies(&token.expect("a token"), &spki);
        emulator.reset();
        drop(gateway);
        gateway = Gateway::new(emulator.connect());
        assert_eq!(gateway.info(|info| info.state), DeviceState::Ready);
    }
}

/// Of the primes, which lie in flash: any eight bytes count, in either order.
fn nothing_of_it_is_in_ram(emulator: &mut Emulator) {
    let primes = emulator.memory_at(PRIMES_AT, 256);
    assert!(
        primes[0] > 0xb0 && primes[128] > 0xb0,
        "these are no primes"
    );
    let reversed: Vec<u8> = primes.iter().rev().copied().collect();
    let secret: HashSet<&[u8]> = [&primes, &reversed]
        .iter()
        .flat_map(|it| it.chunks(8))
        .collect();
    // The device cleans up behind its answer: it is given a moment.
    for tries in 0.. {
        let memory = emulator.memory();
        let mut places = memory.windows(8).enumerate();
        let Some((at, _)) = places.find(|(_, piece)| secret.contains(piece)) else {
            return;
        };
        assert!(tries < 50, "a piece of a prime at {at:05x}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// All pieces of an answer.
fn csr(gateway: &mut Gateway) -> Vec<u8> {
    let subject = [SubjectPart {
        arc: 3,
        value: "Gateway",
    }];
    let request = Request::Csr(CsrRequest {
        subject: subject.into_iter().collect(),
        digital_signature: false,
        non_repudiation: true,
    });
    let mut der = Vec::new();
    let whole = gateway.ask(&request, |response| match response {
        Response::CertificationRequest { total, bytes, .. } => {
            der.extend(*bytes);
            (der.len() == *total as usize).then_some(())
        }
        _ => None,
    });
    whole.expect("a certification request");
    der
}

fn spki(gateway: &mut Gateway) -> Vec<u8> {
    let read = Request::Read {
        part: Part::PublicKey,
        offset: 0,
    };
    let spki = gateway.ask(&read, |response| match response {
        Response::Data { bytes, .. } => Some(bytes.to_vec()),
        _ => None,
    });
    spki.expect("its public key")
}
