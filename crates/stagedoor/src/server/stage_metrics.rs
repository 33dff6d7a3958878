//! The metrics of real-time stages, by the names that Amazon CloudWatch has for them in `AWS/IVSRealTime`.
//!
//! There are as many series as publishers are connected, at most twelve on a stage with four layers each, and a few for
//! each stage with a connection.
//!
//! <https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/stage-health.html>

use std::fmt::Write as _;

use stagedoor_media::figures::StageFigures;
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

const LAYER_READINGS: [LayerReading; 2] = [
    ("layer_publish_bitrate", "Bits per second of one layer (PublishBitrate).", |layer| Some(layer.rate)),
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
            size,
        };
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
        ] {
            assert!(page.lines().any(|found| found == line), "{line} in {page}");
        }
        let of_sound = format!("layer_publish_resolution{{{of},participant=\"p\",simulcast_layer=\"none\"");
        assert!(!page.contains(&of_sound), "{page}");
    }
}
