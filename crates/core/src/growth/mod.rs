//! How memory grew: the class of a history of samples, and what it rests on.

mod classify;
mod deploys;
mod floors;
mod history;
mod lives;
mod onset;
mod run;
mod shape;
mod trend;

pub use history::{of_history, of_replicas};
pub use run::of_run;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnosis::Confidence;

macro_rules! classes {
    ($($variant:ident $id:literal $title:literal)*) => {
        /// How a container's memory behaves over time.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Class {
            $(#[doc = $title] #[serde(rename = $id)] $variant,)*
        }

        impl Class {
            /// All classes.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its id: `limit-too-low`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// Its page, in markdown.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("pages/", $id, ".md"))),* }
            }
        }
    };
}

classes! {
    Leak "leak" "Grows without end: more memory only delays the kill."
    LimitTooLow "limit-too-low" "Stable, and close to its limit."
    Spike "spike" "Short peaks far above what is usual."
    Sawtooth "sawtooth" "Rises and falls again and again."
    StartUpPeak "start-up-peak" "The most was needed while starting."
    WarmUp "warm-up" "Grows towards a level, ever more slowly."
    Step "step" "One level, then another."
    Cache "cache" "Page cache or tmpfs, not the program's own memory."
    Steady "steady" "Stable."
    TooLittleData "too-little-data" "Too short or too sparse to tell."
}

/// What grows, as far as the columns of a history tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Growing {
    /// The runtime's heap.
    Heap,
    /// What is charged beside the runtime's heap: native memory, or an allocator that keeps what was freed.
    Gap,
    /// Anonymous memory; whether it is a runtime's heap is not known.
    Anon,
    /// Page cache or tmpfs.
    Cache,
    /// One replica of several, [`Judgement::replica`]; the others do not grow.
    Replica,
}

/// How fast the floor of the memory rises: bytes a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Slope {
    /// The median of the slopes between all pairs of floors (Theil and Sen).
    pub per_day: i64,
    /// The lower end of its 95 % interval.
    pub low: i64,
    /// The upper end of its 95 % interval.
    pub high: i64,
}

/// A class and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The class.
    pub class: Class,
    /// The sentence that says why, with its numbers.
    pub because: String,
    /// Likely where the history is long and says it plainly; possible where it is short, noisy, or could be read
    /// otherwise as well.
    pub confidence: Confidence,
    /// What grows.
    pub growing: Option<Growing>,
    /// Which replica the judgement is about, where others are judged otherwise.
    pub replica: Option<String>,
    /// The limit cut the history off: what it would have used without is not known.
    pub censored: bool,
    /// How fast it grows, where it does.
    pub slope: Option<Slope>,
    /// Until the memory reaches the limit at this pace, counted from the end of the history; 0 where it is there.
    pub seconds_to_limit: Option<u64>,
    /// When the spike was highest, or the step happened: seconds, on the clock of the history.
    pub when: Option<i64>,
}

impl Judgement {
    /// A class and its sentence, nothing else known.
    pub(crate) fn new(class: Class, because: String) -> Self {
        Self {
            class,
            because,
            confidence: Confidence::Possible,
            growing: None,
            replica: None,
            censored: false,
            slope: None,
            seconds_to_limit: None,
            when: None,
        }
    }
}
