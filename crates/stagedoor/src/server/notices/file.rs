//! Files: one line of JSON for each event, appended, and on the disk before the event counts as delivered. The file is
//! opened each time, so it may be moved away.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use super::Failure;
use super::envelope::Event;

/// As [`super::Courier::deliver`].
pub async fn deliver(path: &Path, events: &[Event]) -> (usize, Option<Failure>) {
    let lines: String = events.iter().map(|event| event.json() + "\n").collect();
    let shown = path.display().to_string();
    let path = path.to_owned();
    let written = tokio::task::spawn_blocking(move || append(&path, lines.as_bytes()));
    match written.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(()) => (events.len(), None),
        Err(error) => (0, Some(Failure::Down(format!("{shown}: {error}")))),
    }
}

fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(lines)?;
    file.sync_data()
}
