//! What tests need of the machine, and what becomes of them where it is missing. Each crate's tests take this file in by
//! its path.
#![allow(dead_code, clippy::print_stdout, reason = "each test uses a part of it, and a skipped one says why")]
#![allow(clippy::disallowed_methods, reason = "tests read the environment; only the core itself does not")]

use std::path::PathBuf;

/// The component that a variable of the environment names. `None` where it names none, which is said, and a failure with
/// `OOMPH_REQUIRE=all`.
pub(crate) fn component(variable: &str) -> Option<PathBuf> {
    let component = std::env::var_os(variable).map(PathBuf::from);
    if component.is_none() {
        missing(&format!("{variable} is not set"));
    }
    component
}

/// Says what a test that is skipped is missing; a failure where everything is required.
pub(crate) fn missing(what: &str) {
    assert_ne!(std::env::var("OOMPH_REQUIRE").as_deref(), Ok("all"), "{what}");
    println!("skipped: {what}");
}
