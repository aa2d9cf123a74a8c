//! Counts the instructions of RSA signatures and of key generation on a Cortex-M4F, in QEMU. Start it with
//! `cargo xtask firmware rsa`, which makes the keys, runs it and judges what it prints.
//!
//! QEMU with `-icount shift=7` makes each instruction 128 ns of the board's time, and the board's timer
//! ticks every 40 ns: the count is exact. One line per measurement, as `name word=value ...`.
#![no_std]
#![no_main]

mod cases;
mod noise;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use privyseal_firmware_mps2_an386::{paint::paint, timer};
use privyseal_firmware_rsa::{
    Engine, Generator, MAX_MODULUS_LEN, Phase, Prime, PrivateKey, Progress,
};

use crate::cases::Case;
use crate::noise::{Noise, Planted};

/// Comparisons of the assembly with the portable kernels: each of random numbers and of edges.
#[cfg(feature = "umaal")]
const ROUNDS: u32 = 50;

/// Keys that the image generates of each size: as many as `PRIVYSEAL_BENCH_KEYS` said when it was built.
const GENERATED: Option<&str> = option_env!("PRIVYSEAL_BENCH_KEYS");

#[entry]
fn main() -> ! {
    timer::start();
    let kernels = if cfg!(feature = "umaal") {
        "umaal"
    } else {
        "portable"
    };
    hprintln!("kernels {}", kernels);
    #[cfg(feature = "umaal")]
    hprintln!(
        "agreement rounds={} agree={}",
        ROUNDS,
        u8::from(privyseal_firmware_rsa::kernels_agree(
            &mut Noise::new(9),
            ROUNDS
        ))
    );
    of_size::<32, 64>(2048, &cases::RSA_2048);
    of_size::<48, 96>(3072, &cases::RSA_3072);
    of_size::<64, 128>(4096, &cases::RSA_4096);
    hprintln!("done");
    end(debug::EXIT_SUCCESS)
}

/// Everything about one size.
fn of_size<const P: usize, const N: usize>(bits: usize, cases: &[Case]) {
    for (key, case) in cases.iter().enumerate() {
        measure::<P, N>(bits, key, case);
    }
    // The smaller prime of the last one is so small that it is never generated.
    let [random @ .., extreme] = cases else {
        fail("no keys")
    };
    for (key, case) in random.iter().enumerate() {
        keep::<P, N>(bits, key, case);
    }
    if bits == 2048 {
        for (key, case) in random.iter().take(1).chain([extreme]).enumerate() {
            redraw(key, case);
        }
    }
    let keys = GENERATED.and_then(|keys| keys.parse().ok()).unwrap_or(0);
    for seed in 0..keys {
        generate::<P, N>(bits, seed);
    }
}

/// Everything about one key.
fn measure<const P: usize, const N: usize>(bits: usize, number: usize, case: &Case) {
    let mut noise = Noise::new(number);
    let started = timer::now();
    let Ok(key) = PrivateKey::<P, N>::from_primes(case.p, case.q, case.modulus) else {
        fail("the key was refused")
    };
    let import = timer::instructions_since(started);
    let Ok(mut engine) = Engine::new(key, &mut noise) else {
        fail("no blinding")
    };
    for (message, (digest, expected)) in case.signatures.iter().enumerate() {
        // Where it lies is the same for all.
        let digest = *digest;
        let mut out = [0; MAX_MODULUS_LEN];
        let painted = paint();
        let started = timer::now();
        let outcome = engine.sign(&digest, &mut noise, &mut out);
        let instructions = timer::instructions_since(started);
        let (used, left) = (painted.used(), painted.words_of(&engine));
        hprintln!(
            "signature bits={} key={} message={} instructions={} stack={} left={} genuine={}",
            bits,
            number,
            message,
            instructions,
            used,
            left,
            u8::from(outcome == Ok(*expected))
        );
    }
    unwrappings(bits, number, &mut engine, &mut noise, case);
    phases(bits, &mut engine, case);
    let painted = paint();
    let started = timer::now();
    if engine.reseed(&mut noise).is_err() {
        fail("no blinding");
    }
    let reseeding = timer::instructions_since(started);
    hprintln!(
        "other bits={} key={} name=reseeding instructions={} stack={}",
        bits,
        number,
        reseeding,
        painted.used()
    );
    hprintln!(
        "other bits={} key={} name=import instructions={}",
        bits,
        number,
        import
    );
}

/// Content keys, and what is none: all alike.
fn unwrappings<const P: usize, const N: usize>(
    bits: usize,
    number: usize,
    engine: &mut Engine<P, N>,
    noise: &mut Noise,
    case: &Case,
) {
    for (ciphertext, expected) in case.wrapped {
        let expected = Some(*expected).filter(|key| !key.is_empty());
        // Where it lies is the same for all.
        let mut place = [0; MAX_MODULUS_LEN];
        let Some(place) = place.get_mut(..ciphertext.len()) else {
            fail("too long")
        };
        place.copy_from_slice(ciphertext);
        let mut out = [0; MAX_MODULUS_LEN];
        let painted = paint();
        let started = timer::now();
        let outcome = engine.unwrap_key(place, noise, &mut out);
        let instructions = timer::instructions_since(started);
        let (used, left) = (painted.used(), painted.words_of(engine));
        if outcome != Ok(expected) || left > 0 {
            fail("not the judge's content key, or words of the key on the stack")
        }
        hprintln!(
            "other bits={} key={} name=unwrapping instructions={} stack={}",
            bits,
            number,
            instructions,
            used
        );
    }
}

/// 65 signatures, of which one draws a new blinding.
fn redraw(number: usize, case: &Case) {
    let mut noise = Noise::new(number);
    let key = PrivateKey::<32, 64>::from_primes(case.p, case.q, case.modulus);
    let (Ok(key), Some((digest, expected))) = (key, case.signatures.first()) else {
        fail("the key was refused")
    };
    let Ok(mut engine) = Engine::new(key, &mut noise) else {
        fail("no blinding")
    };
    let (mut counts, mut stack) = ([0; 65], 0);
    for count in &mut counts {
        let mut out = [0; MAX_MODULUS_LEN];
        let painted = paint();
        let started = timer::now();
        let outcome = engine.sign(digest, &mut noise, &mut out);
        *count = timer::instructions_since(started);
        stack = stack.max(painted.used());
        if outcome != Ok(*expected) {
            fail("not the judge's signature")
        }
    }
    let [least, most] =
        [counts.iter().min(), counts.iter().max()].map(|it| it.copied().unwrap_or(0));
    hprintln!(
        "redrawn bits=2048 key={} name=signature-with-new-blinding instructions={} stack={} others={} rest={}",
        number,
        most,
        stack,
        least,
        counts.iter().filter(|count| **count == least).count()
    );
}

/// The steps of a generation that draws the primes of a key at once: all that is done with a prime that stays.
fn keep<const P: usize, const N: usize>(bits: usize, number: usize, case: &Case) {
    let Ok(key) = PrivateKey::<P, N>::from_primes(case.p, case.q, case.modulus) else {
        fail("the key was refused")
    };
    let mut generator = Generator::<P, N>::new();
    let mut noise = Planted::new(number);
    let mut before = Progress::Searching {
        prime: Prime::P,
        candidates: 0,
    };
    let mut next = Some((Prime::P, case.p));
    let (mut depth, mut left, mut assembled) = (0, 0, false);
    while before != Progress::Done {
        noise.planted = next.map(|(_, prime)| prime);
        let painted = paint();
        let started = timer::now();
        let progress = generator.step(&mut noise);
        let instructions = timer::instructions_since(started);
        depth = depth.max(painted.used());
        left += painted.words_of(&key);
        let Ok(progress) = progress else {
            fail("no key")
        };
        let name = match (next, before, progress) {
            (Some((Prime::P, _)), ..) => "sieve-p",
            (Some((Prime::Q, _)), ..) => "sieve-q",
            (_, _, Progress::Done) => "trial",
            (_, Progress::Testing, _) if assembled => "first-blinding",
            (_, Progress::Testing, _) => "assembly",
            (
                _,
                _,
                Progress::Searching {
                    candidates: 1.., ..
                },
            ) => "round",
            (_, _, Progress::Searching { .. }) => "last-round-p",
            _ => "last-round-q",
        };
        hprintln!(
            "kept bits={} key={} name={} instructions={}",
            bits,
            number,
            name,
            instructions
        );
        assembled = name == "assembly";
        next = match progress {
            Progress::Searching {
                prime: Prime::Q,
                candidates: 0,
            } => Some((Prime::Q, case.q)),
            _ => None,
        };
        before = progress;
    }
    let same = generator
        .key()
        .is_some_and(|key| key.modulus(&mut [0; MAX_MODULUS_LEN]) == case.modulus);
    hprintln!(
        "planted bits={} key={} depth={} left={} genuine={}",
        bits,
        number,
        depth,
        left,
        u8::from(same)
    );
}

/// Generates one key, with a random generator that costs next to nothing.
fn generate<const P: usize, const N: usize>(bits: usize, seed: usize) {
    let mut generator = Generator::<P, N>::new();
    let mut noise = Noise::new(seed);
    let (mut instructions, mut longest, mut steps) = (0_u64, 0, 0_u32);
    let mut candidates = [0; 2];
    loop {
        let started = timer::now();
        let progress = generator.step(&mut noise);
        let step = timer::instructions_since(started);
        instructions += step;
        longest = longest.max(step);
        steps += 1;
        match progress {
            Ok(Progress::Searching {
                prime,
                candidates: drawn,
            }) => candidates[usize::from(prime == Prime::Q)] = drawn,
            Ok(Progress::Done) => break,
            Ok(_) => {}
            Err(_) => fail("no key"),
        }
    }
    hprintln!(
        "generated bits={} seed={} instructions={} steps={} longest={} candidates-p={} candidates-q={}",
        bits,
        seed,
        instructions,
        steps,
        longest,
        candidates[0],
        candidates[1]
    );
}

/// One signature, part by part. The parts' own time-keeping is in these numbers.
fn phases<const P: usize, const N: usize>(bits: usize, engine: &mut Engine<P, N>, case: &Case) {
    let Some((digest, _)) = case.signatures.first() else {
        return;
    };
    let mut counts = [("", 0); 4];
    let mut slots = counts.iter_mut();
    let mut started = timer::now();
    let mut out = [0; MAX_MODULUS_LEN];
    let outcome = engine.sign_in_phases(digest, &mut out, &mut |phase| {
        let instructions = timer::instructions_since(started);
        if let Some(slot) = slots.next() {
            *slot = (name(phase), instructions);
        }
        started = timer::now();
    });
    if outcome.is_err() {
        fail("no signature");
    }
    for (name, instructions) in counts {
        hprintln!(
            "phase bits={} name={} instructions={}",
            bits,
            name,
            instructions
        );
    }
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Blinding => "blinding",
        Phase::PrivateOperation => "private-operation",
        Phase::Unblinding => "unblinding",
        Phase::Check => "check",
        _ => "unknown",
    }
}

fn fail(why: &str) -> ! {
    hprintln!("failed: {}", why);
    end(debug::EXIT_FAILURE)
}

/// Ends the emulator.
fn end(status: debug::ExitStatus) -> ! {
    loop {
        debug::exit(status);
    }
}
