//! The gateway in an emulator, for trying it out by hand.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::image;
use crate::failure::{Failure, fail};
use crate::paths;
use crate::process::{Run, quoted};

/// Which board, and where its line goes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// stm32f405 (QEMU's netduinoplus2) or mps2-an386
    #[arg(long, default_value = "stm32f405")]
    board: String,
    /// The unix socket of its serial line
    #[arg(long, value_name = "PATH", default_value = "target/gateway.sock")]
    socket: PathBuf,
    /// Ends after this time, if not before by Ctrl-C
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
}

/// Builds the image and runs it until it is stopped.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let Some((machine, image)) = image::emulated(&options.board) else {
        return fail!("no board {}: stm32f405 or mps2-an386", options.board);
    };
    image::build(|name| name == image.name)?;
    let socket = paths::root().join(&options.socket);
    if UnixStream::connect(&socket).is_ok() {
        return fail!(
            "{} belongs to another emulator: end that one, or name another socket with --socket",
            socket.display()
        );
    }
    // Ends with this process, however that ends.
    let emulator = Run::new("setpriv")
        .words("--pdeathsig TERM qemu-system-arm")
        .args(["-machine", machine])
        .words("-nographic -monitor none -serial")
        .arg(format!("unix:{},server,nowait", socket.display()))
        .arg("-kernel")
        .arg(image.path())
        .limit(Duration::from_secs(options.seconds));
    let shown = quoted(&options.socket.to_string_lossy());
    println!("$ {}", emulator.shown());
    println!("in another terminal:  privyseal device info --device device:unix:{shown}");
    println!("its state lives as long as it runs; Ctrl-C ends it");
    emulator.stream()
}
