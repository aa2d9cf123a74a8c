//! Arm's MPS2 board with a Cortex-M4F (AN386), as QEMU has it: a serial line and a timer, nothing else. It is
//! there because QEMU can count its instructions exactly; nobody flashes it.
#![no_std]
#![expect(unsafe_code, reason = "the board's registers are plain addresses")]

use core::convert::Infallible;
use core::ptr;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType as PinErrorType, InputPin, OutputPin};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use privyseal_firmware_app::Board;
use privyseal_firmware_common::ram_flash::{self, Storage};
use privyseal_firmware_common::{image, region, stack};
use privyseal_protocol::{DeviceId, ReadOut};
// Only for its feature: the assembly kernels.
use privyseal_firmware_rsa as _;
use rand_core::{TryCryptoRng, TryRng};

mod guard;
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
        for byte in bytes {
            while state() & TRANSMITTER_FULL != 0 {}
            // SAFETY: as above.
            unsafe { ptr::write_volatile(data, u32::from(*byte)) };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A pin that is not there.
#[derive(Debug)]
pub struct NoPin;

impl PinErrorType for NoPin {
    type Error = Infallible;
}

impl OutputPin for NoPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl InputPin for NoPin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(true)
    }
}

/// Waits by the board's timer.
#[derive(Debug)]
pub struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        let started = timer::now();
        while timer::ticks_since(started) < ns / timer::NS_PER_TICK {}
    }
}

/// A generator that is not there.
#[derive(Debug)]
pub struct NoGenerator;

impl TryRng for NoGenerator {
    type Error = core::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(core::fmt::Error)
    }
}

impl TryCryptoRng for NoGenerator {}

/// The board, with the serial line or, to count, something else in its place.
#[derive(Debug)]
pub struct An386<S> {
    serial: S,
    pin: NoPin,
    delay: Delay,
    provision: Storage,
    journal: Storage,
    clock: timer::Clock,
    image_hash: [u8; 32],
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
        guard::up();
        let (provision, journal) = ram_flash::take();
        Self {
            serial,
            pin: NoPin,
            delay: Delay,
            provision,
            journal,
            clock: timer::Clock::default(),
            image_hash: image::hash(),
        }
    }

    /// The line.
    pub fn line(&mut self) -> &mut S {
        &mut self.serial
    }
}

impl<S: Read + ReadReady + Write + Fed> Board for An386<S> {
    type Led = NoPin;
    type Button = NoPin;
    type Delay = Delay;
    type Serial = S;
    type Provision = Storage;
    type Mapped = &'static [u8];
    type Journal = Storage;
    type Entropy = NoGenerator;

    fn led(&mut self) -> &mut NoPin {
        &mut self.pin
    }

    fn button(&mut self) -> Option<&mut NoPin> {
        None
    }

    fn delay(&mut self) -> &mut Delay {
        &mut self.delay
    }

    fn serial(&mut self) -> &mut S {
        &mut self.serial
    }

    fn provision(&mut self) -> &mut Storage {
        &mut self.provision
    }

    fn mapped(&self, offset: u32, len: u32) -> Option<&'static [u8]> {
        region::mapped(offset, len)
    }

    fn journal(&mut self) -> &mut Storage {
        &mut self.journal
    }

    fn entropy(&mut self) -> Option<&mut NoGenerator> {
        None
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

    fn device_id(&self) -> DeviceId {
        *b"QEMU-AN386-0"
    }

    fn read_out(&self) -> Option<ReadOut> {
        None
    }

    fn image_hash(&self) -> [u8; 32] {
        self.image_hash
    }
}

/// Nothing to show, nobody to wake.
#[unsafe(no_mangle)]
extern "C" fn board_latched() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
