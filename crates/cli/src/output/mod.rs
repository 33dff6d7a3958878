//! Answers as text: the formats of `--output`, byte for byte as the AWS CLI prints them.

mod json;
mod shown;
mod table;
mod text;
mod yaml;

use stagedoor_model::{Operation, Value};

pub use json::{json, json_whole};
pub use shown::{Times, shown};
pub use table::{Look, table, terminal_width};
pub use text::text;
pub use yaml::{yaml, yaml_scalar};

/// An operation's answer as `--output json` prints it, without the last line's end.
pub fn printed(operation: &Operation, answer: Value) -> String {
    json_whole(&shown(operation.output, answer, Times::default())).trim_end().to_owned()
}

/// What `--output` chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    Text,
    Table,
    Yaml,
    /// YAML page by page, each as an item of a list.
    YamlStream,
}

impl Format {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            "table" => Some(Self::Table),
            "yaml" => Some(Self::Yaml),
            "yaml-stream" => Some(Self::YamlStream),
            _ => None,
        }
    }
}
