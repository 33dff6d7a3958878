//! The metrics page, in Prometheus' text format. Each part of the server counts; here it is only written down.

use std::fmt::Write as _;

use stagedoor_gateway::StageFigures;

use super::Server;

/// All metrics.
pub fn text(server: &Server) -> String {
    let mut text = String::new();
    head(&mut text, "stagedoor_store_revision", "Commits made to the store.");
    let _ = writeln!(text, "stagedoor_store_revision {}", server.store.head().get());
    stages(&mut text, &server.gateway.metrics());
    for (name, help, value) in server.media.counters().each() {
        let name = format!("stagedoor_media_{name}");
        head(&mut text, &name, help);
        let _ = writeln!(text, "{name} {value}");
    }
    text
}

/// A counter or gauge of every stage: name, help, and how to read it.
type Reading = (&'static str, &'static str, fn(&StageFigures) -> f64);

/// CloudWatch's names, spelled as Prometheus wants them.
const STAGE_READINGS: [Reading; 7] = [
    ("stagedoor_stage_count_total", "Requests (Count).", |stage| stage.requests as f64),
    ("stagedoor_stage_4xx_error_total", "Client errors (4XXError).", |stage| stage.client_errors as f64),
    ("stagedoor_stage_5xx_error_total", "Server errors (5XXError).", |stage| stage.server_errors as f64),
    ("stagedoor_stage_latency_seconds_total", "Time until answers were ready (Latency).", |stage| {
        stage.latency.as_secs_f64()
    }),
    (
        "stagedoor_stage_integration_latency_seconds_total",
        "The part of it spent waiting for integrations (IntegrationLatency).",
        |stage| stage.integration_latency.as_secs_f64(),
    ),
    ("stagedoor_stage_cache_hit_count_total", "Answers from the cache (CacheHitCount).", |stage| {
        stage.cache_hits as f64
    }),
    (
        "stagedoor_stage_cache_miss_count_total",
        "Answers that the cache did not have (CacheMissCount).",
        |stage| stage.cache_misses as f64,
    ),
];

fn stages(text: &mut String, figures: &[StageFigures]) {
    for (name, help, read) in STAGE_READINGS {
        head(text, name, help);
        for stage in figures {
            let (api, label) = (escape(&stage.api), escape(&stage.stage));
            let _ = writeln!(text, "{name}{{api=\"{api}\",stage=\"{label}\"}} {}", read(stage));
        }
    }
}

fn head(text: &mut String, name: &str, help: &str) {
    let kind = if name.ends_with("_total") || name.ends_with("_revision") { "counter" } else { "gauge" };
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// As label values are written.
fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
