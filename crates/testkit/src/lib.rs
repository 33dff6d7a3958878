//! What tests of several crates share. Nothing here is shipped.

pub mod control_plane;

pub use control_plane::ControlPlane;
