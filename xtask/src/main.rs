//! `cargo xtask`: the project's own tasks.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xtask::{accuracy, dist, fuzz, generate, test};

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
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
    /// Write static binaries' archives, checksums, a krew manifest and an OCI image
    Dist {
        /// Build for this target, such as aarch64-unknown-linux-gnu (repeatable; this machine's when none is named)
        #[arg(long = "target")]
        targets: Vec<String>,
        /// Where the archives will lie, for the krew manifest
        #[arg(long)]
        uri: Option<String>,
        /// The image's name, with the registry that will serve it
        #[arg(long, default_value = oomph::IMAGE)]
        image: String,
        /// The folder to write
        #[arg(long, default_value = "target/dist")]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Test { bare } => test::run(bare),
        Task::Gen => generate::write(),
        Task::Accuracy => accuracy::write(),
        Task::Fuzz { minutes, targets } => fuzz::run(minutes, &targets),
        Task::Dist { targets, uri, image, out } => dist::run(&targets, uri.as_deref(), &image, &out),
    }
}
