//! What the media plane counts. A shard keeps its own numbers and hands on whole copies; nothing here is shared
//! between threads, and no counter is touched by two of them.

/// Running totals of one shard since its start, and how much it holds at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub datagrams_in: u64,
    pub bytes_in: u64,
    pub datagrams_out: u64,
    pub bytes_out: u64,
    /// Messages handed to the kernel; datagrams that left together count once.
    pub messages_out: u64,
    /// RTP packets from publishers, and RTP packets written to subscribers.
    pub packets_in: u64,
    pub packets_forwarded: u64,
    /// Datagrams that belong to no connection: garbage, or a connection that has gone.
    pub dropped_unknown: u64,
    /// Datagrams that a connection did not accept: wrong credentials or unreadable.
    pub dropped_refused: u64,
    /// Packets of tracks that nobody negotiated, and packets not wanted by a subscriber yet (it waits for a key
    /// frame).
    pub dropped_unwanted: u64,
    /// Datagrams that the kernel did not take.
    pub dropped_unsent: u64,
    /// Datagrams that came to another thread than their connection's, and were given to that one.
    pub handed_over: u64,
    /// Packets and datagrams that found no room on the way from one thread to another.
    pub dropped_between: u64,
    pub key_frame_requests: u64,
    /// Connections that ended because the engine failed.
    pub failures: u64,
    /// Connections over TCP that ended before anything was said to them.
    pub tcp_turned_out: u64,
    /// Connections, also those that are not connected yet.
    pub connections: u64,
    pub rooms: u64,
    pub publishers: u64,
    pub subscribers: u64,
}

impl Counters {
    /// What several shards have counted together. A stage that is spread over some of them counts once for each.
    pub fn sum(all: impl Iterator<Item = Counters>) -> Counters {
        all.fold(Counters::default(), |one, two| Counters {
            datagrams_in: one.datagrams_in + two.datagrams_in,
            bytes_in: one.bytes_in + two.bytes_in,
            datagrams_out: one.datagrams_out + two.datagrams_out,
            bytes_out: one.bytes_out + two.bytes_out,
            messages_out: one.messages_out + two.messages_out,
            packets_in: one.packets_in + two.packets_in,
            packets_forwarded: one.packets_forwarded + two.packets_forwarded,
            dropped_unknown: one.dropped_unknown + two.dropped_unknown,
            dropped_refused: one.dropped_refused + two.dropped_refused,
            dropped_unwanted: one.dropped_unwanted + two.dropped_unwanted,
            dropped_unsent: one.dropped_unsent + two.dropped_unsent,
            handed_over: one.handed_over + two.handed_over,
            dropped_between: one.dropped_between + two.dropped_between,
            key_frame_requests: one.key_frame_requests + two.key_frame_requests,
            failures: one.failures + two.failures,
            tcp_turned_out: one.tcp_turned_out + two.tcp_turned_out,
            connections: one.connections + two.connections,
            rooms: one.rooms + two.rooms,
            publishers: one.publishers + two.publishers,
            subscribers: one.subscribers + two.subscribers,
        })
    }

    /// Name, help text and value of each, for a metrics page. Totals come first, then the gauges' values.
    pub fn each(&self) -> [(&'static str, &'static str, u64); 20] {
        [
            ("datagrams_in_total", "Datagrams received on the media port.", self.datagrams_in),
            ("bytes_in_total", "Bytes received on the media port.", self.bytes_in),
            ("datagrams_out_total", "Datagrams sent from the media port.", self.datagrams_out),
            ("bytes_out_total", "Bytes sent from the media port.", self.bytes_out),
            ("messages_out_total", "Messages handed to the kernel.", self.messages_out),
            ("packets_in_total", "RTP packets from publishers.", self.packets_in),
            ("packets_forwarded_total", "RTP packets written to subscribers.", self.packets_forwarded),
            ("dropped_unknown_total", "Datagrams that belong to no connection.", self.dropped_unknown),
            ("dropped_refused_total", "Datagrams that a connection refused.", self.dropped_refused),
            ("dropped_unwanted_total", "RTP packets that nobody could use.", self.dropped_unwanted),
            ("dropped_unsent_total", "Datagrams that the kernel did not take.", self.dropped_unsent),
            ("handed_over_total", "Datagrams given to another media thread.", self.handed_over),
            ("dropped_between_total", "Packets lost between media threads.", self.dropped_between),
            ("key_frame_requests_total", "Key frames asked of publishers.", self.key_frame_requests),
            ("failures_total", "Connections that failed.", self.failures),
            ("tcp_turned_out_total", "TCP connections without a session.", self.tcp_turned_out),
            ("connections", "Peer connections, those being made included.", self.connections),
            ("rooms", "Stages with a connection.", self.rooms),
            ("publishers", "Connected publishers.", self.publishers),
            ("subscribers", "Connected subscriptions.", self.subscribers),
        ]
    }
}
