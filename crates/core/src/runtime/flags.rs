//! Memory settings of a process, as its command line and environment give them.

use super::{EffectiveFlag, Target};
use crate::memory_flags;

/// All that are known, of whichever runtime. Nothing else of the arguments and the environment is kept.
pub(super) fn given(target: &Target<'_>) -> Vec<EffectiveFlag> {
    let arguments = target.arguments.iter().map(String::as_str);
    let environment = target.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let flag = |flag: crate::fact::Flag| {
        let (name, value) = flag.text.split_once(['=', ' ']).unwrap_or((&flag.text, ""));
        let from = match flag.from.as_str() {
            "args" => "command line".to_owned(),
            variable => format!("environment {variable}"),
        };
        EffectiveFlag { name: name.to_owned(), value: value.to_owned(), from }
    };
    memory_flags::find([], arguments, environment).into_iter().map(flag).collect()
}
