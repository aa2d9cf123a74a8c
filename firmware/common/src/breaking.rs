//! A program that breaks in whichever way the line says, so that tests can see where that ends. Never flashed.
//!
//! It echoes what it gets. A letter first puts a known text into statics and on the stack, as a key would be
//! there, says `armed`, and on the next byte breaks: `p` panics, `b` reads where nothing is, `i` is an illegal
//! instruction, `s` lets the stack grow without end.
#![expect(unsafe_code, reason = "breaks what safe code cannot")]

use core::arch::asm;
use core::hint::black_box;
use core::ptr;
use core::sync::atomic::{AtomicU8, Ordering};

use embedded_io::{Read, Write};

/// What stands for a key.
const SECRET: &[u8; 16] = b"PRIVYSEAL-SECRET";

static KEPT: [AtomicU8; 16] = [const { AtomicU8::new(0) }; 16];

/// The program, on a serial line.
pub fn run<S: Read + Write>(serial: &mut S) -> ! {
    say(serial, b"ready\n");
    loop {
        match next(serial) {
            kind @ (b'p' | b'b' | b'i' | b's') => deep(serial, kind),
            other => say(serial, &[other]),
        }
    }
}

/// Further down than the start of a program comes, which would overwrite it by chance.
#[inline(never)]
fn deep<S: Read + Write>(serial: &mut S, kind: u8) {
    let room = black_box([0_u8; 8 * 1024]);
    armed(serial, kind);
    black_box(&room);
}

/// Keeps the secret, waits for a byte, breaks.
#[inline(never)]
fn armed<S: Read + Write>(serial: &mut S, kind: u8) {
    let mut secret = [0; 16];
    for ((byte, kept), value) in secret.iter_mut().zip(&KEPT).zip(SECRET) {
        *byte = black_box(*value);
        kept.store(*value, Ordering::Relaxed);
    }
    black_box(&mut secret);
    black_box(&KEPT);
    say(serial, b"armed\n");
    next(serial);
    match kind {
        b'p' => panic!("as asked"),
        // SAFETY: none: nothing is there, which is the point.
        b'b' => unsafe {
            black_box(ptr::read_volatile(
                black_box(0xc000_0000_usize) as *const u32
            ));
        },
        b's' => {
            black_box(deeper(0));
        }
        // SAFETY: none, again.
        _ => unsafe { asm!("udf #0", options(noreturn)) },
    }
    black_box(&secret);
    say(serial, b"nothing broke\n");
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
#[inline(never)]
fn deeper(depth: u32) -> u32 {
    let frame = black_box([depth; 64]);
    deeper(depth.wrapping_add(1)).wrapping_add(frame.iter().fold(0, |a, b| a ^ b))
}

fn next<S: Read>(serial: &mut S) -> u8 {
    let mut byte = [0];
    let _ = serial.read(&mut byte);
    let [byte] = byte;
    byte
}

fn say<S: Write>(serial: &mut S, text: &[u8]) {
    let _ = serial.write_all(text);
}
