//! Go's text templates, as far as `--format` needs them.

#![forbid(unsafe_code)]
