//! The one table of allowed arrows between our crates, compared with what `cargo metadata` finds.
//!
//! Few arrows are the point of the design: a control plane never sees a data plane, nor the other way round, and the
//! pure crates see nothing that could do I/O. A new arrow is a change of the design; say why where you propose it.

use serde_json::Value;

use super::Complaints;
use crate::Result;

/// Each crate and the crates it may use. Everything that is not here is forbidden.
const ALLOWED: &[(&str, &[&str])] = &[
    // The binary puts the parts together, so it may name each of them.
    (
        "stagedoor",
        &[
            "stagedoor-api",
            "stagedoor-apigateway",
            "stagedoor-apigatewayv2",
            "stagedoor-auth",
            "stagedoor-cli",
            "stagedoor-gateway",
            "stagedoor-ivs",
            "stagedoor-media",
            "stagedoor-model",
            "stagedoor-sfu",
            "stagedoor-state",
            "stagedoor-store",
            "stagedoor-wire",
        ],
    ),
    ("stagedoor-cli", &["stagedoor-wire", "stagedoor-model", "stagedoor-auth"]),
    // Control planes: they change documents.
    ("stagedoor-apigateway", CONTROL_PLANE),
    // Whether a mapping is an expression at all is asked of the parser by which the gateway reads it.
    (
        "stagedoor-apigatewayv2",
        &["stagedoor-api", "stagedoor-model", "stagedoor-state", "stagedoor-vtl", "stagedoor-wire"],
    ),
    ("stagedoor-ivs", CONTROL_PLANE),
    // Data planes: they read prepared snapshots of the documents and write events.
    // A gateway's documents are AWS's own shapes (`api`), and it follows the store's change feed by itself.
    (
        "stagedoor-gateway",
        &[
            "stagedoor-api",
            "stagedoor-state",
            "stagedoor-store",
            "stagedoor-auth",
            "stagedoor-http1",
            "stagedoor-vtl",
        ],
    ),
    (
        "stagedoor-media",
        &["stagedoor-state", "stagedoor-auth", "stagedoor-dtls", "stagedoor-sfu", "stagedoor-rtmp"],
    ),
    // What both stand on.
    (
        "stagedoor-state",
        &["stagedoor-api", "stagedoor-auth", "stagedoor-model", "stagedoor-store", "stagedoor-wire"],
    ),
    ("stagedoor-store", &[]),
    ("stagedoor-wire", &["stagedoor-model", "stagedoor-auth"]),
    ("stagedoor-api", &["stagedoor-model"]),
    ("stagedoor-model", &[]),
    ("stagedoor-auth", &[]),
    ("stagedoor-dtls", &[]),
    ("stagedoor-http1", &[]),
    ("stagedoor-rtmp", &[]),
    ("stagedoor-sfu", &[]),
    ("stagedoor-vtl", &[]),
    // Tests only: what crates share in their tests. Only `[dev-dependencies]` may name it.
    (
        TESTKIT,
        &[
            "stagedoor-api",
            "stagedoor-auth",
            "stagedoor-model",
            "stagedoor-state",
            "stagedoor-store",
            "stagedoor-wire",
        ],
    ),
    // Load for the measurements: clients only, so what they need of the media plane and no more.
    ("stagedoor-load", &["stagedoor-media", "stagedoor-sfu"]),
    ("xtask", &["stagedoor-model"]),
];

const CONTROL_PLANE: &[&str] = &["stagedoor-api", "stagedoor-model", "stagedoor-state", "stagedoor-wire"];

/// What tests may name besides: with these they make the server's insides that their crate is handed in life.
const FOR_TESTS: &[&str] = &[TESTKIT, "stagedoor-auth", "stagedoor-store"];

const TESTKIT: &str = "stagedoor-testkit";

/// Crates that do no I/O of their own; anything that could is kept out of their `[dependencies]`.
const PURE: &[&str] = &[
    "stagedoor-auth",
    "stagedoor-dtls",
    "stagedoor-http1",
    "stagedoor-rtmp",
    "stagedoor-sfu",
    "stagedoor-vtl",
    "stagedoor-wire",
    "stagedoor-model",
];

/// Outside crates through which a pure crate could reach a clock, a socket, a file or randomness.
const NOT_PURE: &[&str] =
    &["tokio", "mio", "socket2", "reqwest", "hyper-util", "getrandom", "rand", "chrono", "time"];

/// Complaints about each arrow of the workspace that the table does not allow.
pub(super) fn check(metadata: &Value) -> Result<Complaints> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let ours: Vec<&Value> = packages.iter().filter(|package| package["source"].is_null()).collect();
    let names: Vec<&str> = ours.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut complaints = Vec::new();
    for package in &ours {
        let from = package["name"].as_str().ok_or("a package without a name")?;
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == from) else {
            complaints.push(format!("{from}: not in the table of arrows; say what it may use"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().ok_or("a dependency without a name")?;
            let tests_only = dependency["kind"] == "dev";
            if let Some(complaint) = forbidden(from, to, tests_only, allowed, names.contains(&to)) {
                complaints.push(complaint);
            }
        }
    }
    Ok(complaints)
}

/// Why an arrow may not be, if so.
fn forbidden(from: &str, to: &str, tests_only: bool, allowed: &[&str], ours: bool) -> Option<String> {
    if !ours {
        let impure = !tests_only && PURE.contains(&from) && NOT_PURE.contains(&to);
        return impure
            .then(|| format!("{from} -> {to}: a pure crate takes time, bytes and randomness as arguments"));
    }
    let fine = allowed.contains(&to) || (tests_only && (FOR_TESTS.contains(&to) || to == from));
    let why = if to == TESTKIT { "only tests may use it" } else { "not in the table of arrows" };
    (!fine).then(|| format!("{from} -> {to}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(from: &str, to: &str, kind: Option<&str>) -> usize {
        let package = |name: &str, dependencies: Value| serde_json::json!({"name": name, "source": null, "dependencies": dependencies});
        let metadata = serde_json::json!({"packages": [
            package(from, serde_json::json!([{"name": to, "kind": kind}])),
            package("stagedoor-media", serde_json::json!([])),
            package("stagedoor-state", serde_json::json!([])),
            package("stagedoor-testkit", serde_json::json!([])),
        ]});
        check(&metadata).expect("the metadata is well formed").len()
    }

    #[test]
    fn only_arrows_of_the_table_pass() {
        assert_eq!(complaints("stagedoor-ivs", "stagedoor-state", None), 0);
        assert_eq!(
            complaints("stagedoor-ivs", "stagedoor-media", None),
            1,
            "a control plane sees no data plane"
        );
        assert_eq!(complaints("stagedoor-ivs", "stagedoor-media", Some("dev")), 1, "not even in its tests");
        assert_eq!(complaints("stagedoor-ivs", "stagedoor-testkit", Some("dev")), 0);
        assert_eq!(complaints("stagedoor-ivs", "stagedoor-testkit", None), 1, "the testkit is for tests");
        assert_eq!(complaints("stagedoor-sfu", "tokio", None), 1, "a pure crate does no I/O");
        assert_eq!(complaints("stagedoor-sfu", "tokio", Some("dev")), 0);
        assert_eq!(complaints("stagedoor-ivs", "tokio", None), 0);
        assert_eq!(complaints("stagedoor-stranger", "tokio", None), 1, "a new crate must be listed");
    }
}
