//! Counts the instructions of RSA signatures on a Cortex-M4F, in QEMU. Start it with
//! `cargo xtask firmware rsa`, which makes the keys, runs it and judges what it prints.
//!
//! QEMU with `-icount shift=7` makes each instruction 128 ns of the board's time, and the board's timer
//! ticks every 40 ns: the count is exact. One line per measurement, as `name word=value ...`.
#![no_std]
#![no_main]

mod cases;
mod noise;
mod stack;
mod timer;

use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::{debug, hprintln};
use privyseal_firmware_rsa::{Engine, MAX_MODULUS_LEN, Phase, PrivateKey};

use crate::cases::Case;
use crate::noise::Noise;

/// Comparisons of the assembly with the portable kernels: each of random numbers and of edges.
#[cfg(feature = "umaal")]
const ROUNDS: u32 = 50;

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
        let mut out = [0; MAX_MODULUS_LEN];
        let painted = stack::paint();
        let started = timer::now();
        let outcome = engine.sign(digest, &mut noise, &mut out);
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
    phases(bits, &mut engine, case);
    let painted = stack::paint();
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

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    fail("panic")
}

#[exception]
#[allow(unsafe_code, reason = "how cortex-m-rt has handlers declared")]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    fail("hard fault")
}
