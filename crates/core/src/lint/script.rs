//! A script of the command line taken apart as a shell would: words, the commands that begin with one, and comments.

/// A word of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<'a> {
    /// Without quotes around it.
    pub text: &'a str,
    /// A command of the script begins with it.
    pub begins: bool,
    /// What its command writes goes into a file.
    pub to_file: bool,
}

/// Words of a command or a script.
pub(super) fn words(script: &str) -> impl Iterator<Item = Written<'_>> {
    let mut goes_on = false;
    code(script).flat_map(|line| line.split(';')).flat_map(move |command| {
        let begins = !std::mem::replace(&mut goes_on, command.trim_end().ends_with('\\'));
        let to_file = writes_file(command);
        let words = plain(command).filter(|word| *word != "\\").enumerate();
        words.map(move |(index, text)| Written { text, begins: begins && index == 0, to_file })
    })
}

/// Words of a text that no shell reads, without quotes around them.
pub(super) fn plain(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split([';', ' ', '\n', '\t', '\r']).map(|word| word.trim().trim_matches(['"', '\'', '`']));
    words.filter(|word| !word.is_empty())
}

/// Its lines without comments: from a `#` that begins a word outside of quotes to the end of the line (POSIX shell,
/// "Token Recognition").
fn code(script: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    script.split('\n').map(move |line| {
        let (mut escaped, mut begins) = (false, true);
        for (at, it) in line.char_indices() {
            match quote {
                _ if escaped => escaped = false,
                _ if it == '\\' && quote != Some('\'') => escaped = true,
                Some(open) if open == it => quote = None,
                None if it == '#' && begins => return &line[..at],
                None if it == '"' || it == '\'' => quote = Some(it),
                _ => {}
            }
            begins = it.is_whitespace() || ";&|()".contains(it);
        }
        line
    })
}

/// `> jvm.options`, not `2>&1` and `>/dev/null`.
fn writes_file(command: &str) -> bool {
    let behind = command.split('>').skip(1).map(str::trim_start);
    behind.into_iter().any(|to| !to.is_empty() && !to.starts_with(['&', '=']) && !to.starts_with("/dev/"))
}

/// Commands whose words are said to somebody: `echo use -Xmx4g` gives nothing a flag.
pub(super) fn only_says(command: &str) -> bool {
    matches!(command.rsplit('/').next(), Some("echo" | "printf"))
}

/// A shell, with or without a path.
pub(super) fn is_shell(word: &str) -> bool {
    ["sh", "bash", "ash", "dash", "ksh", "mksh", "zsh"].contains(&word.rsplit('/').next().unwrap_or(""))
}

/// `NAME=value` of a script, which sets a variable for what follows; of an array the first word.
pub(super) fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value = value.trim_start_matches(['"', '\'', '(']).trim_end_matches(['"', '\'']);
    // `$(nproc)` keeps its own.
    let value = if value.contains('(') { value } else { value.trim_end_matches(')') };
    (is_name && !name.is_empty() && !value.is_empty()).then_some((name, value))
}

/// A value that a script sets and that is known; of a flag it is known which it is.
pub(super) fn is_known(value: &str) -> bool {
    !value.contains(['$', '`']) || value.starts_with('-')
}

/// Words behind which a command stands.
const LEADS: [&str; 30] = [
    "exec",
    "&&",
    "||",
    "|",
    "&",
    "-c",
    "-ec",
    "-ce",
    "-lc",
    "-exc",
    "-euc",
    "--",
    "then",
    "do",
    "else",
    "nohup",
    "time",
    "nice",
    "sudo",
    "env",
    "tini",
    "/sbin/tini",
    "dumb-init",
    "/usr/bin/dumb-init",
    "-m",
    "run",
    "run-program",
    "ddtrace-run",
    "opentelemetry-instrument",
    "(",
];

/// The end of the names of images' start scripts, which end in `exec "$@"`.
const SCRIPT: &str = "entrypoint.sh";

/// A start script of an image: what it hands to the command behind it nobody knows here.
pub(super) fn is_start_script(word: &str) -> bool {
    word.ends_with(SCRIPT)
}

/// A command stands behind these words: `exec`, `A=1`, `gosu redis`.
pub(super) fn leads(last: &str, before: &str) -> bool {
    let is_user = ["gosu", "su-exec", "setpriv"].iter().any(|name| before.ends_with(name));
    let name = last.rsplit('/').next().unwrap_or(last);
    LEADS.contains(&last)
        || is_start_script(last)
        || name == "busybox"
        || is_user
        || (last.contains('=') && !last.starts_with('-'))
}
