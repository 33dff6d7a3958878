//! Who asks, and whether they may: the step between routing and everything else, of REST and HTTP APIs.
//!
//! [`Caller`] is what was found out; [`Denial`] is every way to be turned away.

mod caller;
mod denial;

pub(crate) use self::caller::{Authority, Caller};
pub use self::denial::Denial;
