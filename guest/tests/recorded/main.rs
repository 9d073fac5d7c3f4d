//! Events as the platform sends them: every sample of the documentation and every shape seen in the wild, with ids made
//! up, is read without loss; and whatever else may come does no harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod expected;
mod mutated;
mod random;
mod reading;
mod recorded;
