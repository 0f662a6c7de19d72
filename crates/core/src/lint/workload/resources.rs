//! Requests and limits, with their places.

use super::At;
use crate::lint::finding::Place;
use crate::units::{Bytes, Quantity};

/// `resources` of a container or of a pod.
#[derive(Debug, Clone, Copy, Default)]
pub struct Resources<'a> {
    /// The mapping, where there is one.
    pub node: Option<At<'a>>,
    /// `requests.memory`.
    pub memory_request: Option<Amount<'a>>,
    /// `limits.memory`.
    pub memory_limit: Option<Amount<'a>>,
    /// `requests.cpu`.
    pub cpu_request: Option<Amount<'a>>,
    /// `limits.cpu`.
    pub cpu_limit: Option<Amount<'a>>,
}

/// A quantity as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Amount<'a> {
    /// The value.
    pub node: At<'a>,
    /// Its text.
    pub text: &'a str,
    /// What it means, where it means something.
    pub quantity: Option<Quantity>,
}

/// Less than this is no amount of memory that anybody means: 1 KiB.
const LEAST: Bytes = Bytes::kib(1);

impl<'a> Amount<'a> {
    pub(crate) fn read(node: At<'a>) -> Self {
        // `{{ .Values.memory }}` reads as a mapping: it will be an amount once it is rendered.
        let text = node.text().unwrap_or_else(|| node.source());
        Self { node, text, quantity: text.parse().ok() }
    }

    /// None of a null.
    pub(crate) fn given(node: At<'a>) -> Option<Self> {
        (node.text().is_some() || node.is_mapping()).then(|| Self::read(node))
    }

    /// Bytes, where the amount can be meant: not a slip of the unit, not unreadable, not zero (which the API takes for
    /// nothing said).
    pub fn bytes(&self) -> Option<Bytes> {
        self.quantity.map(Quantity::bytes).filter(|bytes| *bytes >= LEAST)
    }

    /// It says nothing: zero.
    pub fn is_zero(&self) -> bool {
        self.quantity.is_some_and(Quantity::is_zero)
    }

    /// A number that is less than a kibibyte, and not zero.
    pub fn is_tiny(&self) -> bool {
        self.quantity.is_some_and(|quantity| !quantity.is_zero() && quantity.bytes() < LEAST)
    }

    /// Where its text stands, inside of its quotes.
    pub(in crate::lint) fn place(&self) -> Place {
        let mut place = Place::from(self.node);
        if let Some(at) = self.node.source().find(self.text) {
            place.span.start += u32::try_from(at).unwrap_or_default();
            place.span.end = place.span.start + u32::try_from(self.text.len()).unwrap_or_default();
        }
        place
    }

    /// Letters behind the number.
    pub fn suffix(&self) -> &'a str {
        self.text.trim_start_matches(|c: char| !c.is_ascii_alphabetic())
    }

    /// The number before the letters.
    pub fn number(&self) -> &'a str {
        &self.text[..self.text.len() - self.suffix().len()]
    }
}

impl<'a> Resources<'a> {
    pub(crate) fn read(node: Option<At<'a>>) -> Self {
        let of = |list: &str, name: &str| {
            let value = node?.get(list)?.get(name)?;
            Amount::given(value)
        };
        Self {
            node,
            memory_request: of("requests", "memory"),
            memory_limit: of("limits", "memory"),
            cpu_request: of("requests", "cpu"),
            cpu_limit: of("limits", "cpu"),
        }
    }

    /// With what others say of the fields that it does not give.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            node: self.node.or(other.node),
            memory_request: self.memory_request.or(other.memory_request),
            memory_limit: self.memory_limit.or(other.memory_limit),
            cpu_request: self.cpu_request.or(other.cpu_request),
            cpu_limit: self.cpu_limit.or(other.cpu_limit),
        }
    }

    /// The value of `limits` or `requests`.
    pub fn list(&self, name: &str) -> Option<At<'a>> {
        self.node?.get(name)
    }
}

/// Bytes of an amount that may not be given.
pub fn as_bytes(amount: Option<Amount<'_>>) -> Option<Bytes> {
    amount.and_then(|amount| amount.bytes())
}
