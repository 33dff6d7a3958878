//! Whether the listeners' ports can be had, and who has those that cannot.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use super::Finding;
use crate::config::Config;

const CHECK: &str = "ports";

/// `running` says that a server of ours answers at the HTTP port.
pub(super) fn examine(config: &Config, running: bool) -> Vec<Finding> {
    let mut listeners = vec![
        ("listen", config.listen, false),
        ("media-listen", config.media_listen, true),
        ("rtmp-listen", config.rtmp_listen, false),
        ("rtmps-listen", config.rtmps_listen, false),
    ];
    listeners.extend(config.tls.as_ref().map(|tls| ("tls-listen", tls.listen, false)));
    listeners.into_iter().map(|(option, address, is_udp)| port(option, address, is_udp, running)).collect()
}

fn port(option: &str, address: SocketAddr, is_udp: bool, running: bool) -> Finding {
    let protocol = if is_udp { "UDP" } else { "TCP" };
    let bound = if is_udp {
        // Media is taken over both.
        UdpSocket::bind(address).map(drop).and_then(|()| TcpListener::bind(address).map(drop))
    } else {
        TcpListener::bind(address).map(drop)
    };
    let Err(error) = bound else {
        return Finding::ok(CHECK, format!("{protocol} {address} ({option}) is free"));
    };
    match error.kind() {
        ErrorKind::AddrInUse if running => {
            Finding::ok(CHECK, format!("{protocol} {address} ({option}) is in use; a Stagedoor runs here"))
        }
        ErrorKind::AddrInUse => {
            let owner = owner(address.port()).map_or_else(String::new, |owner| format!(" by {owner}"));
            Finding::error(
                CHECK,
                format!("{protocol} {address} ({option}) is in use{owner}"),
                format!(
                    "end that program, or choose another address with --{option}; port 0 finds a free one"
                ),
            )
        }
        ErrorKind::PermissionDenied => Finding::error(
            CHECK,
            format!("{protocol} {address} ({option}) is not allowed to this user"),
            format!(
                "choose a port from 1024 on with --{option}, or give the program the capability CAP_NET_BIND_SERVICE"
            ),
        ),
        ErrorKind::AddrNotAvailable => Finding::error(
            CHECK,
            format!("{address} ({option}) is no address of this machine"),
            format!("choose one with --{option}: 127.0.0.1, or 0.0.0.0 for all"),
        ),
        _ => Finding::error(
            CHECK,
            format!("{protocol} {address} ({option}): {error}"),
            format!("see --{option}"),
        ),
    }
}

/// Name and id of the process that has a port, where the system tells (Linux, `/proc`).
fn owner(port: u16) -> Option<String> {
    let inodes: Vec<String> =
        ["tcp", "tcp6", "udp", "udp6"].iter().flat_map(|table| inodes(table, port)).collect();
    let sockets: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let id = process.file_name().to_string_lossy().into_owned();
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let mut links = files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        if links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str())) {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (process {id})", name.trim()));
        }
    }
    None
}

/// Inodes of the sockets of a table of `/proc/net` that are bound to the port and talk to nobody in particular.
fn inodes(table: &str, port: u16) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
    let ending = format!(":{port:04X}");
    let lines = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let waits = fields.get(2)?.ends_with(":0000");
        (fields.get(1)?.ends_with(&ending) && waits)
            .then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_port_in_use_names_its_owner() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let finding = port("listen", address, false, false);
        assert_eq!(finding.level, Level::Error);
        let me = format!("process {}", std::process::id());
        assert!(!cfg!(target_os = "linux") || finding.what.contains(&me), "{finding:?}");
        drop(listener);
        assert_eq!(port("listen", address, false, false).level, Level::Ok);
    }
}
