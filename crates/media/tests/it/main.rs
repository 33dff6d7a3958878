//! The media plane in one process: real shards, real sockets on loopback, real WebRTC clients.

mod attacks;
mod crowd;
mod download;
mod events;
mod forwarding;
mod garbage;
mod handshakes;
mod network;
mod offers;
mod restart;
mod rtmp;
mod shards;
mod simulcast;
mod stage;
mod support;
mod tcp;
mod whip;
