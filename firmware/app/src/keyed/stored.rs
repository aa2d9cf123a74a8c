//! The key where it is stored: put there, and taken out for what needs it.

use privyseal_core::RsaPublicKey;
use privyseal_firmware_rsa::{AnyEngine, SignError};
use privyseal_protocol::{AtRest, Part, PartFault, Refusal, UnlockSecret};
use rand_core::TryRng as _;
use zeroize::Zeroize;

use super::bad;
use crate::at_rest::{Closed, KeptUnder, SALT_LEN, Secrets};
use crate::board::Board;
use crate::drbg::Drbg;
use crate::guarded::Key;
use crate::vault::{self, KeyRecord, Place};

/// Bytes that the board's own random generator adds to the seed: as many as make a generator by themselves
/// ([`privyseal_protocol::MIN_SEED`]).
const ENTROPY: usize = 48;

/// What lies among the secrets, where it lies.
fn mapped_secret<B: Board>(board: &B, place: Place) -> Result<B::Mapped, Refusal> {
    let mapped = board.mapped_secret(place.at, place.len);
    mapped.ok_or(Refusal::Storage)
}

/// The public key.
pub(crate) fn public_key<B: Board>(board: &B, key: &KeyRecord) -> Result<RsaPublicKey, Refusal> {
    let modulus = mapped_secret(board, key.modulus())?;
    RsaPublicKey::from_components(modulus.as_ref(), &[1, 0, 1])
        .map_err(|_| bad(Part::Key, PartFault::Rule))
}

/// What the key is kept under. [`Refusal::Unlock`] where a secret is missing.
pub(crate) fn kept_under<B: Board>(
    board: &mut B,
    key: &KeyRecord,
    unlock: Option<&UnlockSecret>,
) -> Result<KeptUnder, Refusal> {
    let salt = mapped_secret(board, vault::SALT)?;
    let salt = salt.as_ref().first_chunk().ok_or(Refusal::Storage)?;
    KeptUnder::new(board, key.at_rest, salt, unlock).ok_or(Refusal::Unlock)
}

/// Seed and primes, in clear. [`Refusal::Unlock`] if they are kept under something else.
#[inline(never)]
pub(crate) fn secrets<B: Board>(
    board: &B,
    key: &KeyRecord,
    under: &KeptUnder,
) -> Result<Secrets, Refusal> {
    let modulus = mapped_secret(board, key.modulus())?;
    let sealed = mapped_secret(board, key.secret())?;
    let head = [&key.head()[..], modulus.as_ref()];
    Secrets::open(sealed.as_ref(), under, &head).map_err(|Closed| Refusal::Unlock)
}

/// Encrypts a new key and writes it, and gives its record with the digest in it, for the caller to write.
#[inline(never)]
pub(crate) fn keep<B: Board>(
    board: &mut B,
    drbg: &mut Drbg,
    mut record: KeyRecord,
    modulus: &[u8],
    secrets: Secrets,
    unlock: Option<&UnlockSecret>,
) -> Result<(KeyRecord, KeptUnder), Refusal> {
    board.make_device_secret();
    let device_secret = board.device_secret().map(|mut secret| secret.zeroize());
    record.at_rest = AtRest {
        device_secret: device_secret.is_some(),
        unlock_secret: unlock.is_some(),
    };
    let mut salt = [0; SALT_LEN];
    drbg.try_fill_bytes(&mut salt)
        .map_err(|_| Refusal::Entropy)?;
    let under = KeptUnder::new(board, record.at_rest, &salt, unlock).ok_or(Refusal::Storage)?;
    let head = [&record.head()[..], modulus];
    let sealed = secrets.seal(&under, &head).ok_or(Refusal::Storage)?;
    vault::write_key(board.secrets(), &salt, modulus, sealed.as_ref())
        .map_err(|_| Refusal::Storage)?;
    record.digest = record.digest(board).ok_or(Refusal::Storage)?;
    Ok((record, under))
}

/// From the key's seed, the board's generator where there is one, and the nonce.
pub(crate) fn generator<B: Board>(
    board: &mut B,
    key: &KeyRecord,
    under: &KeptUnder,
    board_entropy: bool,
    nonce: &[u8],
) -> Result<Drbg, Refusal> {
    let secrets = secrets(board, key, under)?;
    seeded(board, secrets.seed(), board_entropy, nonce)
}

/// From this seed, the board's generator where there is one, and the nonce.
pub(crate) fn seeded<B: Board>(
    board: &mut B,
    seed: &[u8],
    board_entropy: bool,
    nonce: &[u8],
) -> Result<Drbg, Refusal> {
    let device = board.device_id();
    let mut entropy = [0; ENTROPY];
    let drawn = board.fill_random(&mut entropy);
    if board_entropy && !drawn {
        return Err(Refusal::Entropy);
    }
    let drbg = Drbg::new(&[seed, &entropy, nonce, &device]);
    entropy.zeroize();
    Ok(drbg)
}

/// An engine of the key's size, without the key.
fn engine_for(key: &KeyRecord) -> Result<AnyEngine, Refusal> {
    let len = usize::try_from(key.key / 2).ok();
    len.and_then(AnyEngine::empty)
        .ok_or(bad(Part::Key, PartFault::Malformed))
}

/// Puts an engine with the key into its place, and makes it ready to sign.
#[inline(never)]
pub(crate) fn start_engine<'k, B: Board>(
    board: &mut B,
    key: &KeyRecord,
    under: &KeptUnder,
    place: &'k mut Key,
    drbg: &mut Drbg,
) -> Result<&'k mut AnyEngine, Refusal> {
    *place = Key::Ready(engine_for(key)?);
    let engine = place.engine()?;
    take_key(board, key, under, engine)?;
    board.feed_watchdog();
    engine.reseed(drbg).map_err(|error| match error {
        SignError::Random(_) => Refusal::Entropy,
        _ => Refusal::PairwiseTest,
    })?;
    Ok(engine)
}

/// In a frame of its own, below which the engine's blinding does not stand.
#[inline(never)]
fn take_key<B: Board>(
    board: &B,
    key: &KeyRecord,
    under: &KeptUnder,
    engine: &mut AnyEngine,
) -> Result<(), Refusal> {
    let modulus = mapped_secret(board, key.modulus())?;
    let secrets = secrets(board, key, under)?;
    let (p, q) = secrets.primes();
    engine
        .import(p, q, modulus.as_ref())
        .map_err(|_| bad(Part::Key, PartFault::Rule))
}
