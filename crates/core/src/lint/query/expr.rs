//! A query as a tree: what the rules on queries look at.

use crate::lint::tree::Span;

/// A PromQL expression. Parentheses are no node: they belong to what they enclose.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// Where it stands in the query.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
    /// It looks at another time (`offset`, `@`).
    pub moved: Option<Span>,
    /// How many nodes lie below each other in it.
    pub(super) depth: u16,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A number.
    Number(f64),
    /// A string.
    Text,
    /// A variable of Grafana that may stand for anything.
    Variable,
    /// Series by name and labels.
    Selector(Selector),
    /// `inner[range:step]`.
    Subquery(Box<Expr>, Range),
    /// `function(arguments)`.
    Call(String, Vec<Expr>),
    /// `operator by (labels) (arguments)`.
    Aggregate {
        /// In lower case.
        operator: String,
        /// `by` or `without`.
        grouping: Option<Grouping>,
        /// The parameter, where there is one, and the expression.
        arguments: Vec<Expr>,
    },
    /// `left operator right`.
    Binary {
        /// In lower case.
        operator: &'static str,
        /// Left.
        left: Box<Expr>,
        /// Right.
        right: Box<Expr>,
        /// `on` or `ignoring`.
        matching: Option<Grouping>,
    },
    /// `-inner`.
    Negative(Box<Expr>),
}

/// A stretch of time in brackets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Its length; none where a variable gives it.
    pub seconds: Option<f64>,
    /// With its brackets.
    pub span: Span,
}

/// Series by name and labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selector {
    /// The metric; none where a variable or a pattern gives it.
    pub metric: Option<String>,
    /// What labels have to be.
    pub matchers: Vec<Matcher>,
    /// A variable stands among the matchers.
    pub open: bool,
    /// `[5m]`.
    pub range: Option<Range>,
}

/// What a label has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// The label.
    pub label: String,
    /// `=`, `!=`, `=~`, `!~`.
    pub operator: &'static str,
    /// The value or pattern.
    pub value: String,
}

/// Labels behind `by`, `on`, `without` or `ignoring`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// `without` or `ignoring`: all labels but these.
    pub but: bool,
    /// The labels.
    pub labels: Vec<String>,
    /// A variable stands among them.
    pub open: bool,
    /// From the word to the closing parenthesis.
    pub span: Span,
}

impl Grouping {
    /// It tells apart by this label; none where a variable decides.
    pub fn keeps(&self, label: &str) -> Option<bool> {
        if self.labels.iter().any(|it| it == label) {
            return Some(!self.but);
        }
        (!self.open).then_some(self.but)
    }

    /// By none of these labels, for certain.
    pub fn drops_all(&self, labels: &[&str]) -> bool {
        labels.iter().all(|label| self.keeps(label) == Some(false))
    }
}

impl Matcher {
    /// A variable of Grafana stands in the value.
    pub fn is_variable(&self) -> bool {
        self.value.contains('$') || self.value.contains("[[")
    }

    /// A series without this label passes. Prometheus anchors patterns (promql/parser, 3.0).
    pub fn admits_absent(&self) -> bool {
        match self.operator {
            "=" => self.value.is_empty(),
            "!=" => !self.value.is_empty(),
            "=~" => matches!(self.value.as_str(), "" | ".*" | "^.*$"),
            _ => !self.value.split('|').any(|it| matches!(it, "" | "^$" | ".*")),
        }
    }

    /// One value passes, or a variable decides.
    fn is_one(&self) -> bool {
        match self.operator {
            "=" => !self.value.is_empty(),
            "=~" => {
                self.is_variable()
                    || !self.value.is_empty()
                        && !self.value.contains(['.', '*', '+', '|', '[', '(', '?', '\\', '^', '$', '{'])
            }
            _ => false,
        }
    }
}

impl Selector {
    /// The matchers of a label.
    pub fn of<'s>(&'s self, label: &'s str) -> impl Iterator<Item = &'s Matcher> {
        self.matchers.iter().filter(move |it| it.label == label)
    }

    /// The label has one value in all of its series, or may have: a variable decides.
    pub fn pins(&self, label: &str) -> bool {
        self.open || self.of(label).any(Matcher::is_one)
    }

    /// Its metric has this name.
    pub fn is(&self, metric: &str) -> bool {
        self.metric.as_deref() == Some(metric)
    }
}

impl Expr {
    pub(super) fn new(span: Span, kind: Kind) -> Self {
        let mut it = Self { span, kind, moved: None, depth: 0 };
        it.depth = it.children().map(|child| child.depth).max().map_or(0, |depth| depth.saturating_add(1));
        it
    }

    /// What it is made of.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &Expr> {
        let (some, more): (&[Expr], [Option<&Expr>; 2]) = match &self.kind {
            Kind::Call(_, arguments) | Kind::Aggregate { arguments, .. } => (arguments, [None, None]),
            Kind::Binary { left, right, .. } => (&[], [Some(left), Some(right)]),
            Kind::Subquery(inner, _) | Kind::Negative(inner) => (&[], [Some(inner), None]),
            Kind::Number(_) | Kind::Text | Kind::Variable | Kind::Selector(_) => (&[], [None, None]),
        };
        some.iter().chain(more.into_iter().flatten())
    }

    /// Itself and everything below, in the order of the text.
    pub fn all(&self) -> Vec<&Expr> {
        let (mut all, mut open) = (Vec::new(), vec![self]);
        while let Some(it) = open.pop() {
            all.push(it);
            open.extend(it.children().rev());
        }
        all
    }

    /// Every selector below.
    pub fn selectors(&self) -> impl Iterator<Item = (&Expr, &Selector)> {
        self.all().into_iter().filter_map(|it| match &it.kind {
            Kind::Selector(selector) => Some((it, selector)),
            _ => None,
        })
    }

    /// It is a number, or made of numbers.
    pub fn is_scalar(&self) -> bool {
        match &self.kind {
            Kind::Number(_) | Kind::Variable => true,
            Kind::Call(function, arguments) => {
                matches!(function.as_str(), "time" | "scalar" | "pi") && arguments.len() < 2
            }
            Kind::Binary { left, right, .. } => left.is_scalar() && right.is_scalar(),
            Kind::Negative(inner) => inner.is_scalar(),
            _ => false,
        }
    }

    /// What its values are made of: not what `and` and `unless` only choose by.
    pub fn sources(&self) -> Vec<&Expr> {
        let (mut all, mut open) = (Vec::new(), vec![self]);
        while let Some(it) = open.pop() {
            match &it.kind {
                Kind::Selector(_) => all.push(it),
                Kind::Binary { operator: "and" | "unless", left, .. } => open.push(left),
                _ => open.extend(it.children().rev()),
            }
        }
        all
    }

    /// The aggregation that gives it its labels, behind arithmetic with numbers and functions of one vector.
    pub fn aggregation(&self) -> Option<(&Expr, &str, Option<&Grouping>)> {
        let mut it = self;
        loop {
            it = match &it.kind {
                Kind::Aggregate { operator, grouping, .. } => return Some((it, operator, grouping.as_ref())),
                Kind::Binary { operator: "and" | "unless", left, .. } => left,
                Kind::Binary { left, right, .. } if right.is_scalar() => left,
                Kind::Binary { left, right, .. } if left.is_scalar() => right,
                Kind::Negative(inner) => inner,
                Kind::Call(function, arguments) if !function.starts_with("label_") => {
                    arguments.iter().find(|it| !it.is_scalar())?
                }
                _ => return None,
            }
        }
    }
}

/// `>`, `<` and their like.
pub fn is_comparison(operator: &str) -> bool {
    matches!(operator, "==" | "!=" | ">" | "<" | ">=" | "<=")
}
