//! The gateway's line: whatever comes, the device does not stop, says nothing but whole answers, and says
//! nothing of its key.
//!
//! The first byte chooses: an empty device or one with a key; and whether the rest is bytes as they come
//! or messages, each with its length before it, that are given the frame a fuzzer would not find.
#![no_main]

use std::cell::RefCell;
use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::link::frame::MAX_CONTENT;
use privyseal_core::link::{
    AllowedAudience, CHUNK, FrameDecoder, MAX_POLICY, Part, Policy, Provision, Rate, Request,
    Response, SchemeId, SchemePolicy, State, Totals, write_frame,
};
use privyseal_firmware_app::Device;
use privyseal_firmware_app::fake::{Entropy, FakeBoard, Memory, Time, Wire};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::traits::PrivateKeyParts as _;

type Fake = Device<FakeBoard<Wire>>;

/// Bytes of a prime that must not stand together in an answer.
const WINDOW: usize = 8;

struct Kept {
    device: Box<Fake>,
    memory: Memory,
    secret: HashSet<Vec<u8>>,
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
    if choice & 2 == 0 {
        let said = exchange(&mut start(Memory::default()), &bytes);
        answers(&said);
    } else {
        KEPT.with_borrow_mut(|kept| {
            // The rate limit would answer nearly everything after a while.
            kept.device.board().time.advance(1_000_000);
            let said = exchange(&mut kept.device, &bytes);
            for body in answers(&said) {
                assert!(
                    !body.windows(WINDOW).any(|window| kept.secret.contains(window)),
                    "a piece of the key"
                );
            }
            if state(&mut kept.device) != State::Ready {
                // It was wiped by its own id, which is no secret.
                kept.device = start(kept.memory.clone());
            }
        });
    }
});

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

fn state(device: &mut Fake) -> State {
    let mut sink = Bytes(Vec::new());
    write_frame(1, &Request::Info, &mut [0; MAX_CONTENT], &mut sink).expect("a message");
    let said = exchange(device, &sink.0);
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
    let key = RsaPrivateKey::new(&mut Entropy(1), 2048).expect("a key");
    let pkcs8 = key.to_pkcs8_der().expect("a key").as_bytes().to_vec();
    let audience = "https://idp.prd.itsme.services/v2/token";
    let policy = Policy {
        schemes: core::iter::once(SchemePolicy {
            scheme: SchemeId::Itsme,
            client_id: "partner",
            kid: Some("k1"),
        })
        .collect(),
        audiences: core::iter::once(AllowedAudience {
            scheme: SchemeId::Itsme,
            audience,
        })
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
    };
    let mut buffer = [0; MAX_POLICY];
    let policy = policy.to_bytes(&mut buffer).expect("it fits");
    let seed = [7; 48];
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a length");
    let mut device = start(Memory::default());
    let mut step = |step| {
        let mut sink = Bytes(Vec::new());
        let request = Request::Provision(step);
        write_frame(1, &request, &mut [0; MAX_CONTENT], &mut sink).expect("a message");
        exchange(&mut device, &sink.0);
    };
    step(Provision::Begin(Totals {
        key: len(&pkcs8),
        policy: len(policy),
        chain: 0,
        seed: len(&seed),
    }));
    for (part, bytes) in [
        (Part::Key, &pkcs8[..]),
        (Part::Policy, policy),
        (Part::Seed, &seed),
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
    step(Provision::Commit);
    assert_eq!(state(&mut device), State::Ready);
    let secret = key
        .primes()
        .iter()
        .flat_map(|prime| {
            let bytes = prime.to_be_bytes();
            bytes.windows(WINDOW).map(Vec::from).collect::<Vec<_>>()
        })
        .collect();
    Kept {
        memory: device.board().memory(),
        device,
        secret,
    }
}
