//! The file that API keys are imported from: comma-separated values (RFC 4180) with a line of names. Pure.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-key-file-format.html>

use stagedoor_state::Result;

use crate::messages;

/// One key of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    pub key: String,
    pub description: Option<String>,
    pub enabled: bool,
    pub usage_plan_ids: Vec<String>,
}

/// The keys of a file. `name` and `key` must be among its columns, whose order and case do not count.
pub fn read(file: &[u8]) -> Result<Vec<Row>> {
    let text = std::str::from_utf8(file).map_err(|_| messages::bad_key_file("it is not UTF-8"))?;
    let mut records = records(text).into_iter();
    let names: Vec<_> = records.next().unwrap_or_default();
    let column = |name: &str| names.iter().position(|given| given.trim().eq_ignore_ascii_case(name));
    let needed =
        |name| column(name).ok_or_else(|| messages::bad_key_file(&format!("it has no column {name}")));
    let (name, key) = (needed("name")?, needed("key")?);
    let (description, enabled) = (column("description"), column("enabled"));
    let plans = column("usageplanIds");
    let row = |record: Vec<String>| {
        let field = |column: Option<usize>| column.and_then(|at| record.get(at)).map(|field| field.trim());
        let plans = field(plans).unwrap_or_default().split(',').map(str::trim);
        Row {
            name: field(Some(name)).unwrap_or_default().to_owned(),
            key: field(Some(key)).unwrap_or_default().to_owned(),
            description: field(description).filter(|text| !text.is_empty()).map(str::to_owned),
            enabled: field(enabled).is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
            usage_plan_ids: plans.filter(|plan| !plan.is_empty()).map(str::to_owned).collect(),
        }
    };
    Ok(records.map(row).collect())
}

/// The fields of each line. Within quotes commas and line ends are text, and two quotes are one.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            other => field.push(other),
        }
    }
    record.push(field);
    records.push(record);
    records.retain(|record| record.iter().any(|field| !field.trim().is_empty()));
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name() {
        let file = "Key, NAME,Enabled,usageplanIds,description\r\n\
                    k1,first,TRUE,\"a, b\",\"says \"\"hi\"\",\nand more\"\r\n\r\nk2,second\n";
        let first = Row {
            name: "first".into(),
            key: "k1".into(),
            description: Some("says \"hi\",\nand more".into()),
            enabled: true,
            usage_plan_ids: vec!["a".into(), "b".into()],
        };
        let second = Row {
            name: "second".into(),
            key: "k2".into(),
            description: None,
            enabled: false,
            usage_plan_ids: Vec::new(),
        };
        assert_eq!(read(file.as_bytes()), Ok(vec![first, second]));
    }

    #[test]
    fn files_without_names_or_keys_are_refused() {
        for file in [&b""[..], b"name\na", b"key\na", b"\xff"] {
            assert!(read(file).is_err());
        }
    }
}
