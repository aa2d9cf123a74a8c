//! The gateway's images in an emulator: whole, over their serial line.

mod faults;
mod info;
