//! The template language held against data: what API Gateway and what Apache Velocity answered, and our own cases.

mod calls;
mod gateway;
mod limits;
mod properties;
mod recorded;
mod velocity;
