//! Content keys: of a device whose key is for that, and of no other. OpenSSL encrypts them.

use privyseal_core::scheme::FIAM;
use privyseal_firmware_app::fake::Button;
use privyseal_protocol::{
    DeviceState, Event, Policy, PolicyError, Rate, Refusal, SchemeId, SignRequest,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_judges::openssl;
use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_simulators::device_host::{
    TestDevice, generate, info, provision, request_csr, sign, unwrap_key,
};
use privyseal_test_simulators::link::Upload;
use sha2::{Digest as _, Sha256};

use crate::fixture::{empty, key, policy, provisioned, restart, start, upload};
use crate::generating::{ASKED, csr_request, generated, spki};
use crate::log;
use crate::provisioning::read;

/// For a key that unwraps.
pub(crate) fn unwrapping() -> Policy<'static> {
    Policy {
        schemes: heapless::Vec::new(),
        audiences: heapless::Vec::new(),
        max_lifetime: 0,
        max_jump: 0,
        ..policy()
    }
}

/// A key needs no chain for it.
pub(crate) fn upload_of(policy: &Policy<'_>, key: &TestKey) -> Upload {
    Upload {
        key: key.numbers(),
        chain: Vec::new(),
        ..upload(policy)
    }
}

/// A device with a key of so many bits.
fn device(policy: &Policy<'_>, key: &TestKey) -> TestDevice {
    let mut device = empty();
    provision(&mut device, &upload_of(policy, key)).expect("a good upload");
    device
}

fn wrapped(key: &TestKey, plain: &[u8]) -> Vec<u8> {
    openssl::oaep(&key.spki_der(), "sha256", plain)
}

#[test]
fn content_keys_of_every_length_for_keys_of_every_size() {
    for bits in [2048, 3072, 4096] {
        let key = test_key("unwrapping", bits);
        let mut device = device(&unwrapping(), &key);
        assert_eq!(info(&mut device).state, DeviceState::Ready);
        for len in [16, 24, 32, 48, 64] {
            let plain: Vec<u8> = (1..).take(len).collect();
            let ciphertext = wrapped(&key, &plain);
            assert_eq!(unwrap_key(&mut device, &ciphertext), Ok(plain), "{bits}");
            let entries = log::check(&mut device);
            let newest = entries.last().expect("an entry");
            assert_eq!(newest.event, Event::Unwrapped);
            assert_eq!(newest.digest[..], Sha256::digest(&ciphertext)[..]);
        }
        // The numbers of statements have nothing to do with it.
        assert_eq!(info(&mut device).counter, 0);
        let mut device = restart(&mut device);
        let ciphertext = wrapped(&key, &[7; 32]);
        let again = unwrap_key(&mut device, &ciphertext);
        assert_eq!(again, Ok(vec![7; 32]), "after a restart");
    }
}

/// One refusal, whatever is wrong; it is in the log, and takes twice as much of the rate as a good one.
#[test]
fn everything_else_has_one_refusal() {
    let key = test_key("unwrapping", 2048);
    let mut device = device(&unwrapping(), &key);
    let (spki, good) = (key.spki_der(), wrapped(&key, &[7; 32]));
    let mut changed = good.clone();
    changed[100] ^= 1;
    let other = test_key("device-authority", 2048);
    let modulus = key.public_key().modulus().to_vec();
    for (what, ciphertext) in [
        ("SHA-1", openssl::oaep(&spki, "sha1", &[7; 32])),
        ("SHA-512", openssl::oaep(&spki, "sha512", &[7; 32])),
        ("one byte", wrapped(&key, &[7])),
        ("no byte", wrapped(&key, &[])),
        ("31 bytes", wrapped(&key, &[7; 31])),
        ("65 bytes", wrapped(&key, &[7; 65])),
        ("the longest", wrapped(&key, &[7; 190])),
        ("another key's", wrapped(&other, &[7; 32])),
        ("a bit changed", changed),
        ("zeros", vec![0; 256]),
        ("one", [&[0; 255][..], &[1]].concat()),
        ("the modulus", modulus),
        ("above it", vec![0xff; 256]),
        ("short", good[1..].to_vec()),
        ("long", [&good[..], &[0]].concat()),
        ("as for RSA-4096", vec![0x55; 512]),
        ("nothing", Vec::new()),
    ] {
        device.board().time.advance(1_000_000);
        let before = info(&mut device).rate_left;
        let refused = unwrap_key(&mut device, &ciphertext);
        assert_eq!(refused, Err(Refusal::Ciphertext), "{what}");
        assert_eq!(info(&mut device).rate_left, before - 2, "{what}");
        let entries = log::check(&mut device);
        let [.., tried, refused] = &entries[..] else {
            panic!("two entries")
        };
        assert_eq!(tried.event, Event::Unwrapped, "{what}");
        assert_eq!(refused.reason(), Some("ciphertext"), "{what}");
    }
    let unwrapped = unwrap_key(&mut device, &good);
    assert_eq!(unwrapped, Ok(vec![7; 32]), "none of them disturbs the next");
}

#[test]
fn a_key_that_signs_unwraps_nothing_and_the_other_way_round() {
    let mut signing = provisioned(&policy());
    let ciphertext = wrapped(key(), &[7; 32]);
    let refused = unwrap_key(&mut signing, &ciphertext);
    assert_eq!(refused, Err(Refusal::Unwrap));
    let newest = *log::check(&mut signing).last().expect("an entry");
    assert_eq!(newest.reason(), Some("unwrap"));

    let mut unwraps = device(&unwrapping(), key());
    let asked = SignRequest::new(SchemeId::of(&FIAM), run_start());
    assert_eq!(sign(&mut unwraps, asked), Err(Refusal::Scheme));
    let newest = *log::check(&mut unwraps).last().expect("an entry");
    assert_eq!(newest.reason(), Some("scheme"));
    // Other states have no key that could.
    for mut device in [empty(), generated(&ASKED)] {
        let state = info(&mut device).state;
        let refused = unwrap_key(&mut device, &ciphertext);
        assert_eq!(refused, Err(Refusal::State(state)));
    }
}

/// A policy without a scheme that has something of one all the same is for neither.
#[test]
fn a_policy_is_for_one_of_the_two() {
    let with_audience = Policy {
        audiences: policy().audiences,
        ..unwrapping()
    };
    let with_lifetime = Policy {
        max_lifetime: 60,
        ..unwrapping()
    };
    for policy in [with_audience, with_lifetime] {
        assert_eq!(policy.check(), Err(PolicyError::NoScheme));
        let mut device = empty();
        provision(&mut device, &upload_of(&policy, key())).expect_err("no such policy");
        assert_eq!(info(&mut device).state, DeviceState::Empty);
    }
}

#[test]
fn rate_and_button_hold_as_for_signatures() {
    let ciphertext = wrapped(key(), &[7; 16]);
    let mut policy = unwrapping();
    policy.rate = Rate {
        assertions: 2,
        seconds: 20,
    };
    let mut device = device(&policy, key());
    for _ in 0..2 {
        unwrap_key(&mut device, &ciphertext).expect("a key");
    }
    for _ in 0..2 {
        let refused = unwrap_key(&mut device, &ciphertext);
        assert_eq!(refused, Err(Refusal::Rate { wait: 10_000 }));
        device = restart(&mut device);
    }
    device.board().time.advance(10_000);
    unwrap_key(&mut device, &ciphertext).expect("a key");

    let mut policy = unwrapping();
    policy.presence = Some(2);
    let mut device = self::device(&policy, key());
    for (script, is_pressed) in [(&[false][..], false), (&[false, true], true)] {
        device.board().button = Some(Button::new(script));
        let unwrapped = unwrap_key(&mut device, &ciphertext);
        let refused = Err(Refusal::Presence);
        assert_eq!(
            unwrapped,
            if is_pressed { Ok(vec![7; 16]) } else { refused }
        );
    }
}

/// The way of a key that is born on its device: no certificate is needed on it.
#[test]
fn a_key_of_its_own_unwraps() {
    let mut device = empty();
    generate(&mut device, &ASKED).expect("a key");
    let spki = spki(&mut device);
    request_csr(&mut device, &csr_request()).expect("not needed, and as for any key");
    let policy = unwrapping();
    let installed = Upload {
        key: Vec::new(),
        seed: Vec::new(),
        ..upload_of(&policy, key())
    };
    provision(&mut device, &installed).expect("policy alone");
    let stored = read(&mut device, privyseal_protocol::Part::Policy).expect("its policy");
    assert_eq!(stored, installed.policy);
    let ciphertext = openssl::oaep(&spki, "sha256", &[9; 48]);
    assert_eq!(unwrap_key(&mut device, &ciphertext), Ok(vec![9; 48]));
    let memory = device.board().memory();
    let again = unwrap_key(&mut start(memory), &ciphertext);
    assert_eq!(again, Ok(vec![9; 48]));
}
