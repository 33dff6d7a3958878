//! Limits of the system: open files, which connections count against, and the buffers of UDP sockets.

use super::Finding;

/// Enough for some thousand connections.
const FILES: u64 = 4096;
/// What each socket of the media plane asks for, in bytes.
const BUFFER_BYTES: u64 = 4 * 1024 * 1024;

pub(super) fn examine() -> Vec<Finding> {
    let mut findings: Vec<Finding> = files().into_iter().collect();
    findings.extend(["rmem_max", "wmem_max"].into_iter().filter_map(buffer));
    findings
}

#[cfg(unix)]
fn files() -> Option<Finding> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    let shown = |limit: u64| if limit == u64::MAX { "unlimited".to_owned() } else { limit.to_string() };
    let what = format!("{} open files are allowed, at most {}", shown(soft), shown(hard));
    let advice = format!("ulimit -n {}, or LimitNOFILE= in the service's unit", hard.clamp(FILES, 65_536));
    Some(if soft >= FILES {
        Finding::ok("open files", what)
    } else {
        Finding::warning("open files", what, advice)
    })
}

#[cfg(not(unix))]
fn files() -> Option<Finding> {
    None
}

/// Nothing where the system does not say.
fn buffer(name: &str) -> Option<Finding> {
    let text = std::fs::read_to_string(format!("/proc/sys/net/core/{name}")).ok()?;
    let bytes: u64 = text.trim().parse().ok()?;
    let what = format!("sockets may have {bytes} bytes (net.core.{name})");
    let advice = format!("for many publishers: sysctl -w net.core.{name}={BUFFER_BYTES}");
    Some(if bytes >= BUFFER_BYTES {
        Finding::ok("UDP buffers", what)
    } else {
        Finding::warning("UDP buffers", what, advice)
    })
}
