//! The simulator: guest, the host's actor and the platform in one thread, on virtual time, under a seed.
//!
//! Network, process and disk are played: latencies are drawn, connections break, the process is killed between
//! any two commands, and only what was committed is there at the next start. The same seed gives the same run.

mod blobs;
mod check;
mod network;
mod process;
mod script;
mod stage;
mod swap;
mod world;

pub use blobs::Blobs;
pub use check::{Report, check};
pub use script::{Faults, Plan, Shows};
pub use stage::{Mind, News, Setup, Stage, echo, says};
pub use world::{SECRET, World, bot};

/// Runs a plan under a seed and checks the invariants.
#[must_use]
pub fn run(
    component: std::sync::Arc<dyn prx_host::guest::Component>,
    plan: &Plan,
    seed: u64,
) -> Report {
    let mut world = World::new(component, plan, seed);
    world.run();
    check(&world)
}
