//! What a peer reports as lost of one track (RFC 3550 §6.4.1), and of all its tracks together.

/// The newest report, and how many packets it is about.
#[derive(Debug, Default)]
pub struct Reported {
    /// All that was ever sent.
    packets: u64,
    since_last: u64,
    lost: Option<f32>,
}

impl Reported {
    /// After `packets` in all the peer reports this share as lost, from 0 to 1, since it did so last.
    pub fn note(&mut self, packets: u64, lost: f32) {
        self.since_last = packets.saturating_sub(self.packets);
        self.packets = packets;
        self.lost = Some(lost);
    }

    /// The share that was lost of several tracks; `None` if nothing was reported of any.
    pub fn together<'a>(tracks: impl Iterator<Item = &'a Reported>) -> Option<f32> {
        let (mut packets, mut lost, mut reported) = (0.0, 0.0, false);
        for track in tracks {
            let Some(share) = track.lost else { continue };
            reported = true;
            packets += track.since_last as f32;
            lost += share * track.since_last as f32;
        }
        reported.then(|| if packets > 0.0 { lost / packets } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_count_by_their_packets() {
        let (mut video, mut audio) = (Reported::default(), Reported::default());
        let both = |video: &Reported, audio: &Reported| Reported::together([video, audio].into_iter());
        assert_eq!(both(&video, &audio), None);
        video.note(300, 0.10);
        assert_eq!(both(&video, &audio), Some(0.10));
        audio.note(100, 0.50);
        assert_eq!(both(&video, &audio), Some(0.20));
        // Only what came since the last report.
        video.note(300, 0.0);
        assert_eq!(both(&video, &audio), Some(0.50));
        audio.note(100, 0.0);
        assert_eq!(both(&video, &audio), Some(0.0));
    }
}
