//! A key of the device's own making: one step in each round of the main loop, so that the watchdog is fed and the
//! host is answered meanwhile. Until it is done there is nothing of it but in RAM.

use privyseal_core::rsa::spki::spki_digest;
use privyseal_firmware_rsa::{
    AnyGenerator, GenerateError, MAX_MODULUS_LEN, Prime, Progress as Step,
};
use privyseal_protocol::{
    AtRest, Entry, Event, Generate, Generation, MAX_SEED, MIN_SEED, Origin, Part, PartFault,
    Refusal, Response, UNLOCK_LEN, UnlockSecret,
};
use rand_core::TryRng as _;
use zeroize::{Zeroize, Zeroizing};

use super::{Born, Machine, Mode};
use crate::at_rest::Secrets;
use crate::board::Board;
use crate::drbg::Drbg;
use crate::guarded::{Guarded, Key};
use crate::keyed::{bad, keep, public_key, seeded};
use crate::vault::{self, KeyRecord};

/// A key that is being made.
pub(super) struct Generating {
    drbg: Drbg,
    board_entropy: bool,
    unlock: Option<Zeroizing<[u8; UNLOCK_LEN]>>,
    progress: Generation,
}

impl Generating {
    /// How far it is.
    pub(super) const fn progress(&self) -> Generation {
        self.progress
    }

    /// Does the next step; whether the key is done.
    fn step<B: Board>(&mut self, board: &mut B, key: &mut Guarded) -> Result<bool, Refusal> {
        let step = key.open(board, |_, key| {
            let step = key.generator()?.step(&mut self.drbg);
            step.map_err(|error| refusal_of(&error))
        });
        let (primes, candidates) = match step? {
            Step::Searching {
                prime: Prime::P,
                candidates,
            } => (0, candidates),
            Step::Searching { candidates, .. } => (1, candidates),
            Step::Done => return Ok(true),
            _ => (2, 0),
        };
        self.progress = Generation {
            primes,
            candidates,
            ..self.progress
        };
        Ok(false)
    }
}

fn refusal_of<E>(error: &GenerateError<E>) -> Refusal {
    match error {
        // Far more candidates than it takes: what they are drawn from is not random.
        GenerateError::Random(_) | GenerateError::Exhausted(_) => Refusal::Entropy,
        _ => Refusal::Fault,
    }
}

impl<B: Board> Machine<B> {
    /// Begins. The entry in the log makes the random generator another one than it ever was.
    #[inline(never)]
    pub(super) fn generate(&mut self, id: u8, asked: Generate<'_>) -> Result<(), Refusal> {
        if !matches!(self.mode, Mode::Empty) {
            return Err(self.mode.refusal());
        }
        let generator = AnyGenerator::new(asked.bits.into()).ok_or(Refusal::KeySize)?;
        if !(MIN_SEED..=MAX_SEED).contains(&asked.seed.len()) {
            let [min, max] = [MIN_SEED, MAX_SEED].map(|len| u32::try_from(len).unwrap_or(0));
            return Err(bad(Part::Seed, PartFault::Size { min, max }));
        }
        let entry = self.entry(Event::ProvisionBegun);
        self.write(entry)?;
        let nonce = self.nonce();
        let drbg = seeded(&mut self.board, asked.seed, asked.board_entropy, &nonce)?;
        self.enter(Mode::Generating(Generating {
            drbg,
            board_entropy: asked.board_entropy,
            unlock: asked
                .unlock
                .map(|UnlockSecret(secret)| Zeroizing::new(secret)),
            progress: Generation {
                bits: asked.bits,
                primes: 0,
                candidates: 0,
            },
        }));
        self.key
            .open(&mut self.board, |_, key| *key = Key::Making(generator));
        self.send(id, &Response::Accepted { received: 0 });
        Ok(())
    }

    /// Goes on, if a key is being made. One that cannot be made leaves an empty device, with the reason in the log.
    #[inline(never)]
    pub(super) fn generate_more(&mut self) {
        let Mode::Generating(generating) = &mut self.mode else {
            return;
        };
        let refusal = match generating.step(&mut self.board, &mut self.key) {
            Ok(false) => return,
            Ok(true) => match self.keep() {
                Ok(()) => return,
                Err(refusal) => refusal,
            },
            Err(refusal) => refusal,
        };
        // If the flash fails, the device is faulted and says so.
        let _ = self.discard();
        let entry = self.entry(Event::Refused);
        let _ = self.write(Entry {
            code: refusal.code(),
            ..entry
        });
    }

    /// Writes the key that was made, then the record of it, with which it counts, and that into the log.
    #[inline(never)]
    fn keep(&mut self) -> Result<(), Refusal> {
        let journal = self.records.journal.as_ref().ok_or(Refusal::Storage)?;
        let sequence = journal.next_sequence();
        let Mode::Generating(generating) = &mut self.mode else {
            return Err(self.mode.refusal());
        };
        let mut seed = [0; MAX_SEED];
        let drawn = generating.drbg.try_fill_bytes(&mut seed);
        drawn.map_err(|_| Refusal::Entropy)?;
        let (mut modulus, mut primes) = ([0; MAX_MODULUS_LEN], [0; MAX_MODULUS_LEN]);
        let numbers = self.key.open(&mut self.board, |_, key| {
            let generator = key.generator().ok()?;
            let modulus = generator.modulus(&mut modulus)?;
            let (p, q) = generator.primes(&mut primes)?;
            Some((modulus, Secrets::of(&seed, [p, q])))
        });
        let (modulus, secrets) = numbers.ok_or(Refusal::Fault)?;
        primes.zeroize();
        seed.zeroize();
        let record = KeyRecord {
            sequence,
            origin: Origin::Generated,
            board_entropy: generating.board_entropy,
            at_rest: AtRest::default(),
            key: u32::try_from(modulus.len().saturating_mul(2)).map_err(|_| Refusal::Fault)?,
            digest: [0; 32],
        };
        let unlock = generating.unlock.as_deref().copied().map(UnlockSecret);
        let (record, under) = keep(
            &mut self.board,
            &mut generating.drbg,
            record,
            modulus,
            secrets.ok_or(Refusal::Fault)?,
            unlock.as_ref(),
        )?;
        // The one that was made, and not another: what is read back from the flash is compared with it.
        let key = public_key(&self.board, &record)?;
        if key.modulus() != modulus {
            return Err(Refusal::Storage);
        }
        vault::write_record(self.board.secrets(), &record).map_err(|_| Refusal::Storage)?;
        self.note_generated(&record)?;
        let key = spki_digest(&key);
        self.enter(Mode::Uncertified(Born { record, under, key }));
        Ok(())
    }

    /// Writes that the device has made a key: the last step of it.
    pub(super) fn note_generated(&mut self, record: &KeyRecord) -> Result<(), Refusal> {
        let digest = spki_digest(&public_key(&self.board, record)?);
        let entry = self.entry(Event::Generated);
        self.write(Entry { digest, ..entry })
    }
}
