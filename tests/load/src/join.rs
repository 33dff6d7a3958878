//! How subscribers come in: some workers make offers, post them, and hand the agreed connections on.

use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer};
use str0m::media::{Direction, MediaKind};
use str0m::{Candidate, Rtc, RtcConfig};

use crate::janus::Handle;
use crate::task::{Seat, Task};
use crate::{Result, http};

/// A subscriber whose offer was answered.
pub(crate) struct Joined {
    pub(crate) place: usize,
    pub(crate) publisher: usize,
    /// Whether the server starts timestamps anew for each subscriber.
    pub(crate) renumbered: bool,
    pub(crate) rtc: Rtc,
    pub(crate) posted: Instant,
    pub(crate) answered: Instant,
}

/// Starts workers for all subscribers of a task. One permit is taken for each subscriber.
pub(crate) fn start(task: &Task, port: u16, permits: Receiver<()>, joined: SyncSender<Result<Joined>>) {
    let seats = task.subscribers.iter().cloned().enumerate();
    let places: Vec<_> =
        seats.map(|(place, seat)| (place, seat, task.subscriber_address(place))).rev().collect();
    let work = Arc::new(Mutex::new((permits, places)));
    let pause = Duration::from_secs_f64(task.join_every_seconds);
    for _ in 0..task.joins_at_once {
        let (work, joined) = (Arc::clone(&work), joined.clone());
        thread::spawn(move || {
            loop {
                let (place, seat, address) = {
                    let mut work = work.lock().expect("no worker panics while it takes a place");
                    let Some(next) = work.1.pop() else { return };
                    // Without a giver of permits nobody waits for subscribers any more.
                    if work.0.recv().is_err() {
                        return;
                    }
                    // Nobody else takes a place meanwhile.
                    thread::sleep(pause);
                    next
                };
                if joined.send(join(place, &seat, address, port)).is_err() {
                    return;
                }
            }
        });
    }
}

fn join(place: usize, seat: &Seat, address: Ipv4Addr, port: u16) -> Result<Joined> {
    let mut rtc = RtcConfig::new()
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_h264(true)
        .enable_vp8(true)
        .build(Instant::now());
    rtc.add_local_candidate(Candidate::host((address, port).into(), "udp")?);
    let posted = Instant::now();
    match seat {
        Seat::Stage { url, token, .. } => {
            let mut change = rtc.sdp_api();
            for kind in [MediaKind::Audio, MediaKind::Video] {
                change.add_media(kind, Direction::RecvOnly, None, None, None);
            }
            let (offer, pending) = change.apply().ok_or("nothing to offer")?;
            let answer = http::post_sdp(url, token, &offer.to_sdp_string())?;
            rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer)?)?;
        }
        Seat::Janus { url, room, feed } => {
            let handle = Handle::attach(url)?;
            let offer = SdpOffer::from_sdp_string(&handle.subscribe(*room, *feed)?)?;
            let answer = rtc.sdp_api().accept_offer(offer)?;
            handle.start(&answer.to_sdp_string())?;
        }
    }
    let (publisher, renumbered) = (seat.publisher(), matches!(seat, Seat::Janus { .. }));
    Ok(Joined { place, publisher, renumbered, rtc, posted, answered: Instant::now() })
}
