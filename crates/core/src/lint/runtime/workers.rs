//! Servers that multiply themselves: how many workers, and where that is said.

use crate::budget::workers::fitting;
use crate::lint::finding::{Finding, Level, Place};
use crate::lint::program::{Program, Set};
use crate::lint::subject::Subject;
use crate::units::Bytes;

/// What a worker of a small Python service has for itself: assumed.
pub(crate) const PYTHON_WORKER: Bytes = Bytes::mib(80);

/// A number of workers, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workers {
    pub count: u64,
    pub place: Place,
}

impl Workers {
    /// The finding on so many of a server, each of which is taken to have so much for itself, where they do not fit.
    pub(crate) fn judge<'a>(self, subject: &Subject<'_, 'a>, server: &str, each: Bytes) -> Option<Finding<'a>> {
        let limit = subject.limit()?;
        let fitting = fitting(limit.bytes, each, Bytes(0), Bytes(0));
        if self.count < 2 || self.count <= fitting {
            return None;
        }
        let share = Bytes(limit.bytes.0 / self.count);
        let need = Bytes(each.0.saturating_mul(self.count));
        Some(
            Finding::new(
                Level::Info,
                self.place,
                format!("{} workers of {server} share the limit of {}: {share} each", self.count, limit.bytes),
            )
            .label("every worker has its own copy of what the application allocates")
            .related(limit.place, limit.says())
            .note(format!("budget: {} workers x {each} = {need} of {}", self.count, limit.bytes))
            .assume(format!("{each} a worker"))
            .help(format!("{} of that size fit; `oomph inspect` shows what a worker has for itself", fitting.max(1))),
        )
    }
}

/// From the last of these flags on the command line (`-w 4`, `-w4`, `--workers=4`), else from the first of these
/// variables that is set.
pub(crate) fn workers(program: &Program<'_>, flags: &[&str], variables: &[&str]) -> Option<Workers> {
    let words = &program.words;
    let by_flag = words.iter().enumerate().rev().find_map(|(index, word)| {
        let rest = flags.iter().find_map(|flag| word.text.strip_prefix(flag))?;
        let next = words.get(index + 1);
        let (text, place) = match rest {
            "" => (&*next?.text, next?.place),
            rest => (rest.strip_prefix('=').unwrap_or(rest), word.place),
        };
        Some(Workers { count: text.parse().ok()?, place })
    });
    by_flag.or_else(|| {
        variables.iter().find_map(|name| {
            let set: &Set<'_> = program.variable(name)?;
            Some(Workers { count: set.text()?.trim().parse().ok()?, place: set.node.into() })
        })
    })
}
