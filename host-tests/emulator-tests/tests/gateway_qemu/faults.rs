//! Whatever goes wrong in the program ends in silence, with nothing left in RAM.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use privyseal_test_simulators::emulator::{AN386, Emulator, Machine, STM32F405, expect, is_silent};

/// What the image keeps in a static and on its stack, as a key would be there.
const SECRET: &[u8] = b"PRIVYSEAL-SECRET";

#[test]
fn every_fault_of_an_stm32f405_ends_latched_and_wiped() {
    every_fault_ends_latched_and_wiped(STM32F405, "stm32f405-faults");
}

#[test]
fn every_fault_of_an_an386_ends_latched_and_wiped() {
    every_fault_ends_latched_and_wiped(AN386, "mps2-an386-faults");
}

/// A panic, a bus fault, an illegal instruction, and a stack that grows out of the RAM.
fn every_fault_ends_latched_and_wiped(machine: Machine, image: &str) {
    for (kind, name) in [
        (b'p', "panic"),
        (b'b', "bus fault"),
        (b'i', "illegal instruction"),
        (b's', "stack overflow"),
    ] {
        let mut emulator = Emulator::stopped(machine, image);
        let mut line = emulator.connect();
        emulator = emulator.running();
        expect(&mut line, b"ready\n");
        line.write_all(b"echo").expect("the line");
        expect(&mut line, b"echo");
        line.write_all(&[kind]).expect("the line");
        expect(&mut line, b"armed\n");
        assert_eq!(secrets(&mut emulator), 2, "{name}: before");
        line.write_all(b"!").expect("the line");
        let end = Instant::now() + Duration::from_secs(10);
        while secrets(&mut emulator) > 0 {
            assert!(Instant::now() < end, "{name}: the secret stays");
            thread::sleep(Duration::from_millis(20));
        }
        line.write_all(b"hello").expect("the line");
        assert!(is_silent(&mut line, Duration::from_millis(300)), "{name}");
    }
}

/// A reset leaves RAM as it is, and a program that then starts differently would never come by what it left there:
/// so all of the stack is wiped before anything else.
#[test]
fn a_reset_leaves_nothing_on_the_stack() {
    let emulator = Emulator::stopped(STM32F405, "stm32f405-faults");
    let mut line = emulator.connect();
    let mut emulator = emulator.running();
    expect(&mut line, b"ready\n");
    line.write_all(b"p").expect("the line");
    expect(&mut line, b"armed\n");
    assert_eq!(secrets(&mut emulator), 2, "before");
    emulator.reset();
    expect(&mut line, b"ready\n");
    assert_eq!(secrets(&mut emulator), 0, "after");
}

/// What is flashed must not take an emulator for its hardware: it finds no number of its part there.
#[test]
fn an_image_for_the_part_latches_in_the_emulator() {
    let emulator = Emulator::stopped(STM32F405, "stm32f405");
    let mut line = emulator.connect();
    let _emulator = emulator.running();
    line.write_all(b"\0\0hello\0").expect("the line");
    assert!(is_silent(&mut line, Duration::from_millis(500)));
}

fn secrets(emulator: &mut Emulator) -> usize {
    let memory = emulator.memory();
    let windows = memory.windows(SECRET.len());
    windows.filter(|window| *window == SECRET).count()
}
