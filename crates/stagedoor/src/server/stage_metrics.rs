//! The metrics of real-time stages, by the names that Amazon CloudWatch has for them in `AWS/IVSRealTime`.
//!
//! There are as many series as publishers are connected, at most twelve on a stage with four layers each, and a few for
//! each stage with a connection. Participants are told of only if they publish, as CloudWatch does for what they receive.
//!
//! <https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/stage-health.html>

use std::fmt::Write as _;

use stagedoor_media::figures::{Mean, Received, StageFigures};
use stagedoor_sfu::{Kind, LayerFigures};
use stagedoor_state::arn::Arn;

use super::metrics::{escape, figure, head};

/// A figure of every stage: name, help, and how to read it.
type Reading = (&'static str, &'static str, fn(&StageFigures) -> u64);

const READINGS: [Reading; 4] = [
    ("publishers", "Participants that publish (Publishers).", |stage| stage.publishers),
    ("subscribers", "Participants that receive somebody (Subscribers).", |stage| stage.subscribers),
    ("publish_bitrate", "Bits per second from publishers (PublishBitrate).", |stage| {
        stage.layers.iter().map(|layer| layer.rate).sum()
    }),
    ("subscribe_bitrate", "Bits per second to subscribers (SubscribeBitrate).", |stage| stage.subscribe_rate),
];

/// The same of every layer that a publisher sends; nothing where it is not known.
type LayerReading = (&'static str, &'static str, fn(&LayerFigures) -> Option<u64>);

const LAYER_READINGS: [LayerReading; 3] = [
    ("layer_publish_bitrate", "Bits per second of one layer (PublishBitrate).", |layer| Some(layer.rate)),
    ("layer_publish_framerate", "Pictures per second (PublishFramerate).", |layer| {
        (layer.kind == Kind::Video).then_some(layer.frame_rate)
    }),
    ("layer_publish_resolution", "Pixels of the shorter side (PublishResolution).", |layer| {
        layer.size.map(|size| u64::from(size.width.min(size.height)))
    }),
];

/// Appends what stages have to show.
pub fn write(text: &mut String, stages: &[StageFigures]) {
    let sum = |read: fn(&StageFigures) -> u64| stages.iter().map(read).sum::<u64>();
    for (name, help, value) in [
        ("concurrent_publishers", "Publishers on all stages (ConcurrentPublishers).", sum(|s| s.publishers)),
        (
            "concurrent_subscriptions",
            "Connections from publishers to subscribers on all stages (ConcurrentSubscriptions).",
            sum(|stage| stage.subscriptions),
        ),
    ] {
        figure(text, &format!("stagedoor_ivs_{name}"), help, value);
    }
    let stages: Vec<(String, &StageFigures)> =
        stages.iter().filter_map(|stage| Some((labels(&stage.stage_arn)?, stage))).collect();
    for (name, help, read) in READINGS {
        let name = format!("stagedoor_ivs_{name}");
        head(text, &name, help);
        for (labels, stage) in &stages {
            let _ = writeln!(text, "{name}{{{labels}}} {}", read(stage));
        }
    }
    for (name, help, read) in LAYER_READINGS {
        let name = format!("stagedoor_ivs_{name}");
        head(text, &name, help);
        for (labels, stage) in &stages {
            for (layer, value) in stage.layers.iter().filter_map(|layer| Some((layer, read(layer)?))) {
                let _ = writeln!(text, "{name}{{{labels},{}}} {value}", layer_labels(layer));
            }
        }
    }
    shares(text, &stages);
}

/// A share that clients report: name, help, and where it stands.
type Share = (&'static str, &'static str, fn(&Received) -> &Mean);

const SHARES: [Share; 2] = [
    ("download_packet_loss", "Percent of packets that subscribers lost (DownloadPacketLoss).", |of| &of.lost),
    ("dropped_frames", "Percent of pictures that subscribers dropped (DroppedFrames).", |of| &of.dropped),
];

/// What subscribers report, of all stages together, of each, and of those participants that publish too.
fn shares(text: &mut String, stages: &[(String, &StageFigures)]) {
    for (name, help, read) in SHARES {
        let name = format!("stagedoor_ivs_{name}");
        head(text, &name, help);
        let mut line = |labels: String, share: Option<f64>| {
            if let Some(share) = share {
                let _ = writeln!(text, "{name}{labels} {:.2}", share * 100.0);
            }
        };
        let everybody = stages.iter().map(|(_, stage)| read(&stage.receiving));
        line(String::new(), Mean::of(everybody));
        for (labels, stage) in stages {
            line(format!("{{{labels}}}"), Mean::of([read(&stage.receiving)].into_iter()));
            for (participant, received) in &stage.receivers {
                let labels = format!("{{{labels},participant=\"{}\"}}", escape(participant));
                line(labels, Mean::of([read(received)].into_iter()));
            }
        }
    }
    let name = "stagedoor_ivs_participant_subscribe_bitrate";
    head(text, name, "Bits per second to a participant that publishes too (SubscribeBitrate).");
    for (labels, stage) in stages {
        for (participant, received) in &stage.receivers {
            for (media, rate) in [("audio", received.audio), ("video", received.video)] {
                let participant = escape(participant);
                let _ = writeln!(
                    text,
                    "{name}{{{labels},participant=\"{participant}\",media_type=\"{media}\"}} {rate}"
                );
            }
        }
    }
}

/// Stages of other accounts and regions may have the same id.
fn labels(stage_arn: &str) -> Option<String> {
    let arn = Arn::parse(stage_arn)?;
    let stage = escape(arn.id_of("stage")?);
    Some(format!("account=\"{}\",region=\"{}\",stage=\"{stage}\"", escape(arn.account), escape(arn.region)))
}

fn layer_labels(layer: &LayerFigures) -> String {
    let media = match layer.kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    };
    let rid = if layer.rid.is_empty() { "none" } else { &*layer.rid };
    let (participant, rid) = (escape(&layer.participant), escape(rid));
    format!("participant=\"{participant}\",simulcast_layer=\"{rid}\",media_type=\"{media}\"")
}

#[cfg(test)]
mod tests {
    use stagedoor_sfu::Size;

    use super::*;

    #[test]
    fn stages_have_their_lines() {
        let layer = |kind, rid: &str, rate, size| LayerFigures {
            participant: "p".into(),
            kind,
            rid: rid.into(),
            rate,
            frame_rate: 30,
            size,
        };
        let mut both = Received { audio: 5, video: 85, ..Received::default() };
        both.lost.add(Some(0.04));
        let mut receiving = both;
        receiving.lost.add(Some(0.01));
        receiving.dropped.add(Some(0.125));
        let stage = StageFigures {
            stage_arn: "arn:aws:ivs:eu-west-1:123456789012:stage/abc".into(),
            publishers: 1,
            subscribers: 2,
            subscriptions: 3,
            subscribe_rate: 90,
            layers: vec![
                layer(Kind::Audio, "", 10, None),
                layer(Kind::Video, "h\"i", 20, Some(Size { width: 360, height: 640 })),
            ],
            receiving,
            receivers: [("p".into(), both)].into(),
        };
        let mut page = String::new();
        write(&mut page, &[stage]);
        let of = "account=\"123456789012\",region=\"eu-west-1\",stage=\"abc\"";
        let video = "participant=\"p\",simulcast_layer=\"h\\\"i\",media_type=\"video\"";
        for line in [
            "stagedoor_ivs_concurrent_publishers 1".to_owned(),
            "stagedoor_ivs_concurrent_subscriptions 3".to_owned(),
            format!("stagedoor_ivs_publishers{{{of}}} 1"),
            format!("stagedoor_ivs_subscribers{{{of}}} 2"),
            format!("stagedoor_ivs_publish_bitrate{{{of}}} 30"),
            format!("stagedoor_ivs_subscribe_bitrate{{{of}}} 90"),
            format!("stagedoor_ivs_layer_publish_bitrate{{{of},{video}}} 20"),
            format!("stagedoor_ivs_layer_publish_resolution{{{of},{video}}} 360"),
            format!("stagedoor_ivs_layer_publish_framerate{{{of},{video}}} 30"),
            "stagedoor_ivs_download_packet_loss 2.50".to_owned(),
            format!("stagedoor_ivs_download_packet_loss{{{of}}} 2.50"),
            format!("stagedoor_ivs_download_packet_loss{{{of},participant=\"p\"}} 4.00"),
            format!("stagedoor_ivs_dropped_frames{{{of}}} 12.50"),
            format!(
                "stagedoor_ivs_participant_subscribe_bitrate{{{of},participant=\"p\",media_type=\"video\"}} 85"
            ),
        ] {
            assert!(page.lines().any(|found| found == line), "{line} in {page}");
        }
        let of_sound = format!("layer_publish_resolution{{{of},participant=\"p\",simulcast_layer=\"none\"");
        assert!(!page.contains(&of_sound), "{page}");
        let not_reported = format!("dropped_frames{{{of},participant");
        assert!(!page.contains(&not_reported), "{page}");
    }
}
