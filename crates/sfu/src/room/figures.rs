//! What flows through a room, for those who run the server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Publisher, Room};
use crate::codec::Kind;
use crate::forward::Source;
use crate::keys::PeerKey;
use crate::packet::Size;

/// One room's figures at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// What is sent to all subscribers together, in bits per second.
    pub subscribe_rate: u64,
    /// The same by subscriber and kind.
    pub received: Vec<(PeerKey, Kind, u64)>,
    /// The layers that publishers send.
    pub layers: Vec<LayerFigures>,
}

/// What one publisher sends in one layer of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFigures {
    pub participant: Arc<str>,
    pub kind: Kind,
    /// Empty without simulcast.
    pub rid: Arc<str>,
    /// Bits per second.
    pub rate: u64,
    /// Pictures per second; of sound, packets.
    pub frame_rate: u64,
    /// Of the picture, as far as known.
    pub size: Option<Size>,
}

impl Room {
    /// The figures now; of layers those of publishers that `here` picks.
    pub fn figures(&self, here: impl Fn(PeerKey) -> bool, now: Duration) -> Figures {
        let rates: HashMap<Source, u64> = self
            .publishers
            .values()
            .flat_map(Publisher::layers)
            .map(|(_, layer)| (layer.source, layer.meter.rate(now)))
            .collect();
        let received: Vec<(PeerKey, Kind, u64)> = self
            .subscribers
            .iter()
            .flat_map(|(key, subscriber)| subscriber.tracks.iter().map(|track| (*key, track)))
            .filter_map(|(key, track)| Some((key, track.codec().kind(), *rates.get(&track.sources().1?)?)))
            .collect();
        let subscribe_rate = received.iter().map(|(.., rate)| rate).sum();
        let publishers = self.publishers.iter().filter(|(key, _)| here(**key));
        let layers = publishers.flat_map(|(_, publisher)| {
            publisher.layers().map(|(kind, layer)| LayerFigures {
                participant: publisher.participant.clone(),
                kind,
                rid: layer.rid.clone(),
                rate: layer.meter.rate(now),
                frame_rate: layer.frames.rate(now),
                size: layer.size(),
            })
        });
        Figures { subscribe_rate, received, layers: layers.collect() }
    }
}
