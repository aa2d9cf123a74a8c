//! Where the key is in RAM: once, ready to sign, and nowhere when it has been wiped; and nowhere in the flash, where it
//! is encrypted. Flash is RAM here, and searched with it.
//!
//! What is found is not only a whole number: any eight bytes of it count, in either order of bytes.

use privyseal_test_base::clock::run_start;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use privyseal_protocol::{
    CHUNK, DeviceState, Part, Provision, Refusal, Request, Response, SignRequest, Totals,
    UnlockSecret,
};
use privyseal_test_simulators::emulator::{AN386, Emulator, Machine, STM32F405};
use privyseal_test_simulators::gateway::Gateway;
use rsa::BoxedUint;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use crate::stage::{Party, SEED, SERVED, UNLOCK, provisioned};

const BLINDING: &str = "blinding";

/// Bytes of a piece that is searched for.
const PIECE: usize = 8;

/// A secret number and how often each of its pieces may be in RAM while the device can sign.
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    /// Little-endian, as the engine has its numbers.
    pub(crate) bytes: Vec<u8>,
    when_ready: usize,
}

#[test]
fn an_stm32f405_has_its_key_once_and_then_never() {
    the_key_is_there_once_and_then_never(STM32F405);
}

#[test]
fn an_an386_has_its_key_once_and_then_never() {
    the_key_is_there_once_and_then_never(AN386);
}

fn the_key_is_there_once_and_then_never(machine: Machine) {
    let party = Party::new("seal");
    let mut secrets = secrets(&party);
    let mut emulator = Emulator::gateway(machine);
    let mut gateway = Gateway::new(emulator.connect());
    look(&mut emulator, &mut gateway, &secrets, "new", |_| 0);
    for round in 0..2 {
        party.provision(&mut gateway);
        find_blinding(&mut emulator, &party, &mut secrets);
        look_ready(&mut emulator, &mut gateway, &secrets, "provisioned");
        sign(&mut gateway, round * 10);
        find_blinding(&mut emulator, &party, &mut secrets);
        look_ready(&mut emulator, &mut gateway, &secrets, "provisioned, signed");
        if round == 1 {
            // Wiped without a start in between.
            break;
        }
        emulator.reset();
        drop(gateway);
        gateway = Gateway::new(emulator.connect());
        assert_eq!(gateway.info(|info| info.state), DeviceState::Ready);
        find_blinding(&mut emulator, &party, &mut secrets);
        look_ready(&mut emulator, &mut gateway, &secrets, "started");
        sign(&mut gateway, round * 10 + 1);
        find_blinding(&mut emulator, &party, &mut secrets);
        look_ready(&mut emulator, &mut gateway, &secrets, "started, signed");
        wipe(&mut gateway);
        look(
            &mut emulator,
            &mut gateway,
            &secrets,
            "started, wiped",
            |_| 0,
        );
    }
    wipe(&mut gateway);
    look(
        &mut emulator,
        &mut gateway,
        &secrets,
        "provisioned, wiped",
        |_| 0,
    );
}

#[test]
fn of_a_content_key_nothing_stays_on_an_stm32f405() {
    of_a_content_key_nothing_stays(STM32F405);
}

#[test]
fn of_a_content_key_nothing_stays_on_an_an386() {
    of_a_content_key_nothing_stays(AN386);
}

/// It comes out, and is nowhere then, nor anything more of the key that has unwrapped it; so it is with what is refused.
fn of_a_content_key_nothing_stays(machine: Machine) {
    let party = Party::unwrapping("seal");
    let mut secrets = secrets(&party);
    let plain = b"a content key, which is a secret";
    let (name, bytes) = ("content key", plain.to_vec());
    let when_ready = 0;
    secrets.push(Secret {
        name,
        bytes,
        when_ready,
    });
    let (mut emulator, mut gateway) = provisioned(machine, &party);
    for when in ["provisioned", "started"] {
        let wrapped = party.wrapped("sha256", plain);
        assert_eq!(gateway.unwrap_key(&wrapped), Ok(plain.to_vec()), "{when}");
        find_blinding(&mut emulator, &party, &mut secrets);
        look_ready(&mut emulator, &mut gateway, &secrets, when);
        // Its padding is another one, and comes out in the engine.
        let wrapped = party.wrapped("sha1", plain);
        let refused = gateway.unwrap_key(&wrapped);
        assert_eq!(refused, Err(Refusal::Ciphertext), "{when}");
        find_blinding(&mut emulator, &party, &mut secrets);
        look_ready(&mut emulator, &mut gateway, &secrets, when);
        emulator.reset();
        drop(gateway);
        gateway = Gateway::new(emulator.connect());
    }
    let (scheme, _, audience) = SERVED[0];
    let signed = gateway.sign(SignRequest {
        audience: Some(audience),
        ..SignRequest::new(scheme, run_start())
    });
    assert_eq!(signed, Err(Refusal::Scheme), "it signs nothing");
    let signs = Party::new("gateway-2");
    let (_emulator, mut gateway) = provisioned(machine, &signs);
    let refused = gateway.unwrap_key(&signs.wrapped("sha256", plain));
    assert_eq!(
        refused,
        Err(Refusal::Unwrap),
        "and this one unwraps nothing"
    );
}

/// While a device is locked its key is nowhere, and its unlock secret never is but in the request.
#[test]
fn a_locked_stm32f405_has_its_key_nowhere() {
    let party = Party::with_unlock_secret("seal");
    let secrets = secrets(&party);
    let mut emulator = Emulator::gateway(STM32F405);
    let mut gateway = Gateway::new(emulator.connect());
    party.provision(&mut gateway);
    look_ready(&mut emulator, &mut gateway, &secrets, "provisioned");
    emulator.reset();
    drop(gateway);
    let mut gateway = Gateway::new(emulator.connect());
    assert_eq!(gateway.info(|info| info.state), DeviceState::Locked);
    look(&mut emulator, &mut gateway, &secrets, "locked", |_| 0);
    let wrong = UnlockSecret([0x5a; 32]);
    assert_eq!(unlock(&mut gateway, wrong), Err(Refusal::Unlock));
    look(&mut emulator, &mut gateway, &secrets, "refused", |_| 0);
    unlock(&mut gateway, UNLOCK).expect("its secret");
    look_ready(&mut emulator, &mut gateway, &secrets, "unlocked");
    // The wrong secret has used the rate up: the next assertion is 60 ms away.
    thread::sleep(Duration::from_millis(500));
    sign(&mut gateway, 10);
    look_ready(&mut emulator, &mut gateway, &secrets, "unlocked, signed");
    wipe(&mut gateway);
    look(&mut emulator, &mut gateway, &secrets, "wiped", |_| 0);
}

fn unlock(gateway: &mut Gateway, secret: UnlockSecret) -> Result<(), Refusal> {
    gateway.ask(&Request::Unlock(secret), |response| {
        matches!(response, Response::Unlocked).then_some(())
    })
}

/// What has come over the line does not stay where it came in.
#[test]
fn nothing_stays_of_an_upload_that_is_taken_back() {
    let party = Party::new("seal");
    let secrets = secrets(&party);
    let mut emulator = Emulator::gateway(STM32F405);
    let mut gateway = Gateway::new(emulator.connect());
    let key = party.key.numbers();
    let begin = Provision::Begin(Totals {
        key: u32::try_from(key.len()).expect("a length"),
        policy: 1,
        chain: 0,
        seed: 48,
        unlock: 0,
    });
    let chunks = (0..).step_by(CHUNK).zip(key.chunks(CHUNK));
    let chunks = chunks.map(|(offset, bytes)| Provision::Chunk {
        part: Part::Key,
        offset,
        bytes,
    });
    for step in [begin].into_iter().chain(chunks).chain([Provision::Abort]) {
        let done = gateway.ask(&Request::Provision(step), |response| {
            matches!(response, Response::Accepted { .. }).then_some(())
        });
        done.unwrap_or_else(|refusal| panic!("{refusal}"));
    }
    look(&mut emulator, &mut gateway, &secrets, "taken back", |_| 0);
}

fn sign(gateway: &mut Gateway, later: u64) {
    let (scheme, _, audience) = SERVED[0];
    let token = gateway.sign(SignRequest {
        audience: Some(audience),
        ..SignRequest::new(scheme, run_start() + later)
    });
    token.unwrap_or_else(|refusal| panic!("{refusal}"));
}

fn wipe(gateway: &mut Gateway) {
    let device = gateway.info(|info| info.device);
    let wiped = gateway.ask(&Request::Wipe { device }, |response| {
        matches!(response, Response::Wiped).then_some(())
    });
    wiped.unwrap_or_else(|refusal| panic!("{refusal}"));
}

/// Searches the memory, in which each secret must be as often as `expected` says. The device cleans up behind its
/// answer; when it answers the next request it has.
fn look(
    emulator: &mut Emulator,
    gateway: &mut Gateway,
    secrets: &[Secret],
    when: &str,
    expected: impl Fn(&Secret) -> usize,
) {
    gateway.info(|_| ());
    let wrong = compare(emulator, secrets, expected);
    assert!(wrong.is_empty(), "{when}:\n{wrong}");
}

/// The same of a device that can sign; and what is there is where nobody can read it who is not signing.
fn look_ready(emulator: &mut Emulator, gateway: &mut Gateway, secrets: &[Secret], when: &str) {
    look(emulator, gateway, secrets, when, |secret| secret.when_ready);
    let (start, memory) = (emulator.machine().ram.0, emulator.memory());
    assert!(emulator.is_readable(start), "{when}: the start of RAM");
    let kept = secrets.iter().filter(|secret| secret.when_ready > 0);
    for secret in kept {
        let mut pieces = memory.windows(PIECE);
        let at = pieces.position(|it| it == &secret.bytes[..PIECE]);
        let at = u32::try_from(at.expect("found before")).expect("an address");
        let end = u32::try_from(secret.bytes.len() - PIECE).expect("a length");
        for address in [start + at, start + at + end] {
            let is_readable = emulator.is_readable(address);
            assert!(!is_readable, "{when}: {} at {address:#x}", secret.name);
        }
    }
}

/// Finds the blinding pair by what it is, near the key: A and A^-d in Montgomery form. Each signature has another, and
/// those before must be nowhere.
fn find_blinding(emulator: &mut Emulator, party: &Party, secrets: &mut Vec<Secret>) {
    const NEAR: usize = 4096;
    const LEN: usize = 256;
    let memory = emulator.memory();
    let key = party.key.private_key();
    let n = key.n();
    let times =
        |a: &BoxedUint, b: &BoxedUint| wide(&a.wrapping_mul(b).rem_vartime(n).to_le_bytes());
    let power = |base: &BoxedUint| {
        let mut power = base.clone();
        for _ in 0..16 {
            power = times(&power, &power);
        }
        times(&power, base)
    };
    let r = BoxedUint::one_with_precision(4096).shl(2048).rem_vartime(n);
    let r = wide(&r.to_le_bytes());
    let one = times(&power(&r), &r);
    let prime = secrets.iter().find(|secret| secret.name == "p");
    let prime = prime.expect("among them");
    let at = memory
        .windows(PIECE)
        .position(|it| it == &prime.bytes[..PIECE]);
    let at = at.expect("a device that is ready");
    let near = at.saturating_sub(NEAR)..at + NEAR;
    let pair = near.step_by(4).find_map(|at| {
        let (first, second) = memory[at..at + 2 * LEN].split_at(LEN);
        let is_pair = |factor, remover| times(&power(&wide(remover)), &wide(factor)) == one;
        (is_pair(first, second) || is_pair(second, first))
            .then(|| [first.to_vec(), second.to_vec()])
    });
    let pair = pair.expect("a device that is ready has blinding numbers near its key");
    for secret in secrets.iter_mut().filter(|it| it.name == BLINDING) {
        secret.when_ready = 0;
    }
    secrets.extend(pair.map(|bytes| Secret {
        name: BLINDING,
        bytes,
        when_ready: 1,
    }));
}

fn compare(
    emulator: &mut Emulator,
    secrets: &[Secret],
    expected: impl Fn(&Secret) -> usize,
) -> String {
    let mut places: HashMap<[u8; PIECE], Vec<usize>> = HashMap::new();
    for piece in secrets.iter().flat_map(Secret::pieces) {
        places.insert(piece.bytes, Vec::new());
    }
    let memory = emulator.memory_and_flash();
    for (at, window) in memory.windows(PIECE).enumerate() {
        // Most of it is zero, and no piece is.
        if window != [0; PIECE]
            && let Some(places) = places.get_mut(window)
        {
            places.push(at);
        }
    }
    let mut wrong = String::new();
    for secret in secrets {
        for Piece {
            order,
            number,
            bytes,
        } in secret.pieces()
        {
            let expected = if order == "little" {
                expected(secret)
            } else {
                0
            };
            let found = &places[&bytes];
            if found.len() != expected {
                let name = secret.name;
                let _ = writeln!(
                    wrong,
                    "{name}, {order}-endian, piece {number}: not {expected}, but at {found:05x?}"
                );
            }
        }
    }
    wrong
}

struct Piece {
    order: &'static str,
    number: usize,
    bytes: [u8; PIECE],
}

impl Secret {
    fn pieces(&self) -> impl Iterator<Item = Piece> {
        let (pieces, _) = self.bytes.as_chunks();
        pieces.iter().enumerate().flat_map(|(number, little)| {
            let mut big = *little;
            big.reverse();
            [("little", *little), ("big", big)].map(|(order, bytes)| Piece {
                order,
                number,
                bytes,
            })
        })
    }
}

pub(crate) fn secrets(party: &Party) -> Vec<Secret> {
    let mut key = party.key.private_key().clone();
    key.precompute().expect("a key");
    let [p, q] = key.primes() else {
        panic!("two primes")
    };
    let number = |number: Option<&BoxedUint>| number.expect("precomputed").clone();
    let coefficient = key.crt_coefficient().expect("an inverse");
    let secret = |name, number: &BoxedUint, when_ready| {
        let mut bytes = number.to_le_bytes().to_vec();
        // Zeros are no secret.
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        Secret {
            name,
            bytes,
            when_ready,
        }
    };
    let text = |name, bytes: &[u8]| Secret {
        name,
        bytes: bytes.to_vec(),
        when_ready: 0,
    };
    vec![
        // Both have done their part when the device is ready.
        text("seed", SEED),
        text("unlock secret", &UNLOCK.0),
        secret("p", p, 1),
        secret("q", q, 1),
        secret("dP", &number(key.dp()), 1),
        secret("dQ", &number(key.dq()), 1),
        // With n these give the primes away, too.
        secret("R^2 mod p", &r_squared(p), 1),
        secret("R^2 mod q", &r_squared(q), 1),
        secret(
            "qInv in Montgomery form",
            &in_montgomery_form(&coefficient, p),
            1,
        ),
        // The engine has neither: the private exponent in parts, the coefficient in that form.
        secret("d", key.d(), 0),
        secret("qInv", &coefficient, 0),
    ]
}

/// With room for a product.
fn wide(little_endian: &[u8]) -> BoxedUint {
    BoxedUint::from_le_slice(little_endian, 4096).expect("at most 4,096 bits")
}

/// A number times 2^1024 mod a prime.
fn in_montgomery_form(number: &BoxedUint, prime: &BoxedUint) -> BoxedUint {
    let prime = prime.to_nz().expect("not zero");
    let shifted = wide(&number.to_le_bytes()).shl(1024);
    shifted.rem(&prime)
}

/// 2^2048 mod a prime.
fn r_squared(prime: &BoxedUint) -> BoxedUint {
    let prime = prime.to_nz().expect("not zero");
    let power = BoxedUint::one_with_precision(4096).shl(2048);
    power.rem(&prime)
}
