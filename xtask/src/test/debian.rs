//! Debian packages, for the programs that the tests start. A program that is on the path already is not asked for.

use crate::Result;
use crate::process;

/// A program that the tests start, and the package that brings it.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    /// Names under which it may be on the path; one is enough.
    names: &'static [&'static str],
    package: &'static str,
}

const PYTHON: Program = Program { names: &["python3"], package: "python3" };
const CURL: Program = Program { names: &["curl"], package: "curl" };
const NODE: Program = Program { names: &["node"], package: "nodejs" };
const NPM: Program = Program { names: &["npm"], package: "npm" };
const CHROMIUM: Program =
    Program { names: &["chromium", "chromium-browser", "google-chrome"], package: "chromium" };

const TURN: Program = Program { names: &["turnserver"], package: "coturn" };
const FFMPEG: Program = Program { names: &["ffmpeg"], package: "ffmpeg" };

const NODE_HEADERS: Program = Program { names: &["/usr/include/node/node_api.h"], package: "libnode-dev" };
const MAKE: Program = Program { names: &["make"], package: "make" };
const CXX: Program = Program { names: &["g++"], package: "g++" };
const CMAKE: Program = Program { names: &["cmake"], package: "cmake" };
const AUTOCONF: Program = Program { names: &["autoreconf"], package: "autoconf" };
const AUTOMAKE: Program = Program { names: &["automake"], package: "automake" };
const LIBTOOL: Program = Program { names: &["libtoolize"], package: "libtool" };

/// What the Python tests start, and what builds AWS's runtime client for Node.js.
pub(crate) const FOR_CLIENTS: [Program; 12] =
    [PYTHON, CURL, FFMPEG, NODE, NPM, NODE_HEADERS, MAKE, CXX, CMAKE, AUTOCONF, AUTOMAKE, LIBTOOL];
/// GStreamer's webrtcbin with what it encodes and decodes, found by their files, and the namespace that it runs in.
pub(crate) const FOR_GSTREAMER: [Program; 6] = [
    Program { names: &["ip", "/usr/sbin/ip"], package: "iproute2" },
    Program { names: &["/usr/lib/python3/dist-packages/gi/__init__.py"], package: "python3-gi" },
    Program {
        names: &[
            "/usr/lib/x86_64-linux-gnu/girepository-1.0/GstWebRTC-1.0.typelib",
            "/usr/lib/aarch64-linux-gnu/girepository-1.0/GstWebRTC-1.0.typelib",
        ],
        package: "gir1.2-gst-plugins-bad-1.0",
    },
    Program {
        names: &[
            "/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstwebrtc.so",
            "/usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgstwebrtc.so",
        ],
        package: "gstreamer1.0-plugins-bad",
    },
    Program {
        names: &[
            "/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstvpx.so",
            "/usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgstvpx.so",
        ],
        package: "gstreamer1.0-plugins-good",
    },
    Program {
        names: &[
            "/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstnice.so",
            "/usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgstnice.so",
        ],
        package: "gstreamer1.0-nice",
    },
];
/// What the browser tests start.
pub(crate) const FOR_BROWSER: [Program; 4] = [NODE, NPM, CHROMIUM, TURN];
/// What the measurements start: servers to stand beside ours, and a load generator.
pub(crate) const FOR_BENCH: [Program; 8] = [
    Program { names: &["nginx", "/usr/sbin/nginx"], package: "nginx-light" },
    Program { names: &["haproxy", "/usr/sbin/haproxy"], package: "haproxy" },
    Program { names: &["wrk"], package: "wrk" },
    Program { names: &["valgrind"], package: "valgrind" },
    Program { names: &["strace"], package: "strace" },
    Program { names: &["/usr/bin/time"], package: "time" },
    Program { names: &["janus"], package: "janus" },
    Program { names: &["ip", "/sbin/ip"], package: "iproute2" },
];

/// Installs the packages of those programs that are not there.
pub(crate) fn install_missing(programs: &[Program]) -> Result {
    let mut missing: Vec<&str> =
        programs.iter().filter(|program| !there(program)).map(|program| program.package).collect();
    if programs.iter().any(|program| program.package == PYTHON.package) && !python_makes_environments() {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !process::on_path("apt-get") {
        return Err(
            format!("missing programs, and no apt-get to install them with: {}", missing.join(" ")).into()
        );
    }
    println!("installing Debian packages: {}", missing.join(" "));
    as_root(&["apt-get", "update", "-q"])?;
    let mut install = vec!["apt-get", "install", "-y", "-q", "--no-install-recommends"];
    install.extend(missing);
    as_root(&install)
}

fn there(program: &Program) -> bool {
    program
        .names
        .iter()
        .any(|name| process::on_path(name) || name.starts_with('/') && std::path::Path::new(name).is_file())
}

/// Debian keeps the part of Python that makes virtual environments in a package of its own.
fn python_makes_environments() -> bool {
    process::output(&mut process::command("python3", &["-c", "import venv, ensurepip"])).is_ok()
}

fn as_root(arguments: &[&str]) -> Result {
    let is_root = process::output(&mut process::command("id", &["-u"]))?.trim() == "0";
    let mut whole = vec!["env", "DEBIAN_FRONTEND=noninteractive"];
    whole.extend(arguments);
    if !is_root {
        whole.insert(0, "sudo");
    }
    process::run(&mut process::command(whole[0], &whole[1..]))
}
