//! Manifests that another program writes: what Helm and Kustomize make of their templates.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use oomph_core::lint::Source;

use crate::cli::Global;
use crate::ui::Ui;

/// How long a program may take: a chart or a base may have to be fetched first.
const PATIENCE: Duration = Duration::from_mins(2);

/// What stands above each piece that Helm renders (helm.sh/helm/v4, pkg/cmd/template.go, v4.3.1).
const HELM_SOURCE: &str = "# Source: ";

#[derive(Debug, Args)]
pub(super) struct Rendered {
    /// Lint what Helm renders of this chart: a folder, an archive, or what else helm template takes
    #[arg(long, value_name = "CHART")]
    helm: Option<OsString>,
    /// A file of values for the chart, as Helm's --values; may be given several times
    #[arg(long, value_name = "FILE", requires = "helm")]
    helm_values: Vec<PathBuf>,
    /// Lint what Kustomize builds of this folder, with kustomize or kubectl kustomize
    #[arg(long, value_name = "DIR")]
    kustomize: Option<OsString>,
}

/// What a program rendered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The name and the text.
    pub(super) source: (String, String),
    /// The folder whose settings hold for it.
    pub(super) folder: PathBuf,
}

impl Rendered {
    /// Nothing is to be rendered.
    pub(super) fn is_empty(&self) -> bool {
        self.helm.is_none() && self.kustomize.is_none()
    }

    /// The folders whose settings hold for what is rendered.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        self.helm.iter().chain(&self.kustomize).map(|of| folder(of)).collect()
    }

    /// Runs the programs. An error where one is missing, fails or does not come to an end.
    pub(super) fn read(&self, global: &Global, ui: Ui) -> Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        if let Some(chart) = &self.helm {
            let output = self.helm(chart, global, ui)?;
            let name = format!("helm template {}", chart.display());
            let split = by_template(&name, &output).into_iter();
            pieces.extend(split.map(|source| Piece { source, folder: folder(chart) }));
        }
        if let Some(of) = &self.kustomize {
            let output = kustomize(of, ui)?;
            let source = (format!("kustomize build {}", of.display()), output);
            pieces.push(Piece { source, folder: folder(of) });
        }
        Ok(pieces)
    }

    fn helm(&self, chart: &OsStr, global: &Global, ui: Ui) -> Result<String> {
        let mut call = Call::new("helm", &["template"]);
        for file in &self.helm_values {
            call = call.word("--values").word(file);
        }
        if let Some(namespace) = &global.namespace {
            call = call.word("--namespace").word(namespace);
        }
        // A chart's name is never a flag.
        let call = call.word("--").word(chart);
        call.output(ui, PATIENCE)?.with_context(|| {
            format!(
                "cannot render {}: there is no helm in PATH to run `{}`; install Helm (https://helm.sh), or render the \
                 chart elsewhere: helm template {} | oomph lint -",
                chart.display(),
                call.shown(),
                chart.display()
            )
        })
    }
}

/// With what is there of the two programs.
fn kustomize(of: &OsStr, ui: Ui) -> Result<String> {
    let calls = [Call::new("kustomize", &["build", "--"]), Call::new("kubectl", &["kustomize", "--"])];
    for call in calls.map(|call| call.word(of)) {
        if let Some(output) = call.output(ui, PATIENCE)? {
            return Ok(output);
        }
    }
    let shown = of.display();
    bail!(
        "cannot build {shown}: there is neither kustomize nor kubectl in PATH to run `kustomize build {shown}` or \
         `kubectl kustomize {shown}`; install one of them, or build it elsewhere: kustomize build {shown} | oomph lint -"
    );
}

/// The folder itself, or the one above a file; the working directory for what is no file here.
fn folder(of: &OsStr) -> PathBuf {
    let path = Path::new(of);
    match path.parent() {
        _ if path.is_dir() => path.to_path_buf(),
        Some(parent) if path.is_file() && !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Helm's output by template, in the order of their first pieces. Lines are counted in what came of the template: of one
/// that makes one object they are those of `helm template CHART --show-only TEMPLATE`.
fn by_template(name: &str, output: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut current = None;
    let mut lines = output.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if line.trim_end() == "---" {
            let next = lines.peek().and_then(|next| next.strip_prefix(HELM_SOURCE));
            if let Some(template) = next.map(str::trim) {
                current = Some(place(&mut all, template));
            }
        }
        let at = *current.get_or_insert_with(|| place(&mut all, name));
        all[at].1.push_str(line);
    }
    all
}

fn place(all: &mut Vec<(String, String)>, name: &str) -> usize {
    all.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        all.push((name.to_owned(), String::new()));
        all.len() - 1
    })
}

/// A program and its words. No shell comes between.
#[derive(Debug)]
struct Call {
    program: &'static str,
    words: Vec<OsString>,
}

impl Call {
    fn new(program: &'static str, words: &[&str]) -> Self {
        Self { program, words: words.iter().map(OsString::from).collect() }
    }

    fn word(mut self, word: impl Into<OsString>) -> Self {
        self.words.push(word.into());
        self
    }

    /// As one would type it.
    fn shown(&self) -> String {
        let words = self.words.iter().filter(|word| *word != "--").map(|word| word.display().to_string());
        std::iter::once(self.program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// What it prints; nothing where there is no such program.
    fn output(&self, ui: Ui, patience: Duration) -> Result<Option<String>> {
        let shown = self.shown();
        ui.detail(format_args!("the output of {shown}"));
        let mut command = Command::new(self.program);
        command.args(&self.words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot run `{shown}`")),
        };
        let Ended { status, out, errors } = wait(child, patience).with_context(|| format!("cannot run `{shown}`"))?;
        let errors = String::from_utf8_lossy(&errors);
        let Some(status) = status else {
            bail!(
                "`{shown}` did not end within {patience:?} and was stopped; run it by hand to see what it waits for, \
                 and give oomph its output: {shown} | oomph lint -{}",
                behind(&errors)
            );
        };
        if !status.success() {
            bail!("`{shown}` failed ({status}); make it succeed by itself first{}", behind(&errors));
        }
        errors.lines().for_each(|line| ui.detail(format_args!("{}: {line}", self.program)));
        Ok(Some(String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())))
    }
}

/// The program's own words, as the end of a message.
fn behind(errors: &str) -> String {
    let errors = errors.trim();
    if errors.is_empty() { "; it said nothing".to_owned() } else { format!("; it said:\n{errors}") }
}

/// How a program ended and what it wrote; no status where it had to be stopped.
struct Ended {
    status: Option<ExitStatus>,
    out: Vec<u8>,
    errors: Vec<u8>,
}

/// Waits for a program, and stops one that takes longer than it may.
fn wait(mut child: Child, patience: Duration) -> std::io::Result<Ended> {
    let until = Instant::now() + patience;
    let (out, errors) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let left = || until.saturating_duration_since(Instant::now());
    let out = out.recv_timeout(left());
    let mut status = None;
    // What has closed its output ends soon.
    while out.is_ok() && status.is_none() && !left().is_zero() {
        status = child.try_wait()?;
        if status.is_none() {
            thread::sleep(Duration::from_millis(2));
        }
    }
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    // A child of its own may hold the pipe open; its words are not waited for.
    let errors = errors.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    Ok(Ended { status, out: out.unwrap_or_default(), errors })
}

/// Reads a pipe to its end beside everything else, so that neither of two can fill up.
fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is kept.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        // Nobody may be waiting any more.
        let _ = send.send(bytes);
    });
    receive
}

impl Piece {
    /// As lint takes it.
    pub(super) fn into_source(self) -> Source {
        Source { name: self.source.0, text: self.source.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Color;

    #[test]
    fn every_template_has_a_source_of_its_own() {
        let output = "---\n# Source: shop/templates/a.yaml\na: |\n  ---\n  # Source: no\n---\n# Source: \
                      shop/charts/db/templates/b.yaml\nb: 1\n---\n# Source: shop/templates/a.yaml\nc: 2\n";
        let split = by_template("helm", output);
        let names: Vec<&str> = split.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["shop/templates/a.yaml", "shop/charts/db/templates/b.yaml"]);
        assert!(split[0].1.ends_with("# Source: no\n---\n# Source: shop/templates/a.yaml\nc: 2\n"), "{split:?}");
        assert_eq!(by_template("helm", "a: 1\n"), [("helm".to_owned(), "a: 1\n".to_owned())]);
        assert_eq!(by_template("helm", ""), []);
    }

    #[test]
    fn a_program_that_hangs_is_stopped_and_one_that_fails_is_quoted() {
        let ui = Ui::new(Color::Never, true, false);
        let run = |script: &str, patience| Call::new("sh", &["-c", script]).output(ui, patience);
        let began = Instant::now();
        let error = run("echo waits >&2; exec sleep 60", Duration::from_millis(300)).unwrap_err().to_string();
        assert!(error.contains("did not end within 300ms") && error.contains("waits"), "{error}");
        let error = run("exec >&-; exec sleep 60", Duration::from_millis(300)).unwrap_err().to_string();
        assert!(error.contains("did not end") && began.elapsed() < Duration::from_secs(20), "{error}");
        let error = run("echo no such chart >&2; exit 3", PATIENCE).unwrap_err().to_string();
        assert!(error.contains("no such chart") && error.contains("exit status: 3"), "{error}");
        // More than a pipe holds, on both.
        let much = run("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero", PATIENCE).unwrap().unwrap();
        assert_eq!(much.len(), 300_000);
        assert_eq!(Call::new("oomph-no-such-program", &[]).output(ui, PATIENCE).unwrap(), None);
    }
}
