//! `cargo xtask tidy`: rules of our own that no compiler checks. Each rule is one file; this one lists them.
//!
//! A rule answers its complaints as lines that begin with the place. All rules run, so that one call shows everything.

mod arrows;
mod heads;
mod lengths;
mod licences;
mod unimplemented;
mod untested;
mod words;

use crate::Result;
use crate::workspace;

/// What one rule has to say: one line per place that breaks it.
type Complaints = Vec<String>;

/// Runs every rule; fails when one of them complains.
pub(crate) fn run() -> Result {
    let metadata = workspace::metadata()?;
    let sources = workspace::files(".rs")?;
    let rules: [(&str, Complaints); 7] = [
        ("arrows between crates", arrows::check(&metadata)?),
        ("licences and banned crates", licences::check()?),
        ("heads of files and markers in them", heads::check(&sources)?),
        ("lengths of files", lengths::check(&sources)?),
        ("words and paths that do not belong here", words::check()?),
        ("models/unimplemented.txt", unimplemented::check()?),
        ("models/untested.txt", untested::check(&sources)?),
    ];
    let mut complaints = 0;
    for (rule, found) in &rules {
        println!("tidy: {rule}: {}", if found.is_empty() { "ok" } else { "broken" });
        for complaint in found {
            eprintln!("  {complaint}");
        }
        complaints += found.len();
    }
    if complaints == 0 { Ok(()) } else { Err(format!("tidy found {complaints} places to put right").into()) }
}
