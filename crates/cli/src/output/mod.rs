//! Answers as text: the formats of `--output`, byte for byte as the AWS CLI prints them.

mod json;
mod shown;
mod table;
mod text;
mod yaml;

pub use json::{json, json_whole};
pub use shown::{Times, shown};
pub use table::{Look, table, terminal_width};
pub use text::text;
pub use yaml::yaml;

/// What `--output` chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    Text,
    Table,
    Yaml,
}

impl Format {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            "table" => Some(Self::Table),
            "yaml" => Some(Self::Yaml),
            _ => None,
        }
    }
}
