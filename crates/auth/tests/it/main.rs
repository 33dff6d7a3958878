//! Tests of authentication through the public interface alone.

mod es384;
mod policy;
mod recorded;
mod refusals;
mod signing;
mod suite;
mod token;
mod wire;
