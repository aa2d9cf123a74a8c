//! The key in the flash: a dump is worth nothing without the secrets that it is kept under, which the device has not
//! or is given at each start.

use privyseal_core::scheme::FIAM;
use privyseal_firmware_app::fake::Memory;
use privyseal_protocol::{
    AtRest, DeviceState, Event, Generate, Part, PartFault, Rate, Refusal, Request, Response,
    SchemeId, SignRequest, UnlockSecret, crc,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_base::tool::{command, output};
use privyseal_test_judges::decode::to_hex;
use privyseal_test_judges::python;
use privyseal_test_simulators::device_host::{
    TestDevice, ask, generate, info, provision, request_csr, sign,
};
use privyseal_test_simulators::link::Upload;
use sha2::{Digest as _, Sha256};

use crate::fixture::{empty, key, policy, restart, start, upload};
use crate::generating::{ASKED, csr_request, installation};
use crate::log;
use crate::secrets::found;

pub(crate) const SECRET: UnlockSecret = UnlockSecret([0xa7; 32]);
pub(crate) const WRONG: UnlockSecret = UnlockSecret([0xa8; 32]);

pub(crate) fn unlock(device: &mut TestDevice, secret: UnlockSecret) -> Result<(), Refusal> {
    ask(device, &Request::Unlock(secret), |(), response| {
        assert_eq!(response, Response::Unlocked);
    })
}

fn with_secret() -> Upload {
    Upload {
        unlock: SECRET.0.to_vec(),
        ..upload(&policy())
    }
}

/// A device whose key is kept under [`SECRET`], just switched on.
pub(crate) fn locked() -> TestDevice {
    let mut device = empty();
    provision(&mut device, &with_secret()).expect("a good upload");
    restart(&mut device)
}

fn fiam() -> SignRequest<'static> {
    SignRequest::new(SchemeId::of(&FIAM), run_start())
}

/// Opens what lies in a flash as `docs/link.md` says, with Python's `cryptography`: seed and primes. `None` if it does
/// not open.
pub(crate) fn opened(memory: &Memory, unlock: Option<UnlockSecret>) -> Option<Vec<u8>> {
    const PROGRAM: &str = r"
import hashlib, hmac, struct, sys
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
flash, unlock = sys.stdin.buffer.read(), bytes.fromhex(sys.argv[1])
mac = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()
flags, key = struct.unpack('<II', flash[16:24])
device_secret = bytes([0x5c] * 32) if flags & 2 else bytes(32)
under = mac(device_secret, b'fake device!' + bytes([flags >> 1 & 1, flags >> 2 & 1]) + flash[128:160] + unlock)
record = flash[:24] + bytes(100)
record += struct.pack('<I', __import__('zlib').crc32(record))
bound = hashlib.sha256(record + flash[160:160 + key // 2]).digest()
sealed = flash[672:672 + 64 + key // 2 + 16]
try:
    cipher = ChaCha20Poly1305(mac(under, b'privyseal-at-rest:v1:key'))
    sys.stdout.buffer.write(cipher.decrypt(bytes(12), sealed, bound))
except InvalidTag:
    sys.exit(7)
";
    let unlock = unlock.map_or(Vec::new(), |secret| secret.0.to_vec());
    let digits = to_hex(&unlock);
    let python = python::interpreter();
    let mut python = command(&python.to_string_lossy(), ["-c", PROGRAM, &digits]);
    let said = output(&mut python, &memory.secrets);
    match said.status.code() {
        Some(0) => Some(said.stdout),
        Some(7) => None,
        _ => panic!("{said:?}"),
    }
}

#[test]
fn a_dump_of_the_flash_has_nothing_of_the_key() {
    for upload in [with_secret(), upload(&policy())] {
        let mut device = empty();
        provision(&mut device, &upload).expect("a good upload");
        sign(&mut device, fiam()).expect("a token");
        let memory = device.board().memory();
        let dump = [&memory.provision[..], &memory.secrets, &memory.journal].concat();
        assert_eq!(found(&dump), None);
        for secret in [&SECRET.0[..8], &[0x5c; 8]] {
            assert!(dump.windows(8).all(|window| window != secret));
        }

        // What does not stand there is there: a holder of all secrets reads it.
        let unlock = (!upload.unlock.is_empty()).then_some(SECRET);
        let secrets = opened(&memory, unlock).expect("its own key");
        assert_eq!(found(&secrets), Some("p"));
        assert_eq!(secrets[64..], key().numbers()[256..]);
        assert_eq!(opened(&memory, Some(WRONG)), None);
        let mut changed = memory.clone();
        changed.secrets[700] ^= 1;
        assert_eq!(opened(&changed, unlock), None);
    }
}

/// Uploaded pieces of a key wait in RAM, and not in the flash, until the device has encrypted them.
#[test]
fn an_upload_that_is_not_committed_leaves_nothing_in_the_flash() {
    let mut device = empty();
    privyseal_test_simulators::device_host::send_parts(&mut device, &with_secret())
        .expect("all parts");
    let memory = device.board().memory();
    assert!(memory.secrets.iter().all(|&byte| byte == 0xff));
    assert_eq!(found(&memory.provision), None);
}

#[test]
fn a_locked_device_says_what_it_is_and_does_nothing() {
    let mut device = locked();
    let account = info(&mut device);
    assert_eq!(account.state, DeviceState::Locked);
    assert_eq!(
        account.at_rest,
        Some(AtRest {
            device_secret: true,
            unlock_secret: true
        })
    );
    let refused = Refusal::State(DeviceState::Locked);
    assert_eq!(sign(&mut device, fiam()), Err(refused));
    assert_eq!(request_csr(&mut device, &csr_request()), Err(refused));
    assert_eq!(provision(&mut device, &with_secret()), Err(refused));
    assert_eq!(generate(&mut device, &ASKED), Err(refused));
    for part in [
        Part::Policy,
        Part::Chain,
        Part::Key,
        Part::Seed,
        Part::Unlock,
    ] {
        let read = Request::Read { part, offset: 0 };
        let answer = ask(&mut device, &read, |(), _| {});
        assert_eq!(answer, Err(Refusal::NotReadable(part)));
    }
    let read = Request::Read {
        part: Part::PublicKey,
        offset: 0,
    };
    ask(&mut device, &read, |(), _| {}).expect("its public key");

    unlock(&mut device, SECRET).expect("the right secret");
    assert_eq!(info(&mut device).key, account.key);
    sign(&mut device, fiam()).expect("a token");
    let again = unlock(&mut device, SECRET);
    assert_eq!(again, Err(Refusal::State(DeviceState::Ready)));
    let mut device = restart(&mut device);
    assert_eq!(info(&mut device).state, DeviceState::Locked);
    let id = device.board().device;
    ask(&mut device, &Request::Wipe { device: id }, |(), _| {}).expect("wiped");
    assert!(device.board().memory().is_blank());
}

/// Five wrong ones at once, then one in two minutes; a right one costs nothing, and no restart forgives.
#[test]
fn wrong_secrets_are_logged_and_have_a_rate() {
    let mut device = locked();
    for round in 0..5 {
        assert_eq!(unlock(&mut device, WRONG), Err(Refusal::Unlock), "{round}");
        device = restart(&mut device);
    }
    // Also the right one, which is not looked at.
    let refused = unlock(&mut device, SECRET);
    assert!(matches!(refused, Err(Refusal::Rate { .. })), "{refused:?}");
    device.board().time.advance(60_000);
    let rate_left = policy().rate.assertions;
    unlock(&mut device, SECRET).expect("the right secret");
    let log = log::check(&mut device);
    let of = |event| log.iter().filter(|entry| entry.event == event).count();
    assert_eq!((of(Event::UnlockTried), of(Event::Unlocked)), (6, 1));
    let refused = log.iter().filter(|entry| entry.reason() == Some("unlock"));
    assert_eq!(refused.count(), 5);

    // Under a policy whose rate has less room: the next assertion is one interval away, and not all those tries.
    let mut slow = policy();
    slow.rate = Rate {
        assertions: 1,
        seconds: 1,
    };
    let mut device = empty();
    let slow = Upload {
        policy: upload(&slow).policy,
        ..with_secret()
    };
    provision(&mut device, &slow).expect("a good upload");
    let mut device = restart(&mut device);
    assert_eq!(unlock(&mut device, WRONG), Err(Refusal::Unlock));
    unlock(&mut device, SECRET).expect("the right secret");
    assert_eq!(
        sign(&mut device, fiam()),
        Err(Refusal::Rate { wait: 1_000 })
    );
    device.board().time.advance(1_000);
    sign(&mut device, fiam()).expect("a token");

    let mut device = locked();
    for _ in 0..20 {
        unlock(&mut device, SECRET).expect("the right secret");
        assert_eq!(info(&mut device).rate_left, rate_left);
        device = restart(&mut device);
    }
}

#[test]
fn a_policy_that_demands_a_secret() {
    let mut demands = policy();
    demands.unlock = true;
    let demanding = Upload {
        policy: upload(&demands).policy,
        ..with_secret()
    };
    let without = Upload {
        unlock: Vec::new(),
        ..demanding.clone()
    };
    let mut device = empty();
    assert_eq!(provision(&mut device, &without), Err(Refusal::KeyUnlock));
    assert!(device.board().memory().is_blank());
    let short = Upload {
        unlock: vec![1; 16],
        ..demanding.clone()
    };
    let (part, min, max) = (Part::Unlock, 0, 32);
    let fault = PartFault::Size { min, max };
    let refused = provision(&mut device, &short);
    assert_eq!(refused, Err(Refusal::Part { part, fault }));
    provision(&mut device, &demanding).expect("a good upload");
}

/// From the first moment on: the key is never there without its secret.
#[test]
fn a_key_of_its_own_making_is_kept_under_the_secret() {
    let mut demands = policy();
    demands.unlock = true;
    let mut device = empty();
    generate(&mut device, &ASKED).expect("a key");
    let install = |device: &mut TestDevice| {
        let upload = Upload {
            policy: upload(&demands).policy,
            ..installation(device)
        };
        provision(device, &upload)
    };
    assert_eq!(install(&mut device), Err(Refusal::KeyUnlock));

    let mut device = empty();
    let asked = Generate {
        unlock: Some(SECRET),
        ..ASKED
    };
    generate(&mut device, &asked).expect("a key");
    let memory = device.board().memory();
    assert_eq!(opened(&memory, None), None);
    assert!(opened(&memory, Some(SECRET)).is_some());
    let mut device = restart(&mut device);
    let refused = request_csr(&mut device, &csr_request());
    assert_eq!(refused, Err(Refusal::State(DeviceState::Locked)));
    assert_eq!(unlock(&mut device, WRONG), Err(Refusal::Unlock));
    unlock(&mut device, SECRET).expect("the right secret");
    request_csr(&mut device, &csr_request()).expect("a request");
    install(&mut device).expect("a good installation");
    sign(&mut device, fiam()).expect("a token");
    let mut device = restart(&mut device);
    unlock(&mut device, SECRET).expect("the right secret");
    sign(&mut device, fiam()).expect("a token");
}

/// Whoever writes the flash, and makes every checksum right, changes neither policy nor chain.
#[test]
fn a_policy_of_somebody_else_is_not_taken() {
    let mut device = locked();
    let mut memory = device.board().memory();
    let place = memory.provision.windows(5).position(|it| it == b"KPNFI");
    memory.provision[place.expect("an audience")] = b'X';
    let number = |at: usize| {
        let bytes = memory.provision[at..at + 4].try_into().expect("four");
        usize::try_from(u32::from_le_bytes(bytes)).expect("a length")
    };
    let mut hash = Sha256::new();
    hash.update(&memory.provision[512..512 + number(12)]);
    hash.update(&memory.provision[4_608..4_608 + number(16)]);
    for header in 0..5 {
        let at = number(20 + 8 * header);
        hash.update(&memory.provision[at..at + number(24 + 8 * header)]);
    }
    memory.provision[60..92].copy_from_slice(&hash.finalize());
    let checksum = crc::checksum(&[&memory.provision[..124]]);
    memory.provision[124..128].copy_from_slice(&checksum.to_le_bytes());
    let mut device = start(memory);
    assert_eq!(info(&mut device).state, DeviceState::Locked, "all sums fit");
    let (part, fault) = (Part::Policy, PartFault::Rule);
    let refused = unlock(&mut device, SECRET);
    assert_eq!(refused, Err(Refusal::Part { part, fault }));
    assert_eq!(info(&mut device).state, DeviceState::Faulted);
}
