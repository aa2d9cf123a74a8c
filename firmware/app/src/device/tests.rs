//! What only a look inside can show: faults, and how large things are.
#![allow(clippy::arithmetic_side_effects)]

use core::cell::Cell;
use core::mem::size_of;
use privyseal_core::scheme::ITSME;
use std::boxed::Box;
use std::vec::Vec;

use privyseal_core::SigningInput;
use privyseal_firmware_rsa::{AnyEngine, Engine};
use privyseal_protocol::Part;
use privyseal_protocol::{
    AllowedAudience, CHUNK, MAX_POLICY, Policy, Provision, Rate, SchemePolicy, SignRequest, Totals,
};
use rsa::RsaPrivateKey;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use super::*;
use crate::fake::{Cut, Entropy, FakeBoard, Memory, Misread, Moment, Time, Wire};
use crate::guarded::{Guarded, Key};
use crate::link::TokenSink;

type Fake = FakeBoard<Wire>;

const NOW: u64 = 1_790_000_000;
const AUDIENCE: &str = "https://idp.prd.itsme.services/v2/token";
const REQUEST: SignRequest<'_> = SignRequest {
    audience: Some(AUDIENCE),
    ..SignRequest::new(SchemeId::of(&ITSME), NOW)
};

/// The key of a seed, always the same; worth nothing.
fn key(seed: u64) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut Entropy(seed), 2048).expect("a key")
}

/// As it is uploaded.
fn numbers(key: &RsaPrivateKey) -> Vec<u8> {
    let primes = key.primes().iter().map(|prime| prime.to_be_bytes());
    let primes: Vec<_> = primes.map(|prime| prime.to_vec()).collect();
    [key.n_bytes().to_vec(), primes.concat()].concat()
}

fn start(memory: Memory) -> Box<Device<Fake>> {
    Box::new(Device::boot(Fake::new(
        Wire::default(),
        memory,
        Time::manual(),
    )))
}

fn provisioned() -> Box<Device<Fake>> {
    provisioned_with(false)
}

fn provisioned_with(board_entropy: bool) -> Box<Device<Fake>> {
    let policy = Policy {
        schemes: core::iter::once(SchemePolicy {
            scheme: SchemeId::of(&ITSME),
            client_id: "partner",
            kid: Some("k1"),
        })
        .collect(),
        audiences: core::iter::once(AllowedAudience::of_assertions(
            SchemeId::of(&ITSME),
            AUDIENCE,
        ))
        .collect(),
        max_lifetime: 60,
        rate: Rate {
            assertions: 100,
            seconds: 100,
        },
        time_floor: NOW,
        max_jump: 1_000,
        authority: None,
        presence: None,
        board_entropy,
        unlock: false,
    };
    let mut buffer = [0; MAX_POLICY];
    let policy = policy.to_bytes(&mut buffer).expect("it fits");
    let key = numbers(&key(1));
    let seed = [7; 48];
    let mut device = start(Memory::default());
    device.board().entropy = board_entropy.then_some(Entropy(9));
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a length");
    let totals = Totals {
        key: len(&key),
        policy: len(policy),
        chain: 0,
        seed: len(&seed),
        unlock: 0,
    };
    let mut step = |step| device.machine.provision(0, step).expect("a good upload");
    step(Provision::Begin(totals));
    for (part, bytes) in [
        (Part::Key, &key[..]),
        (Part::Policy, policy),
        (Part::Seed, &seed),
    ] {
        for (number, bytes) in bytes.chunks(CHUNK).enumerate() {
            step(Provision::Chunk {
                part,
                offset: u32::try_from(number * CHUNK).expect("an offset"),
                bytes,
            });
        }
    }
    step(Provision::Commit);
    device
}

/// Who is not signing reads it at no address.
#[test]
fn the_key_is_protected_and_wiped() {
    let mut device = provisioned();
    let start = (&raw const device.machine.key).addr();
    let place = Some(start..start + size_of::<Guarded>());
    assert_eq!(device.machine.board.protected, place);
    device.machine.sign(1, &REQUEST, false).expect("a token");
    assert_eq!(device.machine.board.protected, place);
    let id = device.machine.board.device;
    device.machine.wipe(2, id).expect("wiped");
    assert_eq!(device.machine.board.protected, place);
    assert!(matches!(device.machine.key, Guarded(Key::None)));
}

/// Puts another key where the device's was: what a fault in its memory could do to a signature, and the
/// engine's own check cannot see.
fn exchange_key(device: &mut Device<Fake>) {
    let other = key(2);
    let number = |index: usize| other.primes()[index].to_be_bytes();
    let engine = AnyEngine::from_primes(&number(0), &number(1), &other.n_bytes());
    let Machine { key, board, .. } = &mut device.machine;
    key.open(board, |_, key| *key = Key::Ready(engine.expect("a key")));
}

/// A wrong signature never leaves, and the device that made it signs no more: not now, not after a
/// restart; until it is wiped.
#[test]
fn a_fault_latches() {
    let mut device = provisioned();
    device.machine.sign(1, &REQUEST, false).expect("a token");
    exchange_key(&mut device);
    device.board().serial.from_device.clear();
    assert_eq!(device.machine.sign(2, &REQUEST, false), Err(Refusal::Fault));
    assert_eq!(device.board().serial.from_device, Vec::<u8>::new());
    let faulted = Err(Refusal::State(DeviceState::Faulted));
    for _ in 0..3 {
        assert_eq!(device.machine.mode.state(), DeviceState::Faulted);
        assert_eq!(device.machine.sign(3, &REQUEST, false), faulted);
        assert!(device.machine.state().faulted);
        device = start(device.board().memory());
    }
    let id = device.board().device;
    device.machine.wipe(0, id).expect("wiped");
    assert!(!device.machine.state().faulted);
    let mut device = start(device.board().memory());
    assert_eq!(device.machine.mode.state(), DeviceState::Empty);
    // The signature that was never given has used up its number.
    assert_eq!(device.machine.state().counter, 2);
    assert!(device.board().memory().is_blank());
}

/// A computation that goes wrong in a start is a fault like any other: the key was good when it was provisioned.
#[test]
fn a_fault_of_a_start_latches() {
    let other = key(2).n_bytes().to_vec();
    let device = provisioned().board().memory();
    // Its digest, its public half, what its secret is bound to (three times), and what its primes must make: from the last on
    // nothing reads the modulus.
    let mut latched = 0;
    for after in 0..7 {
        let mut board = Fake::new(Wire::default(), device.clone(), Time::manual());
        board.misread = Some(Misread {
            offset: 160,
            after: Cell::new(after),
            instead: other.clone(),
        });
        let mut device = Box::new(Device::boot(board));
        let state = device.machine.mode.state();
        assert_eq!(
            state == DeviceState::Faulted,
            device.machine.state().faulted
        );
        if state == DeviceState::Faulted {
            latched += 1;
            assert_eq!(device.machine.state().event, Event::Fault);
            let device = start(device.board().memory());
            assert!(matches!(device.machine.mode, Mode::Faulted(Refusal::Fault)));
        }
    }
    assert_eq!(latched, 5, "all but the digest");
}

/// Whoever cuts the power at the entry of a fault has a device that signs again, and no signature.
#[test]
fn a_cut_at_the_entry_of_a_fault_loses_it() {
    let memory = provisioned().board().memory();
    for (moment, state) in [
        (Moment::Before, DeviceState::Ready),
        (Moment::Halfway, DeviceState::Ready),
        (Moment::After, DeviceState::Faulted),
    ] {
        let mut device = start(memory.clone());
        exchange_key(&mut device);
        // The write after that of the signature.
        device.board().power().cut(Cut {
            operation: 1,
            moment,
        });
        assert_eq!(device.machine.sign(2, &REQUEST, false), Err(Refusal::Fault));
        assert_eq!(device.machine.mode.state(), DeviceState::Faulted);
        assert_eq!(device.board().serial.from_device, Vec::<u8>::new());
        let device = start(device.board().memory());
        assert_eq!(device.machine.mode.state(), state, "{moment:?}");
        assert_eq!(device.machine.state().counter, 1, "the number is used up");
    }
}

/// Without what it needs a start says so, in the log too, and the next one looks again.
#[test]
fn what_a_start_lacks_is_said_and_not_for_good() {
    let mut device = provisioned_with(true);
    let memory = device.board().memory();
    let mut device = start(memory);
    assert!(matches!(
        device.machine.mode,
        Mode::Faulted(Refusal::Entropy)
    ));
    let newest = device.machine.state();
    assert_eq!(newest.event, Event::Refused);
    assert_eq!(newest.code, Refusal::Entropy.code());
    assert!(!newest.faulted);
    let mut board = Fake::new(Wire::default(), device.board().memory(), Time::manual());
    board.entropy = Some(Entropy(1));
    let device = Box::new(Device::boot(board));
    assert_eq!(device.machine.mode.state(), DeviceState::Ready);
}

/// Two starts of one device draw different bytes.
#[test]
fn no_start_repeats_another() {
    let draw = |device: &mut Device<Fake>| {
        let Mode::Ready(keyed) = &mut device.machine.mode else {
            panic!("it is ready");
        };
        let mut bytes = [0; 16];
        rand_core::TryRng::try_fill_bytes(&mut keyed.drbg, &mut bytes).expect("bytes");
        bytes
    };
    let mut device = provisioned();
    let mut seen = std::vec![draw(&mut device)];
    for _ in 0..5 {
        device = start(device.board().memory());
        seen.push(draw(&mut device));
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

/// What one device has in its flash is of no use to another one, nor to the same part with another secret.
#[test]
fn a_copy_of_the_flash_does_not_start() {
    let memory = provisioned().board().memory();
    let changes: [fn(&mut Fake); 3] = [
        |board| board.device = *b"another one!",
        |board| board.secret = Some([0x5d; 32]),
        |board| board.secret = None,
    ];
    for change in changes {
        let mut board = Fake::new(Wire::default(), memory.clone(), Time::manual());
        change(&mut board);
        let device = Box::new(Device::boot(board));
        assert!(matches!(device.machine.mode, Mode::Faulted(Refusal::Fault)));
    }
}

/// Working memory of a token besides RSA: what is sealed, the `jti`, and the piece that is being sent.
/// On a 64-bit host every reference is twice as long as on the device.
#[test]
fn a_token_takes_less_than_a_kibibyte() {
    let sealed = size_of::<SigningInput<'_>>();
    let sink = size_of::<TokenSink<'_, Fake>>();
    let jti = size_of::<crate::jti::Text>();
    std::eprintln!(
        "sealed input {sealed}, sink {sink}, jti {jti}; device {}, of it a profile {}, engine {}",
        size_of::<Machine<Fake>>(),
        size_of::<privyseal_core::credential::Profile<()>>(),
        size_of::<Engine<32, 64>>(),
    );
    assert!(sealed + sink + jti < 1024 + 256, "{sealed} {sink} {jti}");
}
