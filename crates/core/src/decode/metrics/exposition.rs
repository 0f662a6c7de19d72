//! Prometheus' text exposition, a line at a time
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::borrow::Cow;

use jiff::Timestamp;

/// `name{label="value",...} value timestamp`.
#[derive(Debug, PartialEq)]
pub(super) struct Sample<'a> {
    pub(super) labels: Vec<(&'a str, Cow<'a, str>)>,
    pub(super) value: f64,
    /// In milliseconds where it is written.
    pub(super) at: Option<Timestamp>,
}

impl Sample<'_> {
    /// The value as a count or an amount of bytes. NaN and negative values are none.
    pub(super) fn whole(&self) -> Option<u64> {
        // Every amount of memory below 8 PiB is exact in a double.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
        (0.0..1.8e19).contains(&self.value).then_some(self.value as u64)
    }
}

/// A sample; none where the line is not whole.
pub(super) fn sample(line: &str) -> Option<Sample<'_>> {
    let line = line.trim();
    let end = line.find(['{', ' ', '\t'])?;
    let (mut labels, mut rest) = (Vec::new(), &line[end..]);
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            rest = rest.trim_start_matches([' ', ',']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (name, after) = rest.split_once('=')?;
            let (value, after) = quoted(after.trim_start())?;
            labels.push((name.trim(), value));
            rest = after;
        }
    }
    let mut words = rest.split_ascii_whitespace();
    let value = words.next()?.parse().ok()?;
    let at = words.next().and_then(|text| text.parse().ok()).and_then(|at| Timestamp::from_millisecond(at).ok());
    Some(Sample { labels, value, at })
}

/// A quoted value without its escapes (`\\`, `\"`, `\n`), and what follows it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let text = text.strip_prefix('"')?;
    let end = text.find(['"', '\\'])?;
    if text.as_bytes()[end] == b'"' {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let mut value = String::from(&text[..end]);
    let mut chars = text[end..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Cow::Owned(value), &text[end + at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_lose_their_escapes() {
        let sample = sample(r#"m{a="x\\y\"z\n", b="",} 1.5e+3 1795644000500"#).unwrap();
        assert_eq!(sample.labels, [("a", Cow::from("x\\y\"z\n")), ("b", Cow::from(""))]);
        assert_eq!((sample.whole(), sample.at), (Some(1500), "2026-11-25T22:00:00.5Z".parse().ok()));
    }

    #[test]
    fn what_is_not_whole_or_no_count_is_none() {
        for text in ["", "m", "m{a=\"x", "m{a=\"x\"", "m{a=\"x\"}", "m x", "m{a} 1"] {
            assert_eq!(sample(text), None, "{text}");
        }
        for text in ["m NaN", "m -1", "m +Inf"] {
            assert_eq!(sample(text).unwrap().whole(), None, "{text}");
        }
        assert_eq!(sample("m 3").unwrap().at, None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "m(\\{|a=|\"|\\\\|,|\\}| |1|é|=){0,16}") {
            let _ = sample(&text);
        }
    }
}
