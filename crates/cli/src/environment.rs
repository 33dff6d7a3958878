//! What surrounds an invocation: environment variables and the files of `~/.aws`. Read once, so that tests can choose.

use std::collections::BTreeMap;

use crate::input::expand_home;

#[derive(Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Files of tests, by their name in `~/.aws`; no file is read if there are any.
    files: BTreeMap<String, String>,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { variables: variables.collect(), files: BTreeMap::new() }
    }

    #[cfg(test)]
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let variables =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let none = BTreeMap::from([(String::new(), String::new())]);
        Self { variables, files: none }
    }

    #[cfg(test)]
    pub fn with_file(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.to_owned(), text.to_owned());
        self
    }

    #[cfg(test)]
    pub fn set(&mut self, variables: &[(&str, &str)]) {
        self.variables
            .extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }

    /// The variable's value, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the variable is set, even if to nothing.
    pub fn has(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// The text of a file of `~/.aws`, which `variable` may place elsewhere. Nothing if it cannot be read.
    pub fn file(&self, variable: &str, name: &str) -> String {
        if !self.files.is_empty() {
            return self.files.get(name).cloned().unwrap_or_default();
        }
        let path = self.get(variable).map_or_else(|| format!("~/.aws/{name}"), str::to_owned);
        std::fs::read_to_string(expand_home(&path)).unwrap_or_default()
    }
}
