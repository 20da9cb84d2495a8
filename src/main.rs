//! The `millstream` command: parse arguments, call, say what went wrong, exit with a code that
//! scripts can rely on.

mod cli;

use std::process::ExitCode;

/// Windows and group tables allocate and free in large steps; mimalloc is measurably faster at
/// that than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
