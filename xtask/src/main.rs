//! `cargo xtask`: the project's own tasks.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{accuracy, fuzz, generate, test};

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    #[command(flatten)]
    Any(Any),
}

#[derive(Subcommand)]
enum Any {
    /// Set up what the tests need, and run them all
    Test {
        /// Do not start or install components: run what runs without them
        #[arg(long)]
        bare: bool,
    },
    /// Write the generated files: reference, schema, the README's verdict
    Gen,
    /// Measure how exact the probes are with every runtime at hand, and write docs/reference/accuracy.md
    Accuracy,
    /// Run every fuzz target for so many minutes each (needs nightly and cargo-fuzz)
    Fuzz {
        /// Minutes per target
        #[arg(default_value_t = 10)]
        minutes: u64,
        /// Only these targets
        targets: Vec<String>,
    },
}

fn main() -> ExitCode {
    let Task::Any(task) = Task::parse();
    match run(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Any) -> Result<()> {
    match task {
        Any::Test { bare } => test::run(bare),
        Any::Gen => generate::write(),
        Any::Accuracy => accuracy::write(),
        Any::Fuzz { minutes, targets } => fuzz::run(minutes, &targets),
    }
}
