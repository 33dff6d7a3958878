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
    /// Name, help text and value of each, for a metrics page. Totals come first, then the gauges' values.
    pub fn each(&self) -> [(&'static str, &'static str, u64); 18] {
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
