//! `--output table`: nested boxes. Layout, widths and the turn to upright tables on narrow terminals follow the
//! AWS CLI's `formatter.py` and `table.py`.

use std::collections::BTreeSet;

use stagedoor_model::Value;

use crate::python;

/// How a table is painted.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    pub color: bool,
}

/// Columns of the terminal on standard output; 80 if there is none.
pub fn terminal_width() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(80, |(width, _)| usize::from(width.0))
}

pub fn table(title: &str, value: &Value, look: Look) -> String {
    let mut tables = Tables::default();
    if tables.build(Some(title), value, 0) { tables.render(look) } else { String::new() }
}

#[derive(Default)]
struct Tables {
    sections: Vec<Section>,
}

#[derive(Default)]
struct Section {
    title: String,
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    level: usize,
    widths: Vec<usize>,
}

// === From values to sections ===

impl Tables {
    fn build(&mut self, title: Option<&str>, value: &Value, level: usize) -> bool {
        if is_falsy(value) {
            return false;
        }
        if let Some(title) = title {
            self.sections.push(Section { title: title.to_owned(), level, ..Section::default() });
        }
        match value {
            Value::List(items) if matches!(items.first(), Some(Value::Map(_))) => {
                self.add_list(items, level, title.unwrap_or_default());
            }
            Value::List(items) => {
                for item in items {
                    match item {
                        Value::List(cells) if cells.iter().all(is_scalar) => {
                            self.last().add_row(cells.iter())
                        }
                        Value::List(_) | Value::Map(_) => {
                            self.build(None, item, 0);
                        }
                        scalar => self.last().add_row([scalar]),
                    }
                }
            }
            Value::Map(_) => self.add_map(value, level),
            _ => {}
        }
        true
    }

    fn add_map(&mut self, value: &Value, level: usize) {
        let (headers, more) = keys([value]);
        let cell = |key: &str| value.get(key).map_or(String::new(), python::text);
        match headers.as_slice() {
            [] => {}
            [only] => self.last().add_cells(vec![(*only).to_owned(), cell(only)]),
            several => {
                self.last().add_headers(several);
                self.last().add_cells(several.iter().map(|key| cell(key)).collect());
            }
        }
        for key in more {
            self.build(Some(key), value.get(key).unwrap_or(&Value::Null), level + 1);
        }
    }

    fn add_list(&mut self, items: &[Value], level: usize, title: &str) {
        let (headers, more) = keys(items);
        self.last().add_headers(&headers);
        for (at, item) in items.iter().enumerate() {
            if at > 0 && !more.is_empty() {
                self.sections.push(Section { title: title.to_owned(), level, ..Section::default() });
                self.last().add_headers(&headers);
            }
            let cells = headers.iter().map(|key| item.get(key).map_or(String::new(), python::text));
            self.last().add_cells(cells.collect());
            for key in &more {
                if let Some(value) = item.get(key) {
                    self.build(Some(key), value, level + 1);
                }
            }
        }
    }

    fn last(&mut self) -> &mut Section {
        if self.sections.is_empty() {
            self.sections.push(Section::default());
        }
        self.sections.last_mut().expect("pushed if there was none")
    }
}

impl Section {
    fn add_headers(&mut self, headers: &[&str]) {
        self.headers = headers.iter().map(|header| (*header).to_owned()).collect();
        self.widen(&self.headers.clone());
    }

    fn add_row<'v>(&mut self, cells: impl IntoIterator<Item = &'v Value>) {
        self.add_cells(cells.into_iter().map(python::text).collect());
    }

    fn add_cells(&mut self, cells: Vec<String>) {
        self.widen(&cells);
        self.rows.push(cells);
    }

    fn widen(&mut self, cells: &[String]) {
        self.widths.resize(self.widths.len().max(cells.len()), 0);
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = columns(cell).max(*width);
        }
    }

    /// A single row stands upright: one line per header.
    fn upright(self) -> Self {
        if self.rows.len() != 1 || self.headers.is_empty() {
            return self;
        }
        let mut upright = Section { title: self.title, level: self.level, ..Section::default() };
        for (header, cell) in self.headers.into_iter().zip(self.rows.into_iter().next().unwrap_or_default()) {
            upright.add_cells(vec![header, cell]);
        }
        upright
    }

    fn total_width(&self) -> usize {
        let cells: usize = self.widths.iter().map(|width| width + PADDING).sum();
        (cells + BORDER).max(columns(&self.title) + BORDER) + 2 * self.level
    }

    /// The columns stretched to fill `total`.
    fn scaled(&self, total: usize) -> Vec<usize> {
        let natural: Vec<_> = self.widths.iter().map(|width| width + PADDING).collect();
        let sum: usize = natural.iter().sum();
        if sum == 0 {
            return natural;
        }
        let factor = total as f64 / sum as f64;
        let mut scaled: Vec<_> =
            natural.iter().map(|width| (factor * *width as f64).round_ties_even() as usize).collect();
        let mut off = scaled.iter().sum::<usize>() as i64 - total as i64;
        while off != 0 {
            let count = scaled.len();
            for step in 0..count {
                if off == 0 {
                    break;
                }
                if off > 0 {
                    scaled[step] = scaled[step].saturating_sub(1);
                    off -= 1;
                } else {
                    scaled[count - 1 - step] += 1;
                    off += 1;
                }
            }
        }
        scaled
    }
}

/// Keys of scalars and of nested values, each sorted; a key may be both in a list.
fn keys<'v>(items: impl IntoIterator<Item = &'v Value>) -> (Vec<&'v str>, Vec<&'v str>) {
    let (mut headers, mut more) = (BTreeSet::new(), BTreeSet::new());
    for item in items {
        if let Value::Map(entries) = item {
            for (key, value) in entries {
                if is_scalar(value) {
                    headers.insert(&**key)
                } else {
                    more.insert(&**key)
                };
            }
        }
    }
    (headers.into_iter().collect(), more.into_iter().collect())
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Map(_) | Value::List(_))
}

/// What Python takes for false.
fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Float(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

// === From sections to text ===

const PADDING: usize = 4;
const BORDER: usize = 2;

impl Tables {
    fn render(mut self, look: Look) -> String {
        let mut width = self.width();
        if width > look.width {
            self.sections = self.sections.into_iter().map(Section::upright).collect();
            width = self.width();
        }
        let mut out = format!("{}\n", "-".repeat(width));
        for section in &self.sections {
            section.render(width - 2 * section.level, look.color, &mut out);
        }
        out
    }

    fn width(&self) -> usize {
        self.sections.iter().map(Section::total_width).max().unwrap_or_default()
    }
}

impl Section {
    fn render(&self, width: usize, color: bool, out: &mut String) {
        let mut lines = Vec::new();
        if !self.title.is_empty() {
            lines.push(centered(&self.title, width, "|"));
            if self.headers.is_empty() && self.rows.is_empty() {
                lines.push(format!("+{}+", "-".repeat(width.saturating_sub(2))));
            }
        }
        let widths = self.scaled(width);
        let left = |at: usize| if at == 0 { "|" } else { "" };
        if !self.headers.is_empty() {
            lines.push(line_break(&widths));
            let cells = self.headers.iter().zip(&widths).enumerate();
            lines.push(cells.map(|(at, (header, width))| centered(header, *width, left(at))).collect());
        }
        if !self.rows.is_empty() && !widths.is_empty() {
            lines.push(line_break(&widths));
            for row in &self.rows {
                let cells = row.iter().zip(&widths).enumerate();
                lines.push(cells.map(|(at, (cell, width))| aligned(cell, *width, left(at), color)).collect());
            }
            lines.push(line_break(&widths));
        }
        let edge = if color { painted("|", DIM_YELLOW) } else { "|".to_owned() }.repeat(self.level);
        for line in lines {
            out.push_str(&format!("{edge}{line}{edge}\n"));
        }
    }
}

fn centered(text: &str, width: usize, left: &str) -> String {
    let length = columns(text);
    let before = (width / 2).saturating_sub(length / 2 + 1);
    let after = width.saturating_sub(1 + left.len() + before + length);
    format!("{left}{}{text}{}|", " ".repeat(before), " ".repeat(after))
}

fn aligned(text: &str, width: usize, left: &str, color: bool) -> String {
    let length = columns(text);
    let padding = if width > length + 2 + left.len() { 2 } else { 0 };
    let after = width.saturating_sub(left.len() + padding + length + 1);
    let cell = if color { painted(text, BRIGHT_BLUE) } else { text.to_owned() };
    format!("{left}{}{cell}{}|", " ".repeat(padding), " ".repeat(after))
}

fn line_break(widths: &[usize]) -> String {
    let parts = widths.iter().enumerate().map(|(at, width)| match at {
        0 => format!("+{}+", "-".repeat(width.saturating_sub(2))),
        _ => format!("{}+", "-".repeat(width.saturating_sub(1))),
    });
    parts.collect()
}

const BRIGHT_BLUE: &str = "\x1b[1m\x1b[34m";
const DIM_YELLOW: &str = "\x1b[2m\x1b[33m";

fn painted(text: &str, paint: &str) -> String {
    format!("{paint}{text}\x1b[0m")
}

/// Columns that a terminal gives the text; East Asian characters take two.
/// Columns as Python's `east_asian_width` tells them: two for wide, full and ambiguous characters, one for all others.
fn columns(text: &str) -> usize {
    use unicode_width::UnicodeWidthChar as _;
    let width = |letter: char| match letter {
        _ if is_ambiguous(letter) => 2,
        letter => letter.width_cjk().unwrap_or(1).max(1),
    };
    text.chars().map(width).sum()
}

/// Ambiguous letters and accents, many of which `unicode_width` counts as one column.
#[rustfmt::skip]
fn is_ambiguous(letter: char) -> bool {
    matches!(
        letter,
        '\u{a1}' | '\u{a4}' | '\u{a7}'..='\u{a8}' | '\u{aa}' | '\u{ad}'..='\u{ae}' | '\u{b0}'..='\u{b4}' |
        '\u{b6}'..='\u{ba}' | '\u{bc}'..='\u{bf}' | '\u{c6}' | '\u{d0}' | '\u{d7}'..='\u{d8}' |
        '\u{de}'..='\u{e1}' | '\u{e6}' | '\u{e8}'..='\u{ea}' | '\u{ec}'..='\u{ed}' | '\u{f0}' |
        '\u{f2}'..='\u{f3}' | '\u{f7}'..='\u{fa}' | '\u{fc}' | '\u{fe}' | '\u{101}' | '\u{111}' | '\u{113}'
        | '\u{11b}' | '\u{126}'..='\u{127}' | '\u{12b}' | '\u{131}'..='\u{133}' | '\u{138}' |
        '\u{13f}'..='\u{142}' | '\u{144}' | '\u{148}'..='\u{14b}' | '\u{14d}' | '\u{152}'..='\u{153}' |
        '\u{166}'..='\u{167}' | '\u{16b}' | '\u{1ce}' | '\u{1d0}' | '\u{1d2}' | '\u{1d4}' | '\u{1d6}' |
        '\u{1d8}' | '\u{1da}' | '\u{1dc}' | '\u{251}' | '\u{261}' | '\u{2c4}' | '\u{2c7}' |
        '\u{2c9}'..='\u{2cb}' | '\u{2cd}' | '\u{2d0}' | '\u{2d8}'..='\u{2db}' | '\u{2dd}' | '\u{2df}' |
        '\u{300}'..='\u{36f}' | '\u{391}'..='\u{3a1}' | '\u{3a3}'..='\u{3a9}' | '\u{3b1}'..='\u{3c1}' |
        '\u{3c3}'..='\u{3c9}' | '\u{401}' | '\u{410}'..='\u{44f}' | '\u{451}' | '\u{2126}' | '\u{212b}' |
        '\u{2260}' | '\u{226e}'..='\u{226f}' | '\u{fe00}'..='\u{fe0f}'
    )
}
