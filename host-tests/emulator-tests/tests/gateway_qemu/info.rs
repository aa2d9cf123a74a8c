//! An empty gateway on either board says who it is.

use std::fs;

use object::{Object as _, ObjectSegment as _};
use privyseal_protocol::DeviceState;
use privyseal_test_simulators::emulator::{AN386, Emulator, Machine, STM32F405};
use privyseal_test_simulators::firmware;
use privyseal_test_simulators::gateway::Gateway;
use sha2::{Digest as _, Sha256};

#[test]
fn an_empty_stm32f405_says_so() {
    an_empty_gateway_says_so(STM32F405, *b"QEMU-F405-00");
}

#[test]
fn an_empty_an386_says_so() {
    an_empty_gateway_says_so(AN386, *b"QEMU-AN386-0");
}

fn an_empty_gateway_says_so(machine: Machine, device: [u8; 12]) {
    let emulator = Emulator::gateway(machine);
    let mut gateway = Gateway::new(emulator.connect());
    gateway.info(|info| {
        assert_eq!(info.state, DeviceState::Empty);
        assert_eq!(info.device, device);
        assert_eq!(info.key, None);
        assert_eq!(info.image, hash_of(machine.image), "SHA-256 of the image");
    });
}

/// Of what a programmer writes to the flash: the loaded segments, in the order of their addresses there.
fn hash_of(image: &str) -> [u8; 32] {
    let bytes = fs::read(firmware::image(image)).expect("the image");
    let elf = object::read::elf::ElfFile32::<object::Endianness>::parse(&*bytes).expect("an ELF");
    let mut segments: Vec<_> = elf
        .segments()
        .filter(|segment| segment.file_range().1 > 0)
        .map(|segment| {
            let place = segment.elf_program_header().p_paddr.get(elf.endian());
            (place, segment.data().expect("its bytes"))
        })
        .collect();
    segments.sort_unstable();
    let (start, _) = segments[0];
    let mut flash = Vec::new();
    for (place, data) in segments {
        flash.resize((place - start) as usize, 0);
        flash.extend(data);
    }
    Sha256::digest(&flash).into()
}
