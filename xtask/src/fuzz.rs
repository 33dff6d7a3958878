//! `cargo xtask fuzz`: builds the targets of `fuzz/` with what libFuzzer needs to see, and runs them.
//!
//! All of it is stable Rust: the compiler's coverage instrumentation is an LLVM pass, and memory is watched from
//! outside (`-rss_limit_mb`), so no sanitizer and no nightly compiler is needed. Inputs that found something new are
//! kept in `fuzz/corpus/TARGET` (not committed); small ones to begin with are `fuzz/seeds/TARGET`, words of the
//! language `fuzz/words/TARGET`. What crashed, hung or ate memory lands in `fuzz/artifacts/TARGET`, and beside it what
//! libFuzzer printed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process;
use crate::workspace;

const MANIFEST: &str = "fuzz/Cargo.toml";
/// As cargo-fuzz passes them.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Seconds that one input may take, by the clock: also on a machine that has other work.
const INPUT_SECONDS_MAX: u32 = 10;
/// Memory that a target may hold, in MiB. Each holds a few MiB by itself.
const MEMORY_MIB_MAX: u32 = 1024;
/// Longest input, in bytes: parsers that read more in one go are bounded by tests of their own.
const INPUT_BYTES_MAX: u32 = 8192;
const SECONDS: u32 = 30;
/// Of what a target printed, shown if it found something.
const FAILURE_LINES: usize = 40;

/// How `cargo xtask fuzz` was called.
pub(crate) struct Options {
    /// All of them if it names none.
    targets: Vec<String>,
    /// Time for each target; 0 runs only what is kept.
    seconds: u32,
}

impl Options {
    /// Reads the options after `cargo xtask fuzz`.
    pub(crate) fn parse(options: &[String]) -> Result<Options> {
        let mut parsed = Options { targets: Vec::new(), seconds: SECONDS };
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            match option.as_str() {
                "--seconds" => parsed.seconds = rest.next().ok_or("--seconds wants a number")?.parse()?,
                flag if flag.starts_with('-') => return Err(format!("no such option of fuzz: {flag}").into()),
                target => parsed.targets.push(target.to_owned()),
            }
        }
        Ok(parsed)
    }
}

/// Builds the targets, runs one after the other and says what each did; fails at the end if one of them found something.
pub(crate) fn run(options: &Options) -> Result {
    let known = targets(&workspace::read(Path::new(MANIFEST))?)?;
    if let Some(unknown) = options.targets.iter().find(|name| !known.contains(name)) {
        return Err(format!("no such target: {unknown}; there are {}", known.join(", ")).into());
    }
    let chosen = if options.targets.is_empty() { &known } else { &options.targets };
    let folder = process::step("build the targets", || build(chosen))?;
    let mut told = String::new();
    let mut failed = Vec::new();
    for target in chosen {
        let log = workspace::root().join("fuzz/artifacts").join(format!("{target}.log"));
        let ran = process::step(target, || fuzz(&folder.join(target), target, options.seconds, &log));
        let printed = String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned();
        let end = if ran.is_ok() { "" } else { "  FOUND SOMETHING" };
        told.push_str(&format!("{target:<18}{}{end}\n", summary(&printed)));
        if ran.is_err() {
            println!("{}", last_lines(&printed, FAILURE_LINES));
            failed.push(target.as_str());
        }
    }
    println!("{:<18}{:>10}{:>15}{:>9}{:>6}\n{told}", "target", "inputs", "edges", "corpus", "MiB");
    if failed.is_empty() { Ok(()) } else { Err(format!("look into {}", failed.join(", ")).into()) }
}

/// What libFuzzer printed, in columns: inputs that were tried, edges of the code that were reached at the beginning and
/// at the end, inputs that are worth keeping, memory at the most.
fn summary(printed: &str) -> String {
    let number = |line: &str, name: &str| -> Option<u64> {
        let digits = line.split_once(name)?.1.trim_start();
        digits.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    };
    let last = |name: &str| printed.lines().rev().find_map(|line| number(line, name)).unwrap_or_default();
    let first = |name: &str| {
        let begin = printed.lines().find(|line| line.contains("\tINITED "))?;
        number(begin, name)
    };
    let (inputs, memory) = (last("stat::number_of_executed_units:"), last("stat::peak_rss_mb:"));
    let (before, after) = (first(" cov:").unwrap_or_default(), last(" cov:"));
    format!("{inputs:>10}{before:>7}-> {after:<5}{:>9}{memory:>6}", last(" corp:"))
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The names of the programs that a manifest lists.
fn targets(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let programs = manifest.get("bin").and_then(toml::Value::as_array).ok_or("no programs")?;
    let names = programs.iter().filter_map(|program| program.get("name")?.as_str());
    Ok(names.map(str::to_owned).collect())
}

/// Builds these targets; the folder they are in then.
fn build(targets: &[String]) -> Result<PathBuf> {
    let compiler = process::output(&mut process::command("rustc", &["-vV"]))?;
    let host =
        compiler.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("a compiler without a host")?;
    // Naming the host keeps the instrumentation from what runs while building. The lock file may be behind a crate's new
    // dependency, which is no reason not to run.
    let fixed = ["build", "--manifest-path", MANIFEST, "--profile", "fuzz", "--target", host];
    let mut command = process::cargo(&fixed);
    for target in targets {
        command.args(["--bin", target]);
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace::root().join("fuzz/target"), |folder| Path::new(&folder).join("fuzz"));
    command.arg("--target-dir").arg(&folder).env("RUSTFLAGS", INSTRUMENTED);
    process::run(&mut command)?;
    Ok(folder.join(host).join("fuzz"))
}

/// Runs a target: first on all that is kept, then on what it makes of that. What it prints goes to a file.
fn fuzz(program: &Path, target: &str, seconds: u32, log: &Path) -> Result {
    let root = workspace::root().join("fuzz");
    let (corpus, artifacts) = (root.join("corpus").join(target), root.join("artifacts").join(target));
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    let mut command = Command::new(program);
    command.current_dir(&root).args([
        format!("-artifact_prefix={}/", artifacts.display()),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        "-print_final_stats=1".to_owned(),
    ]);
    command.arg(if seconds == 0 { "-runs=0".to_owned() } else { format!("-max_total_time={seconds}") });
    let words = root.join("words").join(target);
    if words.is_file() {
        command.arg(format!("-dict={}", words.display()));
    }
    // New inputs are kept in the first folder.
    command.arg(corpus);
    let seeds = root.join("seeds").join(target);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    process::run(command.stderr(File::create(log)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let parse = |text: &str| {
            let options: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            Options::parse(&options).map(|options| (options.targets.join(" "), options.seconds)).ok()
        };
        assert_eq!(parse(""), Some((String::new(), SECONDS)));
        assert_eq!(parse("vtl --seconds 5 sdp"), Some(("vtl sdp".to_owned(), 5)));
        assert_eq!(parse("--seconds"), None);
        assert_eq!(parse("--seconds soon"), None);
        assert_eq!(parse("--fast"), None);
    }

    #[test]
    fn what_was_done_is_told() {
        let printed = "INFO: seed corpus\n#8\tINITED cov: 10 ft: 12 corp: 7/1b exec/s: 0 rss: 27Mb\n\
            #90\tNEW    cov: 25 ft: 30 corp: 11/1Kb lim: 4 exec/s: 0 rss: 28Mb L: 3/5 MS: 1 X-\n\
            #99\tDONE   cov: 25 ft: 30 corp: 12/1Kb lim: 4 exec/s: 9 rss: 28Mb\n\
            stat::number_of_executed_units: 99\nstat::peak_rss_mb:              29\n";
        assert_eq!(summary(printed), "        99     10-> 25          12    29");
        assert_eq!(summary(""), "         0      0-> 0            0     0");
        assert_eq!(last_lines("a\nb\nc", 2), "b\nc");
    }

    #[test]
    fn every_target_has_its_file() {
        let manifest = workspace::read(Path::new(MANIFEST)).expect("a manifest");
        let mut listed = targets(&manifest).expect("targets");
        listed.sort();
        let folder = workspace::root().join("fuzz/fuzz_targets");
        let files = std::fs::read_dir(folder).expect("a folder");
        let names = files.map(|file| file.expect("an entry").path());
        let mut names: Vec<String> =
            names.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(listed, names);
    }
}
