//! A log file that is put aside once it is long enough. Blocking; for threads that may wait.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub(super) struct RotatingFile {
    path: PathBuf,
    bytes_max: u64,
    kept: u32,
    open: Option<(File, u64)>,
}

impl RotatingFile {
    /// Touches nothing yet.
    pub(super) fn new(path: PathBuf, bytes_max: u64, kept: u32) -> Self {
        Self { path, bytes_max, kept, open: None }
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// As the file system has it; the next call tries again.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let (file, length) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(open(&self.path)?),
        };
        let written = file.write_all(lines);
        *length += lines.len() as u64;
        let full = *length >= self.bytes_max;
        if written.is_err() || full {
            self.open = None;
        }
        written?;
        if full { self.put_aside() } else { Ok(()) }
    }

    /// `x.log` becomes `x.log.1`, `x.log.1` becomes `x.log.2`; the last is deleted.
    fn put_aside(&self) -> io::Result<()> {
        if self.kept == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.kept).rev() {
            let (from, to) = (numbered(&self.path, number), numbered(&self.path, number + 1));
            if from.exists() {
                fs::rename(from, to)?;
            }
        }
        fs::rename(&self.path, numbered(&self.path, 1))
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name: OsString = path.into();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_put_aside_and_counted() {
        let directory = std::env::temp_dir().join(format!("stagedoor-rotating-{}", std::process::id()));
        let path = directory.join("a/b.log");
        let mut file = RotatingFile::new(path.clone(), 4, 2);
        for line in ["1\n", "2\n", "3\n", "44444\n", "5\n", "66\n", "7\n"] {
            file.append(line.as_bytes()).expect("a directory of our own");
        }
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        assert_eq!(read(path.clone()), "7\n");
        assert_eq!(read(numbered(&path, 1)), "5\n66\n");
        assert_eq!(read(numbered(&path, 2)), "3\n44444\n");
        assert!(!numbered(&path, 3).exists());
        // Another run goes on with the same file.
        RotatingFile::new(path.clone(), 100, 2).append(b"8\n").expect("the same directory");
        assert_eq!(read(path), "7\n8\n");
        fs::remove_dir_all(directory).expect("nobody else uses it");
    }
}
