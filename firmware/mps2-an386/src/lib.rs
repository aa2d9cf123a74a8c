//! Arm's MPS2 board with a Cortex-M4F (AN386), as QEMU has it: a serial line and a timer, nothing else. It is
//! there because QEMU can count its instructions exactly; nobody flashes it.
#![no_std]
#![expect(unsafe_code, reason = "the board's registers are plain addresses")]

use core::convert::Infallible;
use core::ptr;

use cortex_m::peripheral::SCB;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use privyseal_firmware_app::Board;
use privyseal_firmware_app::first_stage::Staging;
use privyseal_firmware_common::latch::counted;
use privyseal_firmware_common::ram_flash::{self, Storage};
use privyseal_firmware_common::{image, mpu, stack};
use privyseal_protocol::{DeviceId, ReadOut};

pub mod paint;
pub mod slots;
pub mod timer;

/// The CMSDK's UART0: data, state, control, and the divider of its clock.
const UART: [*mut u32; 4] = [
    0x4000_4000 as *mut u32,
    0x4000_4004 as *mut u32,
    0x4000_4008 as *mut u32,
    0x4000_4010 as *mut u32,
];
const TRANSMITTER_FULL: u32 = 1;
const RECEIVER_FULL: u32 = 2;
/// Transmitter and receiver on.
const BOTH_ON: u32 = 3;
/// 25 MHz / 217 = 115,207 baud.
const DIVIDER: u32 = 217;

/// 512 KiB below the RAM, more than any frame: QEMU answers there with zeros, and a stack that grows too far would go on.
const BELOW_THE_STACK: (u32, u32) = (0x1ff8_0000, 19);

/// 4 MiB in which the RAM is a second time.
const RAM_AGAIN: (u32, u32) = (0x2040_0000, 22);

/// The serial line: polled, which is enough where the emulator holds back what is not read.
#[derive(Debug)]
pub struct Serial(());

/// What wants to know when the watchdog is fed (there is none on this board), and when the stack is wiped.
pub trait Fed {
    /// It is fed.
    fn fed(&mut self) {}

    /// All of the stack below the caller is to be wiped.
    fn wipe_stack(&mut self) {
        stack::wipe();
    }
}

impl Fed for Serial {}

impl Serial {
    /// Starts it.
    #[expect(clippy::new_without_default, reason = "it starts hardware")]
    pub fn new() -> Self {
        let [_, _, control, divider] = UART;
        // SAFETY: registers of this board, 32 bits wide.
        unsafe {
            ptr::write_volatile(divider, DIVIDER);
            ptr::write_volatile(control, BOTH_ON);
        }
        Self(())
    }
}

/// The UART's.
fn state() -> u32 {
    let [_, state, ..] = UART;
    // SAFETY: as above.
    unsafe { ptr::read_volatile(state) }
}

impl ErrorType for Serial {
    type Error = Infallible;
}

impl ReadReady for Serial {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(state() & RECEIVER_FULL != 0)
    }
}

impl Read for Serial {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = buffer.first_mut() else {
            return Ok(0);
        };
        while state() & RECEIVER_FULL == 0 {}
        let [data, ..] = UART;
        // SAFETY: as above.
        let [byte, ..] = unsafe { ptr::read_volatile(data) }.to_le_bytes();
        *first = byte;
        Ok(1)
    }
}

impl Write for Serial {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let [data, ..] = UART;
        for byte in counted(bytes) {
            while state() & TRANSMITTER_FULL != 0 {}
            // SAFETY: as above.
            unsafe { ptr::write_volatile(data, u32::from(byte)) };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The board, with the serial line or, to count, something else in its place.
#[derive(Debug)]
pub struct An386<S> {
    serial: S,
    provision: Storage,
    secrets: Storage,
    journal: Storage,
    clock: timer::Clock,
    image_hash: [u8; 32],
    /// If a first stage has started this program.
    staging: Option<Staging<Storage>>,
}

impl An386<Serial> {
    /// The gateway's board.
    pub fn start() -> Self {
        timer::start();
        Self::with(Serial::new())
    }
}

impl<S: Read + ReadReady + Write + Fed> An386<S> {
    /// The board with another line. The timer must run.
    pub fn with(serial: S) -> Self {
        mpu::guard(&[BELOW_THE_STACK, RAM_AGAIN, mpu::BIT_BAND]);
        let [provision, secrets, journal] = ram_flash::take();
        Self {
            serial,
            provision,
            secrets,
            journal,
            clock: timer::Clock::default(),
            image_hash: image::hash(),
            staging: cfg!(feature = "slot").then(slots::staging),
        }
    }

    /// The line.
    pub fn line(&mut self) -> &mut S {
        &mut self.serial
    }
}

impl<S: Read + ReadReady + Write + Fed> Board for An386<S> {
    type Serial = S;
    privyseal_firmware_common::pieces_of_flash! { Storage }

    fn serial(&mut self) -> &mut S {
        &mut self.serial
    }

    fn millis(&mut self) -> u64 {
        self.clock.millis()
    }

    fn feed_watchdog(&mut self) {
        self.serial.fed();
    }

    fn wipe_stack(&mut self) {
        self.serial.wipe_stack();
    }

    fn staging(&mut self) -> Option<&mut Staging<Storage>> {
        self.staging.as_mut()
    }

    fn restart(&mut self) {
        SCB::sys_reset()
    }

    fn device_id(&self) -> DeviceId {
        *b"QEMU-AN386-0"
    }

    fn read_out(&self) -> Option<ReadOut> {
        None
    }
}

/// Nothing to show, nobody to wake; with the emulator's console, that is its end.
#[unsafe(no_mangle)]
extern "C" fn board_latched() -> ! {
    #[cfg(feature = "rsa")]
    cortex_m_semihosting::debug::exit(cortex_m_semihosting::debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}
