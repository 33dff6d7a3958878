//! Keeps out of the project what only means something on one machine: absolute paths of somebody's home or work
//! folder, and the hosts of package registries, which the ordinary clients know by themselves.

use std::path::Path;

use super::Complaints;
use crate::Result;
use crate::workspace;

/// Files that people read or that steer the build.
const ENDINGS: [&str; 12] =
    [".rs", ".md", ".toml", ".py", ".mjs", ".js", ".json", ".txt", ".sh", ".yml", ".html", "run"];

/// Beginnings of paths that belong to one machine. Built from parts, so that this file does not find itself.
const PATHS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// Hosts of registries: naming one would tie a build to it.
const HOSTS: [&str; 4] = [
    concat!("registry.", "npmjs.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("index.", "crates.io"),
    concat!("deb.", "debian.org"),
];

/// Complaints about such words in any file that people write.
pub(super) fn check() -> Result<Complaints> {
    let mut complaints = Vec::new();
    for ending in ENDINGS {
        for path in workspace::files(ending)? {
            // A file that is not text has no words.
            if let Ok(text) = workspace::read(&path) {
                complaints.extend(complaints_about(&path, &text));
            }
        }
    }
    Ok(complaints)
}

fn complaints_about(path: &Path, text: &str) -> Complaints {
    let mut complaints = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in PATHS {
            if line.match_indices(word).any(|(at, _)| begins_a_path(line, at)) {
                complaints.push(format!("{}:{}: a path of one machine: {word}", path.display(), index + 1));
            }
        }
        for word in HOSTS {
            if line.contains(word) {
                complaints.push(format!("{}:{}: names a package registry's host", path.display(), index + 1));
            }
        }
    }
    complaints
}

/// Whether a slash here begins an absolute path, not the middle of a relative path or of a URL.
fn begins_a_path(line: &str, at: usize) -> bool {
    let before = line[..at].chars().next_back();
    !before.is_some_and(|letter| letter.is_alphanumeric() || "}.-_*~/".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_a_machine_are_found() {
        let check = |line: &str| complaints_about(Path::new("a.md"), line).len();
        assert_eq!(check(concat!("see /ro", "ot/project")), 1);
        assert_eq!(check(concat!("see `/ho", "me/somebody`")), 1);
        assert_eq!(check(concat!("GET {base}/ho", "me/page")), 0);
        assert_eq!(check("models/work/page and target/release"), 0);
        assert_eq!(check(concat!("https://registry.", "npmjs.org/x")), 1);
    }
}
