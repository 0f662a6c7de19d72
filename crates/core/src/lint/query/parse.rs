//! From words to a tree: PromQL's grammar (promql/parser/generated_parser.y, Prometheus 3.0).

use super::Problem;
use super::expr::{Expr, Grouping, Kind, Matcher, Range, Selector, is_comparison};
use super::token::{Token, Word, span, words};
use crate::lint::tree::Span;

/// Nobody nests deeper; the stack would not bear it.
const DEPTH: u16 = 80;

const AGGREGATIONS: [&str; 16] = [
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "limitk",
    "limit_ratio",
    "any",
    "median",
];

const BINARY: [(&str, u8); 16] = [
    ("or", 1),
    ("and", 2),
    ("unless", 2),
    ("==", 3),
    ("!=", 3),
    (">=", 3),
    ("<=", 3),
    (">", 3),
    ("<", 3),
    ("+", 4),
    ("-", 4),
    ("*", 5),
    ("/", 5),
    ("%", 5),
    ("atan2", 5),
    ("^", 6),
];

/// Reads a query.
pub fn parse(text: &str) -> Result<Expr, Problem> {
    parse_with(text, &mut Vec::new())
}

/// Reads a query, and where its comments stand.
pub(super) fn parse_with(text: &str, comments: &mut Vec<Span>) -> Result<Expr, Problem> {
    let words = words(text, comments)?;
    let mut parser = Parser { text, words: &words, next: 0, depth: 0 };
    let expr = parser.expression(1)?;
    match parser.words.get(parser.next) {
        Some(_) => Err(parser.problem("an operator or the end")),
        None => Ok(expr),
    }
}

struct Parser<'w> {
    text: &'w str,
    words: &'w [Word],
    next: usize,
    depth: u16,
}

impl<'w> Parser<'w> {
    fn problem(&self, expected: &str) -> Problem {
        match self.words.get(self.next) {
            Some(word) => {
                let found = &self.text[word.span.range()];
                Problem::new(word.span, format!("expected {expected}, found `{found}`"))
            }
            None => Problem::new(span(self.text.len(), self.text.len()), format!("expected {expected}, found the end")),
        }
    }

    fn here(&self) -> Span {
        self.words.get(self.next).map_or(span(self.text.len(), self.text.len()), |word| word.span)
    }

    /// Where the last word ends.
    fn end(&self) -> u32 {
        self.next.checked_sub(1).map_or(0, |last| self.words[last].span.end)
    }

    fn since(&self, start: u32) -> Span {
        Span { start, end: self.end().max(start) }
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.words.get(self.next).is_some_and(|word| matches!(word.token, Token::Sign(it) if it == sign))
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is = self.is_sign(sign);
        self.next += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), Problem> {
        if self.takes(sign) { Ok(()) } else { Err(self.problem(&format!("`{sign}`"))) }
    }

    fn name_at(&self, at: usize) -> Option<&'w str> {
        let word = self.words.get(at)?;
        (word.token == Token::Name).then(|| &self.text[word.span.range()])
    }

    /// A name among these is next, whatever its case; it is taken.
    fn takes_name(&mut self, names: &[&'static str]) -> Option<&'static str> {
        let name = self.name_at(self.next)?;
        let found = names.iter().find(|it| it.eq_ignore_ascii_case(name))?;
        self.next += 1;
        Some(found)
    }

    fn operator(&self) -> Option<(&'static str, u8)> {
        let word = self.words.get(self.next)?;
        let text = &self.text[word.span.range()];
        let is_word = matches!(word.token, Token::Name | Token::Sign(_));
        BINARY.iter().copied().find(|(it, _)| is_word && it.eq_ignore_ascii_case(text))
    }

    fn expression(&mut self, least: u8) -> Result<Expr, Problem> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Problem::new(self.here(), "nested too deeply"));
        }
        let mut left = self.signed()?;
        while let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds >= least) {
            self.next += 1;
            if is_comparison(operator) {
                self.takes_name(&["bool"]);
            }
            let matching = self.grouping(&["on", "ignoring"])?;
            if self.takes_name(&["group_left", "group_right"]).is_some() && self.is_sign("(") {
                self.labels()?;
            }
            let right = self.expression(if operator == "^" { binds } else { binds + 1 })?;
            let span = Span { start: left.span.start, end: right.span.end };
            let (left_box, right) = (Box::new(left), Box::new(right));
            left = made(span, Kind::Binary { operator, left: left_box, right, matching })?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expr, Problem> {
        let start = self.here().start;
        if self.takes("-") {
            // -a^b is -(a^b), and -a*b is (-a)*b.
            let inner = Box::new(self.expression(6)?);
            return made(self.since(start), Kind::Negative(inner));
        }
        if self.takes("+") {
            return self.expression(6);
        }
        let it = self.primary()?;
        self.followed(it)
    }

    /// `[5m]`, `[1h:5m]`, `offset 1h` and `@ end()` behind an expression.
    fn followed(&mut self, mut it: Expr) -> Result<Expr, Problem> {
        loop {
            let start = self.here().start;
            if self.takes("[") {
                let (range, is_subquery) = self.range(start)?;
                it = match it.kind {
                    Kind::Selector(selector) if !is_subquery && selector.range.is_none() => {
                        let kind = Kind::Selector(Selector { range: Some(range), ..selector });
                        Expr { moved: it.moved, ..made(self.since(it.span.start), kind)? }
                    }
                    _ => made(self.since(it.span.start), Kind::Subquery(Box::new(it), range))?,
                };
            } else if self.takes_name(&["offset"]).is_some() {
                if !self.takes("-") {
                    self.takes("+");
                }
                self.duration()?;
                (it.moved, it.span.end) = (Some(self.since(start)), self.end());
            } else if self.takes("@") {
                if self.takes_name(&["start", "end"]).is_some() {
                    self.expect("(")?;
                    self.expect(")")?;
                } else {
                    if !self.takes("-") {
                        self.takes("+");
                    }
                    self.duration()?;
                }
                (it.moved, it.span.end) = (Some(self.since(start)), self.end());
            } else if self.takes_name(&["keep_metric_names"]).is_none() {
                return Ok(it);
            }
        }
    }

    /// A duration, a number of seconds or a variable.
    fn duration(&mut self) -> Result<Option<f64>, Problem> {
        let seconds = match self.words.get(self.next).map(|word| &word.token) {
            Some(Token::Duration(seconds) | Token::Number(seconds)) => Some(*seconds),
            Some(Token::Name) if self.name_at(self.next).is_some_and(is_variable) => None,
            _ => return Err(self.problem("a duration")),
        };
        self.next += 1;
        Ok(seconds)
    }

    /// Behind `[`: the range, and whether it is a subquery's.
    fn range(&mut self, start: u32) -> Result<(Range, bool), Problem> {
        let seconds = if self.is_sign(":") { None } else { self.duration()? };
        let is_subquery = self.takes(":");
        if is_subquery && !self.is_sign("]") {
            self.duration()?;
        }
        self.expect("]")?;
        Ok((Range { seconds, span: self.since(start) }, is_subquery))
    }

    fn primary(&mut self) -> Result<Expr, Problem> {
        let Some(word) = self.words.get(self.next) else { return Err(self.problem("an expression")) };
        let start = word.span.start;
        match &word.token {
            Token::Number(value) | Token::Duration(value) => {
                self.next += 1;
                made(word.span, Kind::Number(*value))
            }
            Token::Text(_) => {
                self.next += 1;
                made(word.span, Kind::Text)
            }
            Token::Sign("(") => {
                self.next += 1;
                let inner = self.expression(1)?;
                self.expect(")")?;
                Ok(Expr { span: self.since(start), ..inner })
            }
            Token::Sign("{") => self.selector(start, None),
            Token::Sign(_) => Err(self.problem("an expression")),
            Token::Name => self.named(start, &self.text[word.span.range()]),
        }
    }

    fn named(&mut self, start: u32, name: &'w str) -> Result<Expr, Problem> {
        self.next += 1;
        let lower = name.to_ascii_lowercase();
        let follows = self.name_at(self.next).map(str::to_ascii_lowercase);
        let is_grouped = matches!(follows.as_deref(), Some("by" | "without"));
        if is_grouped || self.is_sign("(") {
            if !is_grouped && !AGGREGATIONS.contains(&lower.as_str()) {
                let arguments = self.arguments()?;
                return made(self.since(start), Kind::Call(lower, arguments));
            }
            let before = self.grouping(&["by", "without"])?;
            let arguments = self.arguments()?;
            let grouping = if before.is_some() { before } else { self.grouping(&["by", "without"])? };
            return made(self.since(start), Kind::Aggregate { operator: lower, grouping, arguments });
        }
        if self.is_sign("{") {
            return self.selector(start, Some(name));
        }
        if matches!(lower.as_str(), "inf" | "nan") {
            let value = if lower == "inf" { f64::INFINITY } else { f64::NAN };
            return made(self.since(start), Kind::Number(value));
        }
        if is_variable(name) && !self.is_sign("[") {
            return made(self.since(start), Kind::Variable);
        }
        self.selector(start, Some(name))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Problem> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.takes(")") {
            arguments.push(self.expression(1)?);
            if !self.takes(",") && !self.is_sign(")") {
                return Err(self.problem("`,` or `)`"));
            }
        }
        Ok(arguments)
    }

    fn grouping(&mut self, words: &[&'static str]) -> Result<Option<Grouping>, Problem> {
        let start = self.here().start;
        let Some(word) = self.takes_name(words) else { return Ok(None) };
        let labels = self.labels()?;
        let open = labels.iter().any(|label| is_variable(label));
        let but = matches!(word, "without" | "ignoring");
        Ok(Some(Grouping { but, labels, open, span: self.since(start) }))
    }

    fn labels(&mut self) -> Result<Vec<String>, Problem> {
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.takes(")") {
            match self.words.get(self.next).map(|word| &word.token) {
                Some(Token::Text(label)) => labels.push(label.clone()),
                Some(Token::Name) => labels.push(self.name_at(self.next).unwrap_or_default().to_owned()),
                _ => return Err(self.problem("a label")),
            }
            self.next += 1;
            if !self.takes(",") && !self.is_sign(")") {
                return Err(self.problem("`,` or `)`"));
            }
        }
        Ok(labels)
    }

    fn selector(&mut self, start: u32, name: Option<&str>) -> Result<Expr, Problem> {
        let metric = name.filter(|name| !is_variable(name)).map(str::to_owned);
        let mut it = Selector { metric, ..Selector::default() };
        if self.takes("{") {
            while !self.takes("}") {
                self.matcher(&mut it)?;
                if !self.takes(",") && !self.is_sign("}") {
                    return Err(self.problem("`,` or `}`"));
                }
            }
        }
        made(self.since(start), Kind::Selector(it))
    }

    fn matcher(&mut self, selector: &mut Selector) -> Result<(), Problem> {
        let label = match self.words.get(self.next).map(|word| &word.token) {
            Some(Token::Text(label)) => label.clone(),
            Some(Token::Name) => self.name_at(self.next).unwrap_or_default().to_owned(),
            _ => return Err(self.problem("a label")),
        };
        let is_quoted = !matches!(self.words[self.next].token, Token::Name);
        self.next += 1;
        let Some(operator) = ["=~", "!~", "!=", "="].into_iter().find(|sign| self.takes(sign)) else {
            if is_quoted {
                // {"metric", label="value"}
                selector.metric = Some(label);
            } else if is_variable(&label) {
                selector.open = true;
            } else {
                return Err(self.problem("`=`, `!=`, `=~` or `!~`"));
            }
            return Ok(());
        };
        let value = match self.words.get(self.next).map(|word| &word.token) {
            Some(Token::Text(value)) => value.clone(),
            Some(Token::Name) if self.name_at(self.next).is_some_and(is_variable) => {
                self.name_at(self.next).unwrap_or_default().to_owned()
            }
            _ => return Err(self.problem("a string")),
        };
        self.next += 1;
        if label == "__name__" && selector.metric.is_none() && operator == "=" && !is_variable(&value) {
            selector.metric = Some(value);
        } else {
            selector.open |= is_variable(&label);
            selector.matchers.push(Matcher { label, operator, value });
        }
        Ok(())
    }
}

fn is_variable(name: &str) -> bool {
    name.contains('$') || name.contains("[[")
}

fn made(span: Span, kind: Kind) -> Result<Expr, Problem> {
    let it = Expr::new(span, kind);
    if it.depth > DEPTH * 2 { Err(Problem::new(span, "nested too deeply")) } else { Ok(it) }
}
