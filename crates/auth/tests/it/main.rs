//! Tests of Signature Version 4 through the public interface alone.

mod recorded;
mod refusals;
mod signing;
mod suite;
mod wire;
