//! The commands: each is its arguments and a `run` that returns how the process is to exit.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::ui::{Color, Ui};

mod completions;
mod explain;
mod follow;
mod inspect;
mod lint;
mod question;
mod run;
mod schema;
mod since;
mod size;
mod why;

/// Explains a container killed for memory, with proof.
#[derive(Debug, Parser)]
#[command(name = "oomph", version, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands, named as in kubectl.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Form of the result
    #[arg(
        short = 'o',
        long = "output",
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORM",
        hide_possible_values = true,
        help = "Form of the result: text, json, yaml or markdown; of size also patch, kustomize or vpa"
    )]
    form: Form,
    /// The same, where it is one that every command has.
    #[arg(skip)]
    output: Output,
    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = true)]
    color: Color,
    /// Say only the essential
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say on stderr what is read
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Kubeconfig file
    #[arg(long, global = true, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// Namespace
    #[arg(short, long, global = true, value_name = "NAME")]
    namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, global = true, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Only pods with these labels
    #[arg(short = 'l', long, global = true, value_name = "LABELS")]
    selector: Option<String>,
    /// Only this container
    #[arg(short, long, global = true, value_name = "NAME")]
    container: Option<String>,
}

/// Forms of a result that every command has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// The same as YAML.
    Yaml,
    /// For a ticket.
    Markdown,
}

/// All forms of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// The same as YAML.
    Yaml,
    /// For a ticket.
    #[value(alias = "md")]
    Markdown,
    /// Commands of kubectl, of `size` alone.
    Patch,
    /// A kustomization, of `size` alone.
    Kustomize,
    /// Objects of the vertical pod autoscaler, of `size` alone.
    Vpa,
}

impl Form {
    /// The form as one that every command has; none where it is not.
    fn of_all(self) -> Option<Output> {
        match self {
            Self::Text => Some(Output::Text),
            Self::Json => Some(Output::Json),
            Self::Yaml => Some(Output::Yaml),
            Self::Markdown => Some(Output::Markdown),
            Self::Patch | Self::Kustomize | Self::Vpa => None,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say why a container died
    Why(why::Why),
    /// Say where the memory of a container went
    Inspect(inspect::Inspect),
    /// Run a command under a memory limit and say what became of it
    Run(run::Run),
    /// Say what request, limit and flags a memory history asks for
    Size(Box<size::Size>),
    /// Find what will be killed for memory before it ships
    Lint(lint::Lint),
    /// Say what a verdict, a part of the memory, a class of growth or a rule of lint means
    Explain(explain::Explain),
    /// Print the completions of a shell
    Completions(completions::Completions),
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Man(completions::Man),
    /// Print the JSON Schema of a document
    #[command(hide = true)]
    Schema(schema::Schema),
}

/// How the process exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Nothing needs action.
    Nothing,
    /// Something was found.
    Found,
    /// The work could not be done.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Nothing => Self::SUCCESS,
            Exit::Found => Self::from(1),
            Exit::Failed => Self::from(2),
        }
    }
}

/// Runs a command line, the program's own name first.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let name = program(arguments.first().map(Path::new));
    let parsed = command(name).try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let Cli { mut global, command } = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors: clap prints them on stdout and gives 0, and 2 for bad usage.
            let _ = error.print();
            return match error.exit_code() {
                0 => ExitCode::SUCCESS,
                _ => match of_run(name, arguments) {
                    // 2 may be the code of a command that ran.
                    Some(output) => {
                        let because = error.to_string();
                        let because = because.lines().next().unwrap_or_default().trim_start_matches("error: ");
                        run::misused(because.to_owned(), output, Ui::new(Color::default(), false, false));
                        run::FAILED.into()
                    }
                    None => Exit::Failed.into(),
                },
            };
        }
    };
    let ui = Ui::new(global.color, global.quiet, global.verbose);
    match global.form.of_all() {
        Some(output) => global.output = output,
        None if matches!(command, Command::Size(_)) => {}
        None => {
            ui.error("this form is one of oomph size alone; use -o text, json, yaml or markdown");
            return if matches!(command, Command::Run(_)) { run::FAILED.into() } else { Exit::Failed.into() };
        }
    }
    let exit = match command {
        Command::Size(arguments) => arguments.run(&global, ui),
        Command::Run(arguments) => return arguments.run(&global, ui),
        Command::Why(arguments) => arguments.run(&global, ui),
        Command::Inspect(arguments) => arguments.run(&global, ui),
        Command::Lint(arguments) => arguments.run(&global, ui),
        Command::Explain(arguments) => arguments.run(global.output, ui),
        Command::Completions(arguments) => arguments.run(ui),
        Command::Man(arguments) => arguments.run(),
        Command::Schema(arguments) => arguments.run(ui),
    };
    match exit {
        Ok(exit) => exit.into(),
        Err(error) => {
            ui.error(format_args!("{error:#}"));
            Exit::Failed.into()
        }
    }
}

/// What runs a command's conversations with clusters and engines. Connections are served beside the thread that reads what
/// comes of them.
fn event_loop() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().context("cannot start the network's event loop")
}

/// The form that a command line of `run` asks for which could not be understood; none of other commands'.
fn of_run(name: &'static str, arguments: &[OsString]) -> Option<Output> {
    // Behind a value that is none nothing is understood any more.
    let any = |arg: clap::Arg| arg.value_parser(clap::value_parser!(OsString));
    let lenient = command(name).mut_subcommand("run", |run| run.mut_arg("memory", any).mut_arg("swap", any));
    let matches = lenient.ignore_errors(true).try_get_matches_from(arguments).ok()?;
    let matches = matches.subcommand_matches("run")?;
    let form = matches.try_get_one::<Form>("form").ok().flatten().copied();
    Some(form.and_then(Form::of_all).unwrap_or_default())
}

/// What people type to get here: kubectl runs `kubectl-oomph` as `kubectl oomph`.
fn program(path: Option<&Path>) -> &'static str {
    let name = path.and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or("");
    if name.starts_with("kubectl-") { "kubectl oomph" } else { "oomph" }
}

/// The whole command line, with its help speaking of `name`.
pub fn command(name: &'static str) -> clap::Command {
    let examples = move |text: &str| format!("Examples:\n{}", text.replace("  oomph ", &format!("  {name} ")));
    Cli::command()
        .bin_name(name)
        .arg_required_else_help(true)
        .after_help(examples(EXAMPLES))
        .mut_subcommand("why", |why| why.after_help(examples(why::EXAMPLES)))
        .mut_subcommand("inspect", |inspect| inspect.after_help(examples(inspect::EXAMPLES)))
        .mut_subcommand("run", |run| run.after_help(examples(run::EXAMPLES)))
        .mut_subcommand("size", |size| size.after_help(examples(size::EXAMPLES)))
        .mut_subcommand("lint", |lint| lint.after_help(examples(lint::EXAMPLES)))
        .mut_subcommand("explain", |explain| explain.after_help(examples(explain::EXAMPLES)))
        .mut_subcommand("completions", |shell| shell.after_help(examples(completions::EXAMPLES)))
}

const EXAMPLES: &str = "  \
  oomph why                        every death in the current namespace
  oomph why checkout-7d9f-x2k4b    one pod
  oomph why -f pods.json dmesg     from files, without a cluster
  oomph lint deploy/               manifests, before they ship
  oomph explain node-oom           what a verdict means";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command("oomph").debug_assert();
    }

    #[test]
    fn a_mistake_in_a_command_line_of_run_is_told_from_one_of_others() {
        let of = |line: &str| of_run("oomph", &line.split(' ').map(OsString::from).collect::<Vec<_>>());
        let text = Some(Output::Text);
        assert_eq!(
            ["run -m 50Mi --bogus -- true", "-n run run -m 0 -- true"].map(|it| of(&format!("oomph {it}"))),
            [text; 2]
        );
        assert_eq!(["why --bogus", "-n run why --bogus"].map(|it| of(&format!("oomph {it}"))), [None; 2]);
        assert_eq!(of("oomph"), None);
        for line in ["run -o json -m 5x -- true", "run -m 5x -o json -- true", "-o json run --bogus -- true"] {
            assert_eq!(of(&format!("oomph {line}")), Some(Output::Json), "{line}");
        }
    }

    #[test]
    fn a_mistyped_option_of_run_is_no_command() {
        let parsed = |line: &str| command("oomph").try_get_matches_from(line.split(' ')).is_ok();
        assert!(!parsed("oomph run -m 50Mi --bogus -- true"));
        assert!(
            parsed("oomph run -m 50Mi ls -la --bogus")
                && parsed("oomph run -- --bogus")
                && parsed("oomph run -- a -m x")
        );
    }

    #[test]
    fn a_plugin_of_kubectl_says_so() {
        assert_eq!(program(Some(Path::new("/usr/local/bin/kubectl-oomph"))), "kubectl oomph");
        assert_eq!(program(Some(Path::new("oomph"))), "oomph");
        assert_eq!(program(None), "oomph");
        let help = command("kubectl oomph").render_long_help().to_string();
        assert!(help.contains("Usage: kubectl oomph"), "{help}");
        assert!(help.contains("  kubectl oomph why "), "{help}");
    }
}
