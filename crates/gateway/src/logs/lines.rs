//! Lines that wait to be written, one after the other in one text: a line costs its bytes and no memory of its own. Pure.

use std::time::Duration;

/// Events of a log, or spans, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// Each with an end of line.
    text: String,
    /// When each was told, since 1970-01-01T00:00:00Z, and where in the text it ends.
    ends: Vec<(Duration, usize)>,
}

/// One of them, without an end of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'t> {
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) time: Duration,
    pub(crate) text: &'t str,
}

impl Lines {
    pub(crate) fn push(&mut self, time: Duration, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
        self.ends.push((time, self.text.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them, as they stand in a file.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Line<'_>> {
        let mut from = 0;
        self.ends.iter().map(move |&(time, end)| {
            let text = &self.text[from..end - 1];
            from = end;
            Line { time, text }
        })
    }

    /// The same in batches of so many lines at most, and of so many bytes but for one line that is longer.
    pub(crate) fn batches(&self, lines_max: usize, bytes_max: usize) -> Vec<Vec<Line<'_>>> {
        let (mut batches, mut bytes) = (Vec::<Vec<Line<'_>>>::new(), 0);
        for line in self.iter() {
            match batches.last_mut() {
                Some(batch) if batch.len() < lines_max && bytes + line.text.len() <= bytes_max => {
                    bytes += line.text.len();
                    batch.push(line);
                }
                _ => {
                    bytes = line.text.len();
                    batches.push(vec![line]);
                }
            }
        }
        batches
    }

    /// None of them, with room for as many if that is no more than so many bytes.
    pub(crate) fn emptied(mut self, bytes_max: usize) -> Self {
        if self.text.capacity() > bytes_max {
            return Self::default();
        }
        self.text.clear();
        self.ends.clear();
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_come_out_as_they_went_in(
            texts in proptest::collection::vec("\\PC{0,9}", 0..20),
            lines_max in 1_usize..6,
            bytes_max in 0_usize..30,
        ) {
            let mut lines = Lines::default();
            for (at, text) in texts.iter().enumerate() {
                lines.push(Duration::from_secs(at as u64), text);
            }
            prop_assert_eq!(lines.len(), texts.len());
            prop_assert_eq!(lines.text(), texts.iter().map(|text| format!("{text}\n")).collect::<String>());
            let batches = lines.batches(lines_max, bytes_max);
            for batch in &batches {
                let bytes: usize = batch.iter().map(|line| line.text.len()).sum();
                prop_assert!(batch.len() <= lines_max && (batch.len() == 1 || bytes <= bytes_max));
            }
            let told = batches.concat();
            for (at, text) in texts.iter().enumerate() {
                prop_assert_eq!(told[at], Line { time: Duration::from_secs(at as u64), text });
            }
            prop_assert_eq!(told.len(), texts.len());
            prop_assert_eq!(lines.emptied(1 << 20), Lines::default());
        }
    }
}
