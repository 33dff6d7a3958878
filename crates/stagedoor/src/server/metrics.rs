//! The metrics page, in Prometheus' text format. Each part of the server counts; here it is only written down.

use std::fmt::Write as _;

use stagedoor_gateway::metrics::BUCKETS_MICROS;
use stagedoor_gateway::{FiguresOf, Histogram, LogFigures, StageFigures};

use super::{Server, stage_metrics};

/// All metrics.
pub async fn text(server: &Server) -> String {
    let mut text = String::new();
    figure(&mut text, "stagedoor_store_revision", "Commits made to the store.", server.store.head().get());
    stages(&mut text, &server.gateway.metrics());
    logs(&mut text, server.gateway.log_figures());
    stage_metrics::write(&mut text, &server.media.stages().await);
    figure(
        &mut text,
        "stagedoor_events_sockets_slow_total",
        "Events sockets dropped because their clients did not read.",
        server.media.slow_sockets(),
    );
    for (name, help, value) in server.media.counters().each() {
        figure(&mut text, &format!("stagedoor_media_{name}"), help, value);
    }
    let name = "stagedoor_media_refused_total";
    head(&mut text, name, "Requests and connections of real-time stages that were refused.");
    for (door, value) in server.media.refusals().each() {
        let _ = writeln!(text, "{name}{{door=\"{door}\"}} {value}");
    }
    text
}

/// A counter of every stage: name, help, and how to read it.
type Reading = (&'static str, &'static str, fn(&StageFigures) -> u64);

/// CloudWatch's names, spelled as Prometheus wants them.
const STAGE_READINGS: [Reading; 6] = [
    ("count_total", "Requests (Count).", |stage| stage.requests),
    ("4xx_error_total", "Client errors (4XXError).", |stage| stage.client_errors),
    ("5xx_error_total", "Server errors (5XXError).", |stage| stage.server_errors),
    ("cache_hit_count_total", "Answers from the cache (CacheHitCount).", |stage| stage.cache_hits),
    ("cache_miss_count_total", "Answers that the cache did not have (CacheMissCount).", |stage| {
        stage.cache_misses
    }),
    ("data_processed_bytes_total", "Bytes of bodies (DataProcessed).", |stage| stage.data_processed),
];

/// The same of a histogram.
type Timing = (&'static str, &'static str, fn(&StageFigures) -> &Histogram);

const STAGE_TIMINGS: [Timing; 2] = [
    ("latency_seconds", "Time until answers were ready (Latency).", |stage| &stage.latency),
    (
        "integration_latency_seconds",
        "The part of it spent waiting for integrations (IntegrationLatency).",
        |stage| &stage.integration_latency,
    ),
];

/// Stages, and by themselves the methods and routes with detailed metrics: sums over a metric count nothing twice.
const SCOPES: [(&str, bool); 2] = [("stagedoor_stage", false), ("stagedoor_route", true)];

fn stages(text: &mut String, figures: &[StageFigures]) {
    for (scope, detailed) in SCOPES {
        let figures: Vec<(String, &StageFigures)> = figures
            .iter()
            .filter(|figures| figures.of.is_some() == detailed)
            .map(|figures| (labels(figures), figures))
            .collect();
        if detailed && figures.is_empty() {
            continue;
        }
        for (name, help, read) in STAGE_READINGS {
            let name = format!("{scope}_{name}");
            head(text, &name, help);
            for (labels, stage) in &figures {
                let _ = writeln!(text, "{name}{{{labels}}} {}", read(stage));
            }
        }
        for (name, help, read) in STAGE_TIMINGS {
            let name = format!("{scope}_{name}");
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
            for (labels, stage) in &figures {
                histogram(text, &name, labels, read(stage));
            }
        }
    }
}

fn labels(figures: &StageFigures) -> String {
    let StageFigures { api, stage, of, .. } = figures;
    let mut labels = format!("api=\"{}\",stage=\"{}\"", escape(api), escape(stage));
    let _ = match of {
        Some(FiguresOf::Method { resource, method }) => {
            write!(labels, ",method=\"{}\",resource=\"{}\"", escape(method), escape(resource))
        }
        Some(FiguresOf::Route { key }) => write!(labels, ",route=\"{}\"", escape(key)),
        None => Ok(()),
    };
    labels
}

/// Buckets count what is not longer than their bound, those before included.
fn histogram(text: &mut String, name: &str, labels: &str, times: &Histogram) {
    let mut count = 0;
    for (at, times) in times.buckets.iter().enumerate() {
        count += times;
        let bound =
            BUCKETS_MICROS.get(at).map_or("+Inf".to_owned(), |micros| (*micros as f64 / 1e6).to_string());
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
    }
    let _ = writeln!(text, "{name}_sum{{{labels}}} {}", times.sum.as_secs_f64());
    let _ = writeln!(text, "{name}_count{{{labels}}} {count}");
}

fn logs(text: &mut String, figures: LogFigures) {
    let LogFigures { written, dropped, failed } = figures;
    for (name, help, value) in [
        (
            "stagedoor_log_lines_written_total",
            "Lines of logs and requests' spans that were written.",
            written,
        ),
        ("stagedoor_log_lines_dropped_total", "The same, dropped because too many waited.", dropped),
        ("stagedoor_log_lines_failed_total", "The same, refused by where they should go.", failed),
    ] {
        figure(text, name, help, value);
    }
}

pub(super) fn head(text: &mut String, name: &str, help: &str) {
    let kind = if name.ends_with("_total") || name.ends_with("_revision") { "counter" } else { "gauge" };
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A metric without labels.
pub(super) fn figure(text: &mut String, name: &str, help: &str, value: u64) {
    head(text, name, help);
    let _ = writeln!(text, "{name} {value}");
}

/// As label values are written.
pub(super) fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pages_have_their_form() {
        let mut buckets = [0; BUCKETS_MICROS.len() + 1];
        (buckets[0], buckets[2]) = (1, 2);
        let times = Histogram { sum: Duration::from_millis(15), buckets };
        let of_stage = StageFigures {
            api: "a".to_owned(),
            stage: "$default".to_owned(),
            of: None,
            requests: 3,
            client_errors: 1,
            server_errors: 0,
            latency: times,
            integration_latency: Histogram::default(),
            cache_hits: 0,
            cache_misses: 0,
            data_processed: 10,
        };
        let key = Some(FiguresOf::Route { key: "GET /\"x\"".to_owned() });
        let of_route = StageFigures { of: key, ..of_stage.clone() };
        let mut page = String::new();
        stages(&mut page, &[of_stage, of_route]);
        for line in [
            "stagedoor_stage_count_total{api=\"a\",stage=\"$default\"} 3",
            "stagedoor_stage_latency_seconds_bucket{api=\"a\",stage=\"$default\",le=\"0.001\"} 1",
            "stagedoor_stage_latency_seconds_bucket{api=\"a\",stage=\"$default\",le=\"0.01\"} 3",
            "stagedoor_stage_latency_seconds_bucket{api=\"a\",stage=\"$default\",le=\"+Inf\"} 3",
            "stagedoor_stage_latency_seconds_sum{api=\"a\",stage=\"$default\"} 0.015",
            "stagedoor_route_count_total{api=\"a\",stage=\"$default\",route=\"GET /\\\"x\\\"\"} 3",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} in {page}");
        }
    }
}
