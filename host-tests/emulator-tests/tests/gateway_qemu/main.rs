//! The gateway's images in an emulator: whole, over their serial line.

mod command;
mod counts;
mod faults;
mod generates;
mod info;
mod leftovers;
mod signs;
mod skips;
mod stage;
mod updates;
