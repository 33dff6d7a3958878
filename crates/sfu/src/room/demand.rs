//! What one subscription takes of its participant's download: which layers there are for it, and what each costs. How
//! much all of a participant's subscriptions may take together is decided in [`crate::share`], for they may be on several
//! shards.

use std::time::Duration;

use super::{KeyFrameRequest, Room};
use crate::keys::PeerKey;
use crate::share::{Demand, Step};

impl Room {
    /// What `subscriber` would have; `None` if it receives nobody.
    pub fn demand(&self, subscriber: PeerKey, now: Duration) -> Option<Demand> {
        let subscriber = self.subscribers.get(&subscriber)?;
        let publisher = self.publishers.get(&self.participants.get(&subscriber.participant)?.connection?)?;
        let mut demand = Demand { fixed: publisher.audio_rate(now), steps: Vec::new(), held: 0 };
        // Who does not take the codec is sent no picture.
        let forwards = |codec| subscriber.tracks.iter().find(|track| track.codec() == codec);
        let video = publisher.video().and_then(|video| Some((video, forwards(video.codec)?)));
        if let Some((video, forward)) = video {
            let views = video.views(now);
            let present = forward.sources().1.and_then(|source| video.index(source));
            let (ladder, held) = subscriber.selection.ladder(&views, present, now);
            let step = |index: usize| Step { layer: index as u8, rate: views[index].1.rate };
            demand.steps = ladder.into_iter().map(step).collect();
            demand.held = held;
        }
        Some(demand)
    }

    /// `subscriber` may have no higher layer than this from now on; any, if there is none. Returns the request for a key
    /// frame, if one is to be sent now.
    pub fn cap(&mut self, subscriber: PeerKey, layer: Option<u8>, now: Duration) -> Option<KeyFrameRequest> {
        let capped = self.subscribers.get_mut(&subscriber)?;
        capped.selection.cap = layer.map(usize::from);
        let choice = capped.selection.choice.clone();
        self.choose(subscriber, choice, now)
    }
}
