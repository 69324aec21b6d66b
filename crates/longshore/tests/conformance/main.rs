//! Every engine against the contract, see `longshore_testkit::conformance`.
//!
//! Docker is the reference: `DOCKER_HOST=unix:///path cargo test -p longshore --test conformance reference`. Where no
//! daemon listens, its tests say so and pass. The native engine is tested as whoever runs the tests and, if that is root,
//! as an ordinary user, too. The fake engine has its tests in its own crate.

#![expect(clippy::print_stderr, reason = "tests that are skipped say why")]

mod docker;
mod ordinary;
mod place;

longshore_testkit::engine_conformance!(reference, crate::docker::subject);
longshore_testkit::engine_conformance!(native, crate::place::subject);

/// The native engine of a user without rights and without further ids.
mod rootless {
    use super::ordinary::check;

    longshore_testkit::conformance_cases!(longshore_testkit::conformance_tests);
}
