//! `~/.aws/config` and `~/.aws/credentials`: sections, keys and the indented keys below a key.

use std::collections::{BTreeMap, BTreeSet};

use crate::environment::Environment;
use crate::failure::{Failure, Result};

type Section = BTreeMap<String, String>;

/// The chosen profile and what it refers to.
#[derive(Debug, Default)]
pub struct Profile {
    pub name: String,
    /// Whether the user named it, by an option or `AWS_PROFILE`.
    pub named: bool,
    /// Keys of both files; those of `credentials` win.
    keys: Section,
    services: Section,
}

impl Profile {
    /// The profile that `option` (`--profile`), the environment or nobody chose.
    ///
    /// # Errors
    /// [`Failure::Configuration`] if a profile was named that neither file has.
    pub fn load(option: Option<&str>, environment: &Environment) -> Result<Self> {
        let chosen = option
            .or_else(|| environment.get("AWS_PROFILE"))
            .or_else(|| environment.get("AWS_DEFAULT_PROFILE"));
        let name = chosen.unwrap_or("default");
        let config = sections(&environment.file("AWS_CONFIG_FILE", "config"));
        let credentials = sections(&environment.file("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
        let in_config =
            config.get(&format!("profile {name}")).or_else(|| config.get(name).filter(|_| name == "default"));
        let in_credentials = credentials.get(name);
        if chosen.is_some() && in_config.is_none() && in_credentials.is_none() {
            return Err(Failure::Configuration(format!("The config profile ({name}) could not be found")));
        }
        let mut keys = in_config.cloned().unwrap_or_default();
        keys.extend(in_credentials.cloned().unwrap_or_default());
        let services = keys.get("services").and_then(|services| config.get(&format!("services {services}")));
        let services = services.cloned().unwrap_or_default();
        Ok(Self { name: name.to_owned(), named: chosen.is_some(), keys, services })
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.keys.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The endpoint that the profile's `services` section gives a service.
    pub fn service_endpoint(&self, service_key: &str) -> Option<String> {
        let nested = self.services.get(service_key)?;
        let lines = nested.lines().filter_map(|line| line.split_once('='));
        lines
            .map(|(key, value)| (key.trim(), value.trim()))
            .find(|(key, _)| *key == "endpoint_url")
            .map(|(_, url)| url.to_owned())
    }
}

/// Names of all profiles of both files.
pub fn names(environment: &Environment) -> BTreeSet<String> {
    let config = sections(&environment.file("AWS_CONFIG_FILE", "config"));
    let credentials = sections(&environment.file("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
    let of_config = config.into_keys().filter_map(|name| match name.strip_prefix("profile ") {
        Some(name) => Some(name.to_owned()),
        None => (name == "default").then_some(name),
    });
    of_config.chain(credentials.into_keys()).collect()
}

/// Section name → key → value. Indented lines belong to the key above them, as lines of its value.
fn sections(text: &str) -> BTreeMap<String, Section> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let (mut section, mut key) = (String::new(), String::new());
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) =
            trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name)
        {
            section = header
                .split_whitespace()
                .map(|word| word.trim_matches(['"', '\'']))
                .collect::<Vec<_>>()
                .join(" ");
            key.clear();
            sections.entry(section.clone()).or_default();
        } else if line.starts_with([' ', '\t']) && !key.is_empty() {
            let value = sections.entry(section.clone()).or_default().entry(key.clone()).or_default();
            value.push('\n');
            value.push_str(trimmed);
        } else if let Some((name, value)) = trimmed.split_once(['=', ':']) {
            key = name.trim().to_lowercase();
            sections.entry(section.clone()).or_default().insert(key.clone(), value.trim().to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
[default]
region = eu-central-1
# comment
[profile \"two words\"]
region=us-west-2
services = local
s3 =
  addressing_style = path
[services local]
ivs_realtime =
  endpoint_url = http://127.0.0.1:4567
";

    #[test]
    fn sections_keys_and_nested_keys_are_read() {
        let sections = sections(CONFIG);
        assert_eq!(sections["default"]["region"], "eu-central-1");
        assert_eq!(sections["profile two words"]["s3"], "\naddressing_style = path");
        assert_eq!(sections["services local"]["ivs_realtime"], "\nendpoint_url = http://127.0.0.1:4567");
    }

    #[test]
    fn a_profile_brings_its_services() {
        let environment = Environment::of([("AWS_PROFILE", "two words")]).with_file("config", CONFIG);
        let profile = Profile::load(None, &environment).expect("the profile is there");
        assert_eq!((profile.get("region"), profile.named), (Some("us-west-2"), true));
        assert_eq!(profile.service_endpoint("ivs_realtime").as_deref(), Some("http://127.0.0.1:4567"));
        assert_eq!(profile.service_endpoint("api_gateway"), None);
        let missing = Profile::load(Some("missing"), &environment).expect_err("there is no such profile");
        assert_eq!(missing.exit_code(), 253);
    }
}
