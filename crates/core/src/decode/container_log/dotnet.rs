//! .NET's last words when nothing is left to make an exception of (coreclr/vm/eepolicy.cpp, 8.0).

/// How a frame of its traces begins.
pub(super) const FRAME: &str = "   at ";

/// `Out of memory.`, which others write too, with the first frame of a trace below.
pub(super) fn is_fatal(text: &str, next: &str) -> bool {
    text.trim() == "Out of memory." && next.starts_with(FRAME)
}
