//! Artifacts and caches of workflow runs, and the services through which `actions/toolkit` reaches them.

#![forbid(unsafe_code)]
