//! Tests of authentication through the public interface alone.

mod es384;
mod recorded;
mod refusals;
mod signing;
mod suite;
mod token;
mod wire;
