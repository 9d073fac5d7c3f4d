//! The command `prx`; see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    prx::main(std::env::args_os())
}
