//! A real-time stage: one participant publishes the clip, another one receives it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stagedoor_api::ivs_realtime::*;
use stagedoor_media::client::{Client, Event};
use stagedoor_media::world::World;
use stagedoor_model::{Value, ivs_realtime};
use stagedoor_sfu::{Codec, Kind};

use super::stage_client::Latencies;
use super::{Failure, Scene, clip, present, say, say_answer};
use crate::server::SystemWorld;

/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long packets may still arrive after the last one was sent.
const TAIL: Duration = Duration::from_millis(300);
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub async fn show(scene: &Scene) -> Result<(), Failure> {
    say("\nReal-time stage (ivs-realtime)")?;
    let service = &ivs_realtime::SERVICE;
    let participants = ["publisher", "viewer"]
        .map(|user| ParticipantTokenConfiguration { user_id: Some(user.to_owned()), ..Default::default() });
    let input = CreateStageRequest {
        name: Some("demo".to_owned()),
        participant_token_configurations: Some(participants.into()),
        ..Default::default()
    };
    let created: CreateStageResponse = scene.aws.call(service, "CreateStage", input).await?;
    let stage = present(created.stage, "stage")?;
    let tokens = present(created.participant_tokens, "participantTokens")?;
    let [publisher, viewer] = tokens.as_slice() else { return Err("two tokens were asked for".into()) };
    let whip = present(present(stage.endpoints, "endpoints")?.whip, "whip")?;

    let figures = play(scene, &whip, publisher, viewer).await?;
    say(&format!(
        "  published   {} video frames and {} audio packets by WHIP",
        figures.frames, figures.sounds
    ))?;
    say(&format!(
        "  received    {} video frames and {} audio packets, first frame {:.0} ms after subscribing",
        figures.frames_received,
        figures.sounds_received,
        figures.first_frame.as_secs_f64() * 1e3,
    ))?;
    say(&format!(
        "  latency     publisher to viewer p50 {:.0} µs, p99 {:.0} µs",
        figures.latencies.percentile(50).as_secs_f64() * 1e6,
        figures.latencies.percentile(99).as_secs_f64() * 1e6,
    ))?;
    if figures.frames_received == 0 || figures.sounds_received == 0 {
        return Err("the viewer received nothing".into());
    }
    tell_state(scene, present(stage.arn, "arn")?).await
}

/// What the API answers about the session that has just been.
async fn tell_state(scene: &Scene, arn: String) -> Result<(), Failure> {
    let service = &ivs_realtime::SERVICE;
    let stage: Value = scene.aws.call(service, "GetStage", GetStageRequest { arn: arn.clone() }).await?;
    let session = stage.get("stage").and_then(|stage| stage.get("activeSessionId"));
    let session = present(session.and_then(Value::as_str), "activeSessionId")?.to_owned();
    say_answer(&format!("aws ivs-realtime get-stage --arn {arn}"), service, "GetStage", stage)?;
    let command = format!("aws ivs-realtime list-participants --stage-arn {arn} --session-id {session}");
    let input = ListParticipantsRequest { stage_arn: arn, session_id: session, ..Default::default() };
    let participants: Value = scene.aws.call(service, "ListParticipants", input).await?;
    say_answer(&command, service, "ListParticipants", participants)
}

struct Figures {
    frames: usize,
    sounds: usize,
    frames_received: usize,
    sounds_received: usize,
    first_frame: Duration,
    latencies: Latencies,
}

/// Publishes the whole clip, subscribes meanwhile, and tells what arrived.
async fn play(
    scene: &Scene,
    whip: &str,
    publisher: &ParticipantToken,
    viewer: &ParticipantToken,
) -> Result<Figures, Failure> {
    let world: Arc<dyn World> = Arc::new(SystemWorld);
    let (mut sender, offer) = Client::publisher(LOCAL, &[Codec::Opus, Codec::H264], Arc::clone(&world))?;
    let answer = scene.stages.post_sdp(whip, token(publisher)?, offer).await?;
    sender.accept(&answer)?;
    let sending = tokio::task::spawn_blocking(move || publish(sender));

    let (mut receiver, offer) = Client::subscriber(LOCAL, &[Codec::Opus, Codec::H264], world)?;
    let id = present(publisher.participant_id.as_deref(), "participantId")?;
    let url = format!("{whip}/subscribe/{id}");
    let subscribed = Instant::now();
    let answer = scene.stages.post_sdp(&url, token(viewer)?, offer).await?;
    receiver.accept(&answer)?;
    let over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&over);
    let receiving = tokio::task::spawn_blocking(move || receive(receiver, subscribed, &until));

    let sent = sending.await?;
    tokio::time::sleep(TAIL).await;
    over.store(true, Ordering::Relaxed);
    let (sent, received) = (sent?, receiving.await??);
    Ok(figures(&sent, &received))
}

fn token(participant: &ParticipantToken) -> Result<&str, Failure> {
    present(participant.token.as_deref(), "token")
}

/// When each video frame was sent, and how many audio packets were.
struct Sent {
    frames: Vec<(&'static [u8], Instant)>,
    sounds: usize,
}

fn publish(mut client: Client) -> Result<Sent, Failure> {
    let deadline = Instant::now() + CONNECT_MAX;
    while !matches!(client.next_event(deadline)?, Some(Event::Connected)) {
        if Instant::now() >= deadline {
            return Err("the publisher could not connect".into());
        }
    }
    let start = Instant::now();
    let mut sent = Sent { frames: Vec::new(), sounds: 0 };
    for item in clip::items() {
        client.run_until(start + item.at, |_| {})?;
        let kind = if item.video { Kind::Video } else { Kind::Audio };
        let at = Instant::now();
        client.send_frame(kind, item.rtp_time, item.data)?;
        if item.video {
            sent.frames.push((item.data, at));
        } else {
            sent.sounds += 1;
        }
    }
    client.run_until(Instant::now() + TAIL, |_| {})?;
    client.close()?;
    Ok(sent)
}

/// The end of each video frame with its time, and how many audio packets came.
struct Received {
    subscribed: Instant,
    frames: Vec<(Arc<[u8]>, Instant)>,
    sounds: usize,
}

fn receive(mut client: Client, subscribed: Instant, over: &AtomicBool) -> Result<Received, Failure> {
    let mut received = Received { subscribed, frames: Vec::new(), sounds: 0 };
    while !over.load(Ordering::Relaxed) {
        let Some(event) = client.next_event(Instant::now() + Duration::from_millis(50))? else { continue };
        match event {
            Event::Packet(packet) if packet.kind == Kind::Audio => received.sounds += 1,
            Event::Packet(packet) if packet.marker => received.frames.push((packet.payload, packet.at)),
            Event::Closed => break,
            _ => {}
        }
    }
    client.close()?;
    Ok(received)
}

/// A frame is recognised by its last bytes: packets are forwarded with their payload untouched.
fn figures(sent: &Sent, received: &Received) -> Figures {
    const TAIL_BYTES: usize = 24;
    let tail = |data: &[u8]| data[data.len().saturating_sub(TAIL_BYTES)..].to_vec();
    let times: BTreeMap<Vec<u8>, Instant> = sent.frames.iter().map(|(data, at)| (tail(data), *at)).collect();
    let latency = |(payload, at): &(Arc<[u8]>, Instant)| Some(at.duration_since(*times.get(&tail(payload))?));
    let first = received.frames.first().map(|(_, at)| at.duration_since(received.subscribed));
    Figures {
        frames: sent.frames.len(),
        sounds: sent.sounds,
        frames_received: received.frames.len(),
        sounds_received: received.sounds,
        first_frame: first.unwrap_or_default(),
        latencies: Latencies::new(received.frames.iter().filter_map(latency).collect()),
    }
}
