//! Licences and banned crates, from `deny.toml`, checked without a network.
//!
//! `deny.toml` is the file that `cargo deny` reads. This module reads the same lists, so that the check also runs
//! where `cargo deny` and its advisory database are not to be had.

use std::collections::BTreeSet;

use super::Complaints;
use crate::Result;
use crate::{process, workspace};

/// Complaints about dependencies whose licence is not on the list or whose name is banned.
///
/// Asks `cargo tree` for what some platform really builds; the lock file and `cargo metadata` also have crates behind
/// features that nobody turns on.
pub(super) fn check() -> Result<Complaints> {
    let rules = Rules::read(&workspace::read("deny.toml".as_ref())?)?;
    let arguments =
        ["--workspace", "--edges", "normal,build,dev", "--target", "all", "--prefix", "none", "--locked"];
    let tree = process::output(process::cargo(&["tree", "--format", "{p}|{l}"]).args(arguments))?;
    let packages: BTreeSet<&str> = tree.lines().filter(|line| !line.is_empty()).collect();
    let mut complaints = Vec::new();
    for package in packages {
        let (package, licence) = package.split_once('|').ok_or("cargo tree prints another format")?;
        let name = package.split(' ').next().unwrap_or_default();
        if let Some(reason) = rules.banned(name) {
            complaints.push(format!("{package}: banned: {reason}"));
        }
        // A package that stands in the tree again is marked so behind its licence.
        let licence = licence.trim_end_matches("(*)").trim_end();
        if !rules.allows(name, licence) {
            complaints.push(format!("{package}: licence {licence:?} is not on the list of deny.toml"));
        }
    }
    Ok(complaints)
}

/// The lists of `deny.toml` that this module applies.
struct Rules {
    licences: Vec<String>,
    /// Single crates and the licences allowed for them alone.
    exceptions: Vec<(String, Vec<String>)>,
    banned: Vec<(String, String)>,
}

impl Rules {
    fn read(text: &str) -> Result<Rules> {
        let file: toml::Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
        let licences = file.get("licenses").ok_or("deny.toml has no [licenses]")?;
        let exceptions = licences.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten();
        let banned = file
            .get("bans")
            .and_then(|bans| bans.get("deny"))
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten();
        Ok(Rules {
            licences: strings(licences.get("allow")),
            exceptions: exceptions
                .map(|entry| (string(entry, "crate"), strings(entry.get("allow"))))
                .collect(),
            banned: banned.map(|entry| (string(entry, "crate"), string(entry, "reason"))).collect(),
        })
    }

    fn banned(&self, name: &str) -> Option<&str> {
        self.banned.iter().find(|(banned, _)| banned == name).map(|(_, reason)| reason.as_str())
    }

    /// Whether the licence expression can be met with licences of the list.
    fn allows(&self, name: &str, expression: &str) -> bool {
        let extra =
            self.exceptions.iter().find(|(excepted, _)| excepted == name).map(|(_, licences)| licences);
        let known = |licence: &str| {
            self.licences.iter().chain(extra.into_iter().flatten()).any(|allowed| allowed == licence)
        };
        satisfied(expression, &known)
    }
}

fn strings(list: Option<&toml::Value>) -> Vec<String> {
    list.and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn string(entry: &toml::Value, key: &str) -> String {
    entry.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

/// Evaluates an SPDX licence expression: `OR` binds weaker than `AND`, `/` is an old spelling of `OR`.
fn satisfied(expression: &str, known: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, known };
    let answer = reader.either();
    answer && reader.words.is_empty()
}

struct Reader<'a> {
    words: &'a [&'a str],
    known: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    fn next_is(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn either(&mut self) -> bool {
        let mut answer = self.both();
        while self.next_is("OR") {
            answer |= self.both();
        }
        answer
    }

    fn both(&mut self) -> bool {
        let mut answer = self.one();
        while self.next_is("AND") {
            answer &= self.one();
        }
        answer
    }

    fn one(&mut self) -> bool {
        if self.next_is("(") {
            let answer = self.either();
            return self.next_is(")") && answer;
        }
        let Some((licence, rest)) = self.words.split_first() else {
            return false;
        };
        self.words = rest;
        // An exception only adds rights, so the licence alone decides.
        if self.next_is("WITH") {
            self.words = self.words.get(1..).unwrap_or_default();
        }
        (self.known)(licence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions() {
        let known = |licence: &str| ["MIT", "Apache-2.0", "BSD-3-Clause"].contains(&licence);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT/GPL-3.0", true),
            ("MIT AND GPL-3.0-only", false),
            ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", true),
            ("(MIT AND GPL-3.0-only) OR BSD-3-Clause", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT OR", true),
            ("", false),
            ("MIT) OR MIT", false),
        ] {
            assert_eq!(satisfied(expression, &known), expected, "{expression}");
        }
    }

    #[test]
    fn rules_come_from_the_file() {
        let rules = Rules::read(
            "[licenses]\nallow = ['MIT']\nexceptions = [{ crate = 'odd', allow = ['Zlib'] }]\n\
             [bans]\ndeny = [{ crate = 'bad', reason = 'why' }]\n",
        )
        .expect("the file is well formed");
        assert!(rules.allows("any", "MIT") && !rules.allows("any", "Zlib") && rules.allows("odd", "Zlib"));
        assert_eq!(rules.banned("bad"), Some("why"));
        assert_eq!(rules.banned("good"), None);
    }
}
