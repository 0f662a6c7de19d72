//! The command `oomph`; under the name `kubectl-oomph` the plugin `kubectl oomph`.

use std::process::ExitCode;

fn main() -> ExitCode {
    oomph::cli::main(&std::env::args_os().collect::<Vec<_>>())
}
