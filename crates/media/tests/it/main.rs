//! The media plane in one process: real shards, real sockets on loopback, real WebRTC clients.

mod forwarding;
mod support;
