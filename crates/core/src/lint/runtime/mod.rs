//! Runtimes and servers as a manifest sets them up: which flags reach them, from where, and what they come to.

pub(crate) mod cache;
pub(crate) mod go;
pub(crate) mod image;
pub(crate) mod jvm;
pub(crate) mod node;
pub(crate) mod told;
pub(crate) mod workers;
