//! The command `privyseal` and a gateway: provisioned, asked, read out and wiped as a person does it, over a
//! socket and over a serial port; and a gateway that lies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fleet;
mod flows;
mod liars;
mod life;
mod own;
mod proxy;
mod refused;
mod serial;
mod server;
mod stage;
mod unlock;
