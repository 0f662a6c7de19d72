//! Deaths from small evidence, each with the verdict that it bears, and no more.
#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::needless_pass_by_value,
    reason = "small evidence is written as it is read"
)]

mod advice;
mod deletions;
mod described;
mod earlier_lives;
mod evidence;
mod extremes;
mod gone_pods;
mod last_words;
mod long_after;
mod neighbours;
mod node_events;
mod probed;
mod proof;
mod stops;
mod unproven;
mod wrong_moment;
