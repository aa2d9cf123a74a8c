//! The command `privyseal`. All it does is in the library; see `privyseal --help`.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run(std::env::args_os())
}
