//! Limits, accounting and freezing by control groups, version 1, version 2, or none.

#![forbid(unsafe_code)]
