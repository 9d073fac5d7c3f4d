//! The benchmark: a platform that costs little, subjects that answer on it, and what they cost.
//!
//! The platform runs in this process on one core; each subject is a process of its own on another. What the
//! platform itself can do at most is measured as if it were a subject, and stands in the same table.

pub mod load;
pub mod machine;
pub mod many;
mod messages;
pub mod platform;
pub mod plot;
pub mod soak;
pub mod subject;
pub mod subjects;
pub mod swap;
pub mod table;
mod wire;
