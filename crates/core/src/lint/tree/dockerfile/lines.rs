//! Instructions of a Dockerfile: lines joined where one goes on, comments and here-documents left out.

use super::Span;

/// An instruction, with where each of its bytes stands.
#[derive(Debug, Default)]
pub(super) struct Instruction {
    /// Its text, on one line.
    pub text: String,
    /// The place of every byte of it.
    offsets: Vec<u32>,
    /// The character that escapes: a backslash, unless the file says otherwise.
    pub escape: char,
}

impl Instruction {
    fn append(&mut self, part: &str, at: u32) {
        self.text.push_str(part);
        self.offsets.extend((at..).take(part.len()));
    }

    /// Where a stretch of its text stands in the file.
    pub(super) fn span(&self, from: usize, to: usize) -> Span {
        let last = self.offsets.last().map_or(0, |last| last + 1);
        let start = self.offsets.get(from).copied().unwrap_or(last);
        let end = to.checked_sub(1).and_then(|at| self.offsets.get(at)).map_or(start, |end| end + 1);
        Span { start, end: end.max(start) }
    }

    /// Its first word, and where what follows begins.
    pub(super) fn keyword(&self) -> (&str, usize) {
        let end = self.text.find(char::is_whitespace).unwrap_or(self.text.len());
        let rest = &self.text[end..];
        (&self.text[..end], end + rest.len() - rest.trim_start().len())
    }
}

/// The instructions of a file, and its comments.
pub(super) fn read(text: &str) -> (Vec<Instruction>, Vec<Span>) {
    let (mut instructions, mut comments) = (Vec::new(), Vec::new());
    let escape = escape(text);
    let mut open: Option<Instruction> = None;
    let mut documents: Vec<HereDocument> = Vec::new();
    let mut at = 0_u32;
    for line in text.split_inclusive('\n') {
        let start = at;
        at = at.saturating_add(super::super::lines::index(line.len()));
        let content = line.trim_end_matches(['\n', '\r']);
        if let Some(end) = documents.first() {
            let last = if end.tabs { content.trim_start_matches('\t') } else { content };
            if last == end.word {
                documents.remove(0);
            }
            continue;
        }
        let bare = content.trim_start_matches(['\u{feff}', ' ', '\t']);
        let indent = super::super::lines::index(content.len() - bare.len());
        if bare.is_empty() {
            continue;
        }
        if bare.starts_with('#') {
            let end = super::super::lines::index(content.len());
            comments.push(Span { start: start + indent, end: start + end });
            continue;
        }
        let is_first = open.is_none();
        let it = open.get_or_insert_with(|| Instruction { escape, ..Instruction::default() });
        let (part, from) = if is_first { (bare, start + indent) } else { (content, start) };
        let body = part.trim_end();
        if let Some(before) = body.strip_suffix(escape).filter(|before| !before.ends_with(escape)) {
            it.append(before, from);
        } else {
            it.append(body, from);
            documents = here_documents(it);
            instructions.extend(open.take());
        }
    }
    instructions.extend(open);
    (instructions, comments)
}

/// `# escape=` among the directives, which stand before everything else.
fn escape(text: &str) -> char {
    let directives = text.trim_start_matches('\u{feff}').lines().map_while(|line| {
        let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
        let name = name.trim();
        (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some((name, value.trim()))
    });
    let mut given = directives.filter(|(name, _)| name.eq_ignore_ascii_case("escape"));
    given.next().and_then(|(_, value)| value.chars().next()).filter(|it| *it == '`').unwrap_or('\\')
}

/// What ends a here-document.
struct HereDocument {
    word: String,
    /// Tabs may stand before it: it began with `<<-`.
    tabs: bool,
}

/// The words that end the here-documents of an instruction: `RUN <<EOF`, `COPY <<-"A" <<B /`.
fn here_documents(it: &Instruction) -> Vec<HereDocument> {
    let (keyword, from) = it.keyword();
    if !["run", "copy", "add"].iter().any(|known| keyword.eq_ignore_ascii_case(known)) {
        return Vec::new();
    }
    let words = it.text[from..].split_whitespace().filter_map(|word| {
        // A descriptor may stand before it: `3<<EOF`.
        let rest = word.trim_start_matches(|it: char| it.is_ascii_digit()).strip_prefix("<<")?;
        let (word, tabs) = rest.strip_prefix('-').map_or((rest, false), |word| (word, true));
        let word = word.trim_matches(['"', '\'']);
        let is_word = !word.is_empty() && !word.starts_with('<');
        is_word.then(|| HereDocument { word: word.to_owned(), tabs })
    });
    words.collect()
}
