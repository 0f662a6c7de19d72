//! The only module that prints: results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects, Style as Look};
use indicatif::ProgressBar;
use oomph_core::report::{Style, WIDTH};

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Work shorter than this shows no sign of being under way.
const PATIENCE: Duration = Duration::from_millis(500);

/// How to speak to the person or program at the other end.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    color: Color,
    quiet: bool,
    verbose: bool,
}

/// Passes on what a command of the user's wrote on its standard error.
pub fn pass_on(bytes: &[u8]) {
    // Nothing is left to tell anyone when stderr itself is gone; the command must not notice.
    let _ = io::stderr().lock().write_all(bytes);
}

impl Ui {
    /// As the flags say.
    pub fn new(color: Color, quiet: bool, verbose: bool) -> Self {
        Self { color, quiet, verbose }
    }

    /// Only the essential was asked for.
    pub fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Whether something may be drawn on stderr while a command of the user's runs: on a terminal that is not the
    /// command's own stdout.
    pub fn may_draw(self) -> bool {
        !self.quiet && io::stderr().is_terminal() && !io::stdout().is_terminal()
    }

    /// Whether results are to carry colour.
    pub fn style(self) -> Style {
        match self.choice(&io::stdout()) {
            ColorChoice::Never => Style::Plain,
            _ => Style::Ansi,
        }
    }

    /// Columns for results: the terminal's, at most 100.
    pub fn width(self) -> usize {
        // What is no terminal has no size; a terminal that does not know its own says 0.
        match rustix::termios::tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 => WIDTH.min(size.ws_col.into()),
            _ => WIDTH,
        }
    }

    /// A result. A reader that went away (`| head`) is no error.
    pub fn print(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Something that kept the work from being done.
    pub fn error(self, message: impl Display) {
        self.say("error", AnsiColor::Red, message);
    }

    /// Something worth knowing that is no result.
    pub fn note(self, message: impl Display) {
        if !self.quiet {
            self.say("note", AnsiColor::Cyan, message);
        }
    }

    /// What is being done, for `-v`.
    pub fn detail(self, message: impl Display) {
        if self.verbose {
            self.say("reading", AnsiColor::Cyan, message);
        }
    }

    /// Whether somebody is there to answer a question.
    pub fn can_ask(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question; anything but yes is no.
    pub fn agrees(self, question: &str) -> io::Result<bool> {
        write!(io::stderr().lock(), "{question} [y/N] ")?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Runs `work`; on a terminal a spinner says what is waited for, once it takes longer than half a second.
    pub async fn waiting<T>(self, what: &'static str, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        if self.quiet || !io::stderr().is_terminal() {
            return work.await;
        }
        let spinner = ProgressBar::new_spinner().with_message(what);
        spinner.enable_steady_tick(Duration::from_millis(100));
        let done = work.await;
        spinner.finish_and_clear();
        done
    }

    fn say(self, word: &str, color: AnsiColor, message: impl Display) {
        let stderr = io::stderr();
        let choice = self.choice(&stderr);
        let mut stream = AutoStream::new(stderr.lock(), choice);
        let look = Look::new().fg_color(Some(color.into())).effects(Effects::BOLD);
        // Nothing is left to tell anyone when stderr itself is gone.
        let _ = writeln!(stream, "{look}{word}:{look:#} {message}");
    }

    fn choice(self, stream: &impl anstream::stream::RawStream) -> ColorChoice {
        match self.color {
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
            Color::Auto => AutoStream::choice(stream),
        }
    }
}
