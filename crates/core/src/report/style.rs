//! Colour, as a thin layer: the words say everything, the marks only help the eye.

/// Whether a text carries colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Words only.
    #[default]
    Plain,
    /// With ANSI escape sequences (ECMA-48 SGR, the eight basic colours, so that the reader's palette decides).
    Ansi,
}

/// What a stretch of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Ordinary words.
    Body,
    /// The verdict where memory ended something.
    Alarm,
    /// The verdict where something else did.
    Notice,
    /// The verdict where all is well.
    Well,
    /// A section's name.
    Heading,
    /// Origins, labels and quotes.
    Quiet,
    /// Something to type.
    Command,
}

impl Mark {
    const fn codes(self) -> &'static str {
        match self {
            Self::Body => "",
            Self::Alarm => "1;31",
            Self::Notice => "1;33",
            Self::Well => "1;32",
            Self::Heading => "1",
            Self::Quiet => "2",
            Self::Command => "36",
        }
    }
}

impl Style {
    /// Appends `text`, marked.
    pub(super) fn push(self, out: &mut String, mark: Mark, text: &str) {
        let codes = mark.codes();
        if self == Self::Plain || codes.is_empty() || text.is_empty() {
            out.push_str(text);
        } else {
            out.push_str("\x1b[");
            out.push_str(codes);
            out.push('m');
            out.push_str(text);
            out.push_str("\x1b[0m");
        }
    }
}
