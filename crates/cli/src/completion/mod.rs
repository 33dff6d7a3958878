//! `stagedoor completion`: scripts for shells, and the words that they ask the program for at each key.
//!
//! The scripts know nothing: `stagedoor completion words` answers from the tables of the services and, for the
//! server's own commands, from the same definitions as `--help`.

mod candidates;

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

pub use candidates::{Candidate, candidates};

const BASH: &str = include_str!("stagedoor.bash");
const ZSH: &str = include_str!("stagedoor.zsh");
const FISH: &str = include_str!("stagedoor.fish");

/// Print the script that completes words in a shell
#[derive(Args, Debug)]
pub struct Arguments {
    /// The shell
    shell: Shell,
    /// Instead of the script, the words that can stand where the last of these stands
    #[arg(last = true, hide = true, num_args = 0.., allow_hyphen_values = true)]
    words: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// source <(stagedoor completion bash)
    Bash,
    /// source <(stagedoor completion zsh), after compinit
    Zsh,
    /// stagedoor completion fish | source
    Fish,
}

/// What the command prints. `root` is the program's own command line.
pub fn run(arguments: Arguments, root: &clap::Command) -> String {
    let Some(words) = arguments.words else {
        return match arguments.shell {
            Shell::Bash => BASH,
            Shell::Zsh => ZSH,
            Shell::Fish => FISH,
        }
        .to_owned();
    };
    let mut out = String::new();
    for Candidate { word, what } in candidates(root, &words) {
        let _ = match arguments.shell {
            Shell::Bash => writeln!(out, "{word}"),
            Shell::Zsh if what.is_empty() => writeln!(out, "{}", word.replace(':', "\\:")),
            Shell::Zsh => writeln!(out, "{}:{what}", word.replace(':', "\\:")),
            Shell::Fish => writeln!(out, "{word}\t{what}"),
        };
    }
    out
}
