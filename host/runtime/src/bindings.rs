//! The types of `wit/`, as the rest of the host uses them. One module per interface version; the
//! newest one owns the types, an older one would only convert.

pub mod v0_1;
