//! What tests of several crates share. Nothing here is shipped.

pub mod control_plane;
pub mod pages;

pub use control_plane::{ControlPlane, Dispatch};
