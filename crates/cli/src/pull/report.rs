//! What a copy did, line by line.

use std::fmt::Write as _;

use serde_json::json;

use crate::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Created,
    Updated,
    /// It was there already and says the same.
    Unchanged,
    /// Something has another id at the target, or a part of it stays behind.
    Note,
    /// It should have been copied and was not.
    NotCopied,
}

impl Did {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Note => "note",
            Self::NotCopied => "not copied",
        }
    }
}

#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<(Did, String, String)>,
}

impl Report {
    /// `what` is a thing with its name, `why` may be empty.
    pub fn add(&mut self, did: Did, what: impl Into<String>, why: impl Into<String>) {
        self.lines.push((did, what.into(), why.into()));
    }

    /// Notes a failure and goes on.
    pub fn failed(&mut self, what: impl Into<String>, failure: &Failure) {
        self.add(Did::NotCopied, what, failure.to_string().trim().to_owned());
    }

    pub fn is_complete(&self) -> bool {
        self.lines.iter().all(|(did, ..)| *did != Did::NotCopied)
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        for (did, what, why) in &self.lines {
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            let _ = writeln!(out, "{:<10}  {what}{why}", did.name());
        }
        out
    }

    pub fn json(&self) -> String {
        let lines =
            self.lines.iter().map(|(did, what, why)| json!({"did": did.name(), "what": what, "why": why}));
        let lines: Vec<_> = lines.collect();
        format!("{}\n", serde_json::to_string_pretty(&lines).unwrap_or_default())
    }
}
