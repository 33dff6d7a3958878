//! The server under test for the AWS SDK for Rust: starts the real binary on free loopback ports and ends it.
#![expect(clippy::disallowed_methods, reason = "a test's own edge: it reads which server to start")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The address that a test's client is told; the signature's region.
pub const REGION: &str = "us-east-1";

/// A running `stagedoor serve` on an empty data directory. Dropping it ends the process.
pub struct Server {
    process: Child,
    /// `http://127.0.0.1:41234`
    pub http: String,
    _data: TempDir,
}

impl Server {
    /// Starts the server that `STAGEDOOR_BIN` names and waits until it is ready.
    ///
    /// # Panics
    /// If it cannot be started or does not say that it is ready.
    pub fn start() -> Self {
        let program = std::env::var("STAGEDOOR_BIN").expect("STAGEDOOR_BIN names the server's program");
        let data = TempDir::new().expect("a temporary directory");
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(data.path());
        for port in ["listen", "media-listen", "rtmp-listen", "rtmps-listen"] {
            command.args([&format!("--{port}"), "127.0.0.1:0"]);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut ready = String::new();
        let output = process.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut ready).expect("the server says that it is ready");
        let addresses: serde_json::Value = serde_json::from_str(&ready).expect("it says so in JSON");
        let http = addresses["http"].as_str().expect("with its address").to_owned();
        Self { process, http, _data: data }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended by itself cannot be ended; the test has failed for that reason already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
