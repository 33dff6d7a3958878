//! The parts of the test run, and how each is started.

use std::path::PathBuf;

use crate::Result;
use crate::{process, workspace};

use super::python;
use super::tally::Tally;

/// One part of the test run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Unit and integration tests of every crate.
    Rust,
    /// Examples in the documentation.
    Doc,
    /// The first command of the README.
    Demo,
    /// Python clients against a running server.
    Clients,
    /// Chromium and the JavaScript SDK against a running server.
    Browser,
}

impl Part {
    /// All parts in the order in which they run.
    pub(super) const ALL: [Part; 5] = [Part::Rust, Part::Doc, Part::Demo, Part::Clients, Part::Browser];

    pub(super) fn named(name: &str) -> Result<Part> {
        Ok(match name {
            "rust" => Part::Rust,
            "doc" => Part::Doc,
            "demo" => Part::Demo,
            "clients" => Part::Clients,
            "browser" => Part::Browser,
            _ => return Err(format!("no such part of the tests: {name}").into()),
        })
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Part::Rust => "tests of the crates",
            Part::Doc => "examples in the documentation",
            Part::Demo => "cargo run --release -- demo",
            Part::Clients => "AWS and media clients in Python against the server",
            Part::Browser => "Chromium and the JavaScript SDK against the server",
        }
    }

    pub(super) fn run(self, tally: &mut Tally) -> Result {
        match self {
            Part::Rust if has_nextest() => tally.run(&mut process::cargo(&[
                "nextest",
                "run",
                "--workspace",
                "--locked",
                "--no-fail-fast",
                "--color=never",
                "--show-progress=none",
            ])),
            Part::Rust => tally.run(&mut process::cargo(&[
                "test",
                "--workspace",
                "--locked",
                "--no-fail-fast",
                "--lib",
                "--bins",
                "--tests",
            ])),
            Part::Doc => tally.run(&mut process::cargo(&["test", "--workspace", "--locked", "--doc"])),
            Part::Demo => {
                process::run(&mut process::cargo(&["run", "--release", "--locked", "--", "demo"]))?;
                tally.passed += 1;
                Ok(())
            }
            Part::Clients => {
                let (server, conformance) = (server()?, wire_conformance()?);
                let python = python::interpreter();
                let mut pytest =
                    process::command(python, &["-m", "pytest", "tests/clients", "-q", "--color=no"]);
                pytest.env("STAGEDOOR_BIN", server).env("STAGEDOOR_WIRE_CONFORMANCE", conformance);
                pytest.env("STAGEDOOR_LOAD", load()?);
                tally.run(pytest.env("STAGEDOOR_RUST_FUNCTION", rust_function()?))
            }
            Part::Browser => {
                let mut node = process::command("node", &["--test", "--test-reporter=tap"]);
                node.current_dir(workspace::root().join("tests/browser"));
                tally.run(node.env("STAGEDOOR_BIN", server()?))
            }
        }
    }
}

/// Builds the server as it is shipped; its path. The demo builds the same, so all parts share one compilation.
pub(crate) fn server() -> Result<PathBuf> {
    process::run(&mut process::cargo(&["build", "--release", "--locked", "-p", "stagedoor"]))?;
    Ok(workspace::target_folder().join("release/stagedoor"))
}

/// Builds the load generator of real-time stages; its path.
pub(crate) fn load() -> Result<PathBuf> {
    process::run(&mut process::cargo(&["build", "--release", "--locked", "-p", "stagedoor-load"]))?;
    Ok(workspace::target_folder().join("release/stagedoor-load"))
}

/// Builds the program that shows what the wire engine makes of requests; its path.
fn wire_conformance() -> Result<PathBuf> {
    let example = ["build", "--release", "--locked", "-p", "stagedoor-wire", "--example", "wire_conformance"];
    process::run(&mut process::cargo(&example))?;
    Ok(workspace::target_folder().join("release/examples/wire_conformance"))
}

/// Builds a function on AWS's runtime client for Rust; its path. Its target folder is that of the other workspace for
/// tests.
fn rust_function() -> Result<PathBuf> {
    let (manifest, target) = ("tests/function-rust/Cargo.toml", "tests/sdk-rust/target");
    let build = ["build", "--locked", "--manifest-path", manifest, "--target-dir", target];
    process::run(&mut process::cargo(&build))?;
    Ok(workspace::root().join(target).join("debug/stagedoor-function-rust"))
}

fn has_nextest() -> bool {
    process::output(&mut process::cargo(&["nextest", "--version"])).is_ok()
}

/// Installs cargo-nextest; without it the plain `cargo test` does the work.
pub(super) fn install_nextest() {
    if has_nextest() {
        return;
    }
    println!("installing cargo-nextest, which runs the tests of all crates side by side");
    if let Err(error) = process::run(&mut process::cargo(&["install", "cargo-nextest", "--locked"])) {
        println!("no cargo-nextest ({error}); `cargo test` will do");
    }
}
