//! Which comments anybody asks for. A text is parsed a tenth faster where the parser does not have to tell them.

use memchr::memmem::{find, find_iter};

use super::lines::index;
use super::{Comment, Span};

/// How a comment begins that names the template which Helm made a document from.
pub const ORIGIN: &str = "# Source: ";

/// What stands in a comment that suppresses findings.
pub const SUPPRESSION: &str = "oomph:";

/// The comments that name templates, where no other one means anything. `None` where the parser has to tell: what looks
/// like such a comment may stand in a scalar, but not at the beginning of a line.
pub(super) fn origins(text: &str) -> Option<Vec<Comment>> {
    let bytes = text.as_bytes();
    if find(bytes, SUPPRESSION.as_bytes()).is_some() {
        return None;
    }
    let comment = |start: usize| {
        let begins_line = start == 0 || bytes[start - 1] == b'\n';
        let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
        let span = Span { start: index(start), end: index(start + line.len()) };
        begins_line.then_some(Comment { span, alone: true })
    };
    find_iter(bytes, ORIGIN.as_bytes()).map(comment).collect()
}
