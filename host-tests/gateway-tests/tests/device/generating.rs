//! A key of the device's own making: from the request to the first token, judged by OpenSSL and Python.

use privyseal_core::scheme::{FIAM, ITSME};
use privyseal_firmware_app::fake::{Entropy, Memory};
use privyseal_protocol::{
    CsrRequest, DeviceState, Event, Generate, Origin, Part, PartFault, Provision, Refusal, Request,
    Response, SchemeId, SignRequest, SubjectPart,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_base::tool::{command, output};
use privyseal_test_judges::decode::Parts;
use privyseal_test_judges::python;
use privyseal_test_pki::{CertificateSpec, TestKey, TestPki};
use privyseal_test_simulators::device_host::{
    TestDevice, ask, generate, info, provision, request_csr, sign, step,
};
use privyseal_test_simulators::link::Upload;

use crate::at_rest;
use crate::fixture::{empty, policy, restart, start, upload};
use crate::log;

const SEED: [u8; 48] = [0x5e; 48];

/// With the small policy's board, which has no random generator.
pub(crate) const ASKED: Generate<'_> = Generate {
    bits: 2048,
    board_entropy: false,
    unlock: None,
    seed: &SEED,
};

pub(crate) fn csr_request() -> CsrRequest<'static> {
    let parts = [
        (6, "NL"),
        (10, "Test"),
        (97, "NTRNL-12345678"),
        (3, "Gateway"),
    ];
    CsrRequest {
        subject: parts
            .into_iter()
            .map(|(arc, value)| SubjectPart { arc, value })
            .collect(),
        digital_signature: false,
        non_repudiation: true,
    }
}

/// A device that has made its key.
pub(crate) fn generated(asked: &Generate<'_>) -> TestDevice {
    let mut device = empty();
    generate(&mut device, asked).expect("a key");
    device
}

/// The SubjectPublicKeyInfo that the device gives.
pub(crate) fn spki(device: &mut TestDevice) -> Vec<u8> {
    let mut whole = Vec::new();
    for offset in [0, 384] {
        let request = Request::Read {
            part: Part::PublicKey,
            offset,
        };
        let piece = ask(device, &request, |piece: &mut Vec<u8>, response| {
            let Response::Data { bytes, .. } = response else {
                panic!("{response:?}");
            };
            piece.extend(bytes);
        });
        whole.extend(piece.expect("a public key"));
    }
    whole
}

/// Policy and chain for the key that the device has made.
pub(crate) fn installation(device: &mut TestDevice) -> Upload {
    let chain = TestPki::new().chain(&spki(device), &CertificateSpec::seal());
    Upload {
        key: Vec::new(),
        seed: Vec::new(),
        chain: chain.concat(),
        ..upload(&policy())
    }
}

/// The key in its flash, as a PKCS#8 file would have it.
fn key_in(memory: &Memory, bits: usize) -> TestKey {
    let secrets = at_rest::opened(memory, None).expect("its own key");
    let (p, q) = secrets[64..].split_at(bits / 16);
    TestKey::from_primes(p, q, &[1, 0, 1])
}

#[test]
fn a_key_is_made_certified_and_used() {
    // One of 4096 bits takes half a minute; the tests of the engine make it.
    for bits in [2048, 3072] {
        let mut device = generated(&Generate { bits, ..ASKED });
        let account = info(&mut device);
        assert_eq!(account.state, DeviceState::Uncertified);
        assert_eq!(
            (account.origin, account.generation),
            (Some(Origin::Generated), None)
        );
        is_good(&key_in(&device.board().memory(), bits.into()));
        let spki = spki(&mut device);

        let mut device = restart(&mut device);
        assert_eq!(info(&mut device).key, account.key);
        let der = request_csr(&mut device, &csr_request()).expect("a request");
        is_request(&der, &spki);
        let installation = installation(&mut device);
        provision(&mut device, &installation).expect("a good installation");
        for mut device in [restart(&mut device), device] {
            let account = info(&mut device);
            assert_eq!(
                (account.state, account.origin),
                (DeviceState::Ready, Some(Origin::Generated))
            );
            let token = sign(
                &mut device,
                SignRequest::new(SchemeId::of(&FIAM), run_start()),
            );
            is_signed(&token.expect("a token"), &spki);
            let refused = request_csr(&mut device, &csr_request());
            assert_eq!(refused, Err(Refusal::State(DeviceState::Ready)));
            let refused = generate(&mut device, &ASKED);
            assert_eq!(refused, Err(Refusal::State(DeviceState::Ready)));
        }
    }
}

/// By `openssl rsa -check`, and by Python's `cryptography`, which checks what it loads.
fn is_good(key: &TestKey) {
    let mut openssl = command("openssl", ["rsa", "-check", "-noout"]);
    let said = output(&mut openssl, key.pkcs8_pem().as_bytes());
    assert!(
        said.status.success() && said.stdout.starts_with(b"RSA key ok"),
        "{said:?}"
    );
    let mut python = command(
        &python::interpreter().to_string_lossy(),
        [
            "-c",
            "import sys; from cryptography.hazmat.primitives.serialization import *; \
             key = load_pem_private_key(sys.stdin.buffer.read(), None); \
             assert key.private_numbers().public_numbers.e == 65537",
        ],
    );
    let said = output(&mut python, key.pkcs8_pem().as_bytes());
    assert!(said.status.success(), "{said:?}");
}

/// By `openssl req -verify`, for this key and subject.
fn is_request(der: &[u8], spki: &[u8]) {
    let words = "req -inform DER -verify -noout -subject -pubkey -nameopt RFC2253";
    let said = output(&mut command("openssl", words.split(' ')), der);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.status.success() && (told + &text).contains("verify OK"),
        "{said:?}"
    );
    assert!(
        text.contains("CN=Gateway,organizationIdentifier=NTRNL-12345678,O=Test,C=NL"),
        "{text}"
    );
    let key = output(
        &mut command("openssl", "pkey -pubin -outform DER".split(' ')),
        text.as_bytes(),
    );
    assert_eq!(key.stdout, spki);
}

/// By OpenSSL.
pub(crate) fn is_signed(token: &str, spki: &[u8]) {
    let parts = Parts::of(token);
    let folder = tempfile::tempdir().expect("a directory");
    let write = |name, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let (key, signature) = (write("key", spki), write("signature", &parts.signature));
    let words = [
        "dgst",
        "-sha256",
        "-keyform",
        "DER",
        "-verify",
        &key,
        "-signature",
        &signature,
    ];
    let said = output(
        &mut command("openssl", words),
        parts.signing_input.as_bytes(),
    );
    assert!(said.status.success(), "{said:?}");
}

/// What is asked of a device in each of these states, and what it says.
#[test]
fn what_does_not_go_is_refused() {
    let mut device = empty();
    let no_key = Err(Refusal::State(DeviceState::Empty));
    assert_eq!(request_csr(&mut device, &csr_request()), no_key);
    for bits in [0, 1024, 2047, 8192] {
        let refused = generate(&mut device, &Generate { bits, ..ASKED });
        assert_eq!(refused, Err(Refusal::KeySize));
    }
    let (part, min, max) = (Part::Seed, 48, 64);
    for seed in [&[][..], &[1; 47], &[1; 65]] {
        let fault = PartFault::Size { min, max };
        let refused = generate(&mut device, &Generate { seed, ..ASKED });
        assert_eq!(refused, Err(Refusal::Part { part, fault }));
    }
    let board_entropy = true;
    let refused = generate(
        &mut device,
        &Generate {
            board_entropy,
            ..ASKED
        },
    );
    assert_eq!(refused, Err(Refusal::Entropy));
    assert_eq!(info(&mut device).state, DeviceState::Empty);

    let begin = Request::Generate(ASKED);
    ask(&mut device, &begin, |(), _| {}).expect("it begins");
    let busy = Refusal::State(DeviceState::Generating);
    for request in [
        begin.clone(),
        Request::Csr(csr_request()),
        Request::Provision(Provision::Commit),
    ] {
        assert_eq!(ask(&mut device, &request, |(), _| {}), Err(busy));
    }
    let account = info(&mut device);
    assert_eq!(
        (account.state, account.key),
        (DeviceState::Generating, None)
    );
    assert_eq!(account.generation.map(|it| it.bits), Some(2048));
    step(&mut device, Provision::Abort).expect("an end");
    assert_eq!(info(&mut device).state, DeviceState::Empty);
    assert!(device.board().memory().is_blank());
}

/// Nothing of a key that is not done outlives the power, or a wipe.
#[test]
fn a_key_that_is_not_done_is_nothing() {
    let mut device = empty();
    ask(&mut device, &Request::Generate(ASKED), |(), _| {}).expect("it begins");
    for _ in 0..20 {
        device.poll();
    }
    assert!(device.board().memory().is_blank());
    assert_eq!(info(&mut restart(&mut device)).state, DeviceState::Empty);
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    generate(&mut device, &ASKED).expect("another");
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    assert!(device.board().memory().is_blank());
}

/// The same host's seed and the same board never make one key twice.
#[test]
fn no_key_comes_twice() {
    let mut device = generated(&ASKED);
    let first = info(&mut device).key;
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    generate(&mut device, &ASKED).expect("a key");
    assert_ne!(info(&mut device).key, first);
}

/// Chains and policies that do not fit leave the key, and the next installation works.
#[test]
fn an_installation_that_fails_leaves_the_key() {
    let mut device = generated(&ASKED);
    let key = info(&mut device).key;
    let good = installation(&mut device);
    let bad = |part, fault| Refusal::Part { part, fault };
    let with = |chain: Vec<u8>| Upload {
        chain,
        ..good.clone()
    };
    let mut demands = policy();
    demands.board_entropy = true;
    for (upload, refusal) in [
        (
            with(upload(&policy()).chain),
            bad(Part::Chain, PartFault::KeyMismatch),
        ),
        (
            with(vec![0x30, 0x80]),
            bad(Part::Chain, PartFault::Malformed),
        ),
        (
            Upload {
                policy: vec![9; 9],
                ..good.clone()
            },
            bad(Part::Policy, PartFault::Malformed),
        ),
        (
            Upload {
                key: upload(&policy()).key,
                ..good.clone()
            },
            bad(Part::Key, PartFault::Size { min: 0, max: 0 }),
        ),
    ] {
        assert_eq!(provision(&mut device, &upload), Err(refusal));
        for mut device in [restart(&mut device), start(device.board().memory())] {
            let account = info(&mut device);
            assert_eq!(
                (account.state, account.key),
                (DeviceState::Uncertified, key)
            );
        }
    }
    // The board has a generator now, which had no part in the key.
    device.board().entropy = Some(Entropy(1));
    let demanding = Upload {
        policy: upload(&demands).policy,
        ..good.clone()
    };
    assert_eq!(provision(&mut device, &demanding), Err(Refusal::KeyEntropy));
    provision(&mut device, &good).expect("a good installation");
    sign(&mut device, crate::fixture::requests()[3]).expect("a token");
    assert_eq!(info(&mut device).key, key);
}

/// With its generator in it, the key is one for a policy that demands that.
#[test]
fn a_policy_that_demands_the_boards_generator() {
    let mut device = empty();
    device.board().entropy = Some(Entropy(7));
    let board_entropy = true;
    generate(
        &mut device,
        &Generate {
            board_entropy,
            ..ASKED
        },
    )
    .expect("a key");
    let mut demands = policy();
    demands.board_entropy = true;
    let good = Upload {
        policy: upload(&demands).policy,
        ..installation(&mut device)
    };
    provision(&mut device, &good).expect("a good installation");
    sign(&mut device, crate::fixture::requests()[3]).expect("a token");
}

#[test]
fn the_log_tells_how_the_key_came() {
    use Event::{Generated, Installed, ProvisionBegun, Refused, Requested};
    let mut device = generated(&ASKED);
    request_csr(&mut device, &csr_request()).expect("a request");
    let nameless = CsrRequest {
        subject: core::iter::empty().collect(),
        ..csr_request()
    };
    assert_eq!(request_csr(&mut device, &nameless), Err(Refusal::Field));
    let good = installation(&mut device);
    provision(&mut device, &good).expect("a good installation");
    let key = info(&mut device).key.expect("a key");
    let log = log::check(&mut device);
    let events: Vec<Event> = log.iter().map(|entry| entry.event).collect();
    assert_eq!(
        events,
        [
            ProvisionBegun,
            Generated,
            Requested,
            Refused,
            ProvisionBegun,
            Installed
        ]
    );
    assert_eq!((log[1].digest, log[5].digest), (key, key));
}

/// Ten at once, and then one a minute: each is a write to the flash.
#[test]
fn requests_have_a_rate() {
    let mut device = generated(&ASKED);
    for _ in 0..10 {
        request_csr(&mut device, &csr_request()).expect("a request");
    }
    let refused = request_csr(&mut device, &csr_request());
    assert!(matches!(refused, Err(Refusal::Rate { .. })), "{refused:?}");
    device.board().time.advance(60_000);
    request_csr(&mut device, &csr_request()).expect("a request");
}

/// A kid instead of a chain.
#[test]
fn a_scheme_without_a_chain_needs_none() {
    let mut device = generated(&ASKED);
    let mut policy = policy();
    policy
        .schemes
        .retain(|entry| entry.scheme == SchemeId::of(&ITSME));
    policy
        .audiences
        .retain(|entry| entry.scheme == SchemeId::of(&ITSME));
    let good = Upload {
        key: Vec::new(),
        seed: Vec::new(),
        chain: Vec::new(),
        ..upload(&policy)
    };
    provision(&mut device, &good).expect("a good installation");
    sign(&mut device, crate::fixture::requests()[3]).expect("a token");
}
