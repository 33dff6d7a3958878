//! What is stored of real-time stages (IVS), and how the media plane records who is present.
//!
//! The control plane writes [`Stage`] and [`Revocation`]; the media plane writes sessions, participants and
//! their events by the functions of [`presence`] while it carries them, and follows the control plane's
//! documents. [`retention`] forgets what is old.

pub mod event;
pub mod presence;
pub mod retention;
pub mod session;
pub mod stage;

pub use session::ActiveSession;
pub use stage::{Revocation, Stage};
