//! The gateway's line: whatever comes, the device does not stop, says nothing but whole answers, says
//! nothing of its key, and is as it was if it could read none of it.
//!
//! The first byte chooses: an empty device, one with a whole upload before its commit, one with a key, one that is
//! locked, one that waits for its certificate, or one whose key unwraps; and whether the rest is bytes as they come or messages, each with its length before it, that are given the frame
//! a fuzzer would not find.
#![no_main]

use privyseal_core::scheme::ITSME;
use std::cell::RefCell;
use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use privyseal_core::encoding::sink::Sink;
use privyseal_firmware_app::Device;
use privyseal_firmware_app::fake::{Entropy, FakeBoard, Memory, Time, Wire};
use privyseal_protocol::frame::MAX_CONTENT;
use privyseal_protocol::{
    AllowedAudience, CHUNK, DeviceState, FrameDecoder, Generate, MAX_POLICY, Message, Part, Policy,
    Provision, Rate, Refusal, Request, Response, SchemeId, SchemePolicy, Statement, Totals,
    write_frame,
};
use rsa::RsaPrivateKey;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

type Fake = Device<FakeBoard<Wire>>;

/// Bytes of a secret number that must not stand together in an answer.
const WINDOW: usize = 8;

struct Kept {
    device: Box<Fake>,
    memory: Memory,
    /// Its key is kept under an unlock secret, which no input has.
    locked: Memory,
    uncertified: Memory,
    /// Its key unwraps content keys, and signs nothing.
    unwrapping: Memory,
    secret: HashSet<Vec<u8>>,
    /// What makes an upload, up to the commit.
    upload: Vec<Vec<u8>>,
}

thread_local! {
    /// A start with a key takes its time: one device serves many inputs.
    static KEPT: RefCell<Kept> = RefCell::new(provisioned());
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let bytes = if choice & 1 == 0 {
        rest.to_vec()
    } else {
        messages(rest)
    };
    KEPT.with_borrow_mut(|kept| match choice & 14 {
        0 => {
            ask(&mut start(Memory::default()), &bytes, &kept.secret);
        }
        2 => {
            let mut device = start(Memory::default());
            for frame in &kept.upload {
                exchange(&mut device, frame);
            }
            assert_eq!(state(&mut device), DeviceState::Provisioning);
            ask(&mut device, &bytes, &kept.secret);
        }
        6 => {
            let mut device = start(kept.locked.clone());
            ask(&mut device, &bytes, &kept.secret);
            let state = state(&mut device);
            assert!([DeviceState::Locked, DeviceState::Empty].contains(&state));
        }
        8 => {
            let mut device = start(kept.uncertified.clone());
            ask(&mut device, &bytes, &kept.secret);
            assert_ne!(state(&mut device), DeviceState::Ready);
        }
        10 => {
            let mut device = start(kept.unwrapping.clone());
            for body in ask(&mut device, &bytes, &kept.secret) {
                let message = Message { id: 0, body: &body };
                let signs = matches!(message.read(), Ok(Response::Token { .. }));
                assert!(!signs, "it signs");
            }
        }
        _ => {
            // The rate limit would answer nearly everything after a while.
            kept.device.board().time.advance(1_000_000);
            ask(&mut kept.device, &bytes, &kept.secret);
            if state(&mut kept.device) != DeviceState::Ready {
                // It was wiped by its own id, which is no secret.
                kept.device = start(kept.memory.clone());
            }
        }
    });
});

/// Gives the bytes to the device, looks at what it says and keeps, and gives the bodies of its answers.
fn ask(device: &mut Fake, bytes: &[u8], secret: &HashSet<Vec<u8>>) -> Vec<Vec<u8>> {
    let (before, was) = (device.board().memory(), state(device));
    let said = exchange(device, bytes);
    let bodies = answers(&said);
    for body in &bodies {
        let leaks = body.windows(WINDOW).any(|window| secret.contains(window));
        assert!(!leaks, "a piece of the key");
    }
    let unread = |body: &Vec<u8>| {
        let message = Message { id: 0, body };
        matches!(message.read(), Ok(Response::Refused(Refusal::Frame(_))))
    };
    if bodies.iter().all(unread) {
        let after = device.board().memory();
        assert!(
            before.provision == after.provision
                && before.secrets == after.secrets
                && before.journal == after.journal,
            "what cannot be read changes nothing"
        );
        assert_eq!(state(device), was);
    }
    bodies
}

fn start(memory: Memory) -> Box<Fake> {
    Box::new(Device::boot(FakeBoard::new(
        Wire::default(),
        memory,
        Time::manual(),
    )))
}

fn exchange(device: &mut Fake, bytes: &[u8]) -> Vec<u8> {
    device.board().serial.to_device.extend(bytes);
    // What was begun ends.
    device.board().serial.to_device.push_back(0);
    device.poll();
    std::mem::take(&mut device.board().serial.from_device)
}

/// The bodies of all answers; each must be whole.
fn answers(said: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = FrameDecoder::new();
    let mut bodies = Vec::new();
    for &byte in said {
        if let Some(message) = decoder.feed(byte) {
            let message = message.expect("a whole frame");
            let _: Response<'_> = message.read().expect("an answer");
            bodies.push(message.body.to_vec());
        }
    }
    assert!(said.last().is_none_or(|&last| last == 0));
    bodies
}

fn state(device: &mut Fake) -> DeviceState {
    let said = exchange(device, &framed(&Request::Info));
    let mut decoder = FrameDecoder::new();
    for &byte in &said {
        if let Some(Ok(message)) = decoder.feed(byte)
            && let Ok(Response::Info(info)) = message.read()
        {
            return info.state;
        }
    }
    panic!("no answer");
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = std::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// A body as it is, not a value in postcard's encoding.
struct Raw<'a>(&'a [u8]);

impl serde::Serialize for Raw<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple as _;
        // postcard writes a tuple as its members, and a u8 as it is.
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

/// Frames of messages: a byte of length before each.
fn messages(mut rest: &[u8]) -> Vec<u8> {
    let mut sink = Bytes(Vec::new());
    while let Some((&len, behind)) = rest.split_first() {
        let (body, next) = behind
            .split_at_checked(usize::from(len) * 2)
            .unwrap_or((behind, &[]));
        write_frame(9, &Raw(body), &mut [0; MAX_CONTENT], &mut sink).ok();
        rest = next;
    }
    sink.0
}

fn provisioned() -> Kept {
    let mut key = RsaPrivateKey::new(&mut Entropy(1), 2048).expect("a key");
    key.precompute().expect("a key");
    let primes = key
        .primes()
        .iter()
        .flat_map(|prime| prime.to_be_bytes().into_vec());
    let numbers: Vec<u8> = key.n_bytes().into_iter().chain(primes).collect();
    let audience = "https://idp.prd.itsme.services/v2/token";
    let policy = Policy {
        schemes: core::iter::once(SchemePolicy {
            scheme: SchemeId::of(&ITSME),
            client_id: "partner",
            kid: Some("k1"),
        })
        .collect(),
        audiences: [
            AllowedAudience::of_assertions(SchemeId::of(&ITSME), audience),
            AllowedAudience {
                statement: Statement::AuthenticationRequest,
                ..AllowedAudience::of_assertions(SchemeId::of(&ITSME), audience)
            },
        ]
        .into_iter()
        .collect(),
        max_lifetime: 600,
        rate: Rate {
            assertions: 100,
            seconds: 1,
        },
        time_floor: 1_790_000_000,
        max_jump: 86_400,
        authority: None,
        presence: None,
        board_entropy: false,
        unlock: false,
    };
    let mut of_unwrapping = policy.clone();
    of_unwrapping.schemes.clear();
    of_unwrapping.audiences.clear();
    of_unwrapping.max_lifetime = 0;
    let seed: [u8; 48] = core::array::from_fn(|place| 13_u8.wrapping_mul(place as u8 + 5));
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a length");
    let uploaded = |policy: &Policy<'_>, unlock: &[u8]| {
        let mut buffer = [0; MAX_POLICY];
        let policy = policy.to_bytes(&mut buffer).expect("it fits");
        let mut upload = Vec::new();
        let mut step = |step| upload.push(framed(&Request::Provision(step)));
        step(Provision::Begin(Totals {
            key: len(&numbers),
            policy: len(policy),
            chain: 0,
            seed: len(&seed),
            unlock: len(unlock),
        }));
        for (part, bytes) in [
            (Part::Key, &numbers[..]),
            (Part::Policy, policy),
            (Part::Seed, &seed),
            (Part::Unlock, unlock),
        ] {
            let mut offset = 0;
            for bytes in bytes.chunks(CHUNK) {
                step(Provision::Chunk {
                    part,
                    offset,
                    bytes,
                });
                offset += len(bytes);
            }
        }
        let mut device = start(Memory::default());
        for frame in &upload {
            exchange(&mut device, frame);
        }
        exchange(&mut device, &framed(&Request::Provision(Provision::Commit)));
        assert_eq!(state(&mut device), DeviceState::Ready);
        (device, upload)
    };
    let (mut locked, _) = uploaded(&policy, &[0xa7; 32]);
    let (mut unwrapping, _) = uploaded(&of_unwrapping, &[]);
    let (mut device, upload) = uploaded(&policy, &[]);
    Kept {
        memory: device.board().memory(),
        locked: locked.board().memory(),
        uncertified: uncertified(),
        unwrapping: unwrapping.board().memory(),
        device,
        secret: secret(&key, &seed),
        upload,
    }
}

fn uncertified() -> Memory {
    let mut device = start(Memory::default());
    let asked = Generate {
        bits: 2048,
        board_entropy: false,
        seed: &[46; 48],
        unlock: None,
    };
    exchange(&mut device, &framed(&Request::Generate(asked)));
    while state(&mut device) != DeviceState::Uncertified {}
    device.board().memory()
}

fn framed(request: &Request<'_>) -> Vec<u8> {
    let mut sink = Bytes(Vec::new());
    write_frame(1, request, &mut [0; MAX_CONTENT], &mut sink).expect("a message");
    sink.0
}

/// Every piece of every secret number, in either order of bytes.
fn secret(key: &RsaPrivateKey, seed: &[u8]) -> HashSet<Vec<u8>> {
    let number = |number: Option<&rsa::BoxedUint>| number.expect("precomputed").to_be_bytes();
    let coefficient = key.crt_coefficient().expect("an inverse");
    let mut numbers = vec![
        key.d().to_be_bytes().to_vec(),
        number(key.dp()).to_vec(),
        number(key.dq()).to_vec(),
        coefficient.to_be_bytes().to_vec(),
        seed.to_vec(),
    ];
    let primes = key.primes().iter();
    numbers.extend(primes.map(|prime| prime.to_be_bytes().to_vec()));
    let reversed: Vec<_> = numbers
        .iter()
        .map(|number| number.iter().rev().copied().collect::<Vec<_>>())
        .collect();
    let all = numbers.iter().chain(&reversed);
    let pieces = all.flat_map(|number| number.windows(WINDOW).map(Vec::from));
    // Zeros before a number are no secret.
    pieces
        .filter(|piece| piece.iter().any(|&byte| byte != 0))
        .collect()
}
