//! One operation as a command: its options, and the words of the command line as its input.

use stagedoor_model::{Kind, Member, Operation, Paginator, Service, Value};

use crate::failure::{Failure, Result};
use crate::input::{self, BinaryFormat};
use crate::words::{self, Arity, Known};
use crate::{names, python, validate};

/// An operation, with the options that it has on the command line.
pub struct Command {
    pub service: &'static Service,
    pub operation: &'static Operation,
    options: Vec<CommandOption>,
    known: Vec<Known>,
}

struct CommandOption {
    meaning: Meaning,
    required: bool,
}

#[derive(Clone, Copy)]
enum Meaning {
    Member(&'static Member),
    /// `--no-…` of a boolean member.
    Negative(&'static Member),
    StartingToken,
    PageSize,
    MaxItems,
    InputJson,
    InputYaml,
    Skeleton,
}

/// What `--generate-cli-skeleton` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skeleton {
    Input,
    InputYaml,
    Output,
}

/// An invocation of a [`Command`].
#[derive(Debug, Default)]
pub struct Invocation {
    pub input: Value,
    pub paging: Paging,
    pub skeleton: Option<Skeleton>,
    /// Where the body of an answer goes that is not JSON.
    pub outfile: Option<String>,
}

/// What was said about pages.
#[derive(Debug, Default)]
pub struct Paging {
    pub starting_token: Option<String>,
    pub page_size: Option<String>,
    pub max_items: Option<usize>,
    /// A token or limit of the service itself was given, so only that page is wanted.
    pub by_hand: bool,
}

impl Command {
    /// The command that the AWS CLI calls `name`.
    pub fn find(service: &'static Service, name: &str) -> Option<Self> {
        let operation = service.operations.iter().find(|operation| names::kebab(operation.name) == name)?;
        Some(Self::new(service, operation))
    }

    pub fn new(service: &'static Service, operation: &'static Operation) -> Self {
        let mut command = Self { service, operation, options: Vec::new(), known: Vec::new() };
        for member in members(operation) {
            let name = names::option(service.name, operation.name, member.name);
            match member.shape.kind {
                Kind::Boolean => {
                    command.add(name.clone(), Arity::None, Meaning::Member(member), member.required);
                    command.add(format!("no-{name}"), Arity::None, Meaning::Negative(member), false);
                }
                Kind::List(_) => command.add(name, Arity::Many, Meaning::Member(member), member.required),
                _ => command.add(name, Arity::One, Meaning::Member(member), member.required),
            }
        }
        if operation.paginator.is_some() {
            command.add("starting-token", Arity::One, Meaning::StartingToken, false);
            command.add("page-size", Arity::One, Meaning::PageSize, false);
            command.add("max-items", Arity::One, Meaning::MaxItems, false);
        }
        if !command.has_outfile() {
            command.add("cli-input-json", Arity::One, Meaning::InputJson, false);
            command.add("cli-input-yaml", Arity::One, Meaning::InputYaml, false);
            command.add("generate-cli-skeleton", Arity::Optional, Meaning::Skeleton, false);
        }
        command
    }

    fn add(&mut self, name: impl Into<String>, arity: Arity, meaning: Meaning, required: bool) {
        self.known.push(Known::new(name, arity));
        self.options.push(CommandOption { meaning, required });
    }

    /// Options by name, with the member that each sets and whether it must be given.
    pub fn options(&self) -> impl Iterator<Item = (&str, Option<&'static Member>, bool)> {
        self.known.iter().zip(&self.options).map(|(known, option)| {
            let member = match option.meaning {
                Meaning::Member(member) | Meaning::Negative(member) => Some(member),
                _ => None,
            };
            (known.name.as_str(), member, option.required)
        })
    }

    /// Whether the answer's body is a file of its own, whose name is a positional word.
    pub fn has_outfile(&self) -> bool {
        let output = self.operation.output.map(|shape| &shape.kind);
        matches!(output, Some(Kind::Structure { payload: Some(_), .. }))
    }

    /// Reads the words behind the operation.
    ///
    /// # Errors
    /// [`Failure::Usage`] and [`Failure::Value`], in the words of the AWS CLI.
    pub fn read(&self, words: &[String], format: BinaryFormat) -> Result<Invocation> {
        let split = words::split(words, &self.known)?;
        let mut invocation = Invocation::default();
        let mut entries: Vec<(stagedoor_model::value::Key, Value)> = Vec::new();
        let mut given = vec![false; self.options.len()];
        let mut whole: Option<Vec<_>> = None;
        for (at, words) in &split.given {
            given[*at] = true;
            let name = &self.known[*at].name;
            let word = || words.first().cloned().unwrap_or_default();
            let (member, value) = match self.options[*at].meaning {
                Meaning::Member(member) if matches!(member.shape.kind, Kind::Boolean) => {
                    (member, Value::Bool(true))
                }
                Meaning::Negative(member) => (member, Value::Bool(false)),
                Meaning::Member(member) => (member, input::member_value(name, member, words)?),
                Meaning::StartingToken => {
                    invocation.paging.starting_token = Some(word());
                    continue;
                }
                Meaning::PageSize => {
                    invocation.paging.page_size = Some(word());
                    continue;
                }
                Meaning::MaxItems => {
                    let invalid =
                        |_| Failure::Usage(format!("argument --max-items: invalid int value: '{}'", word()));
                    invocation.paging.max_items = Some(word().parse().map_err(invalid)?);
                    continue;
                }
                Meaning::InputJson | Meaning::InputYaml => {
                    if split.given.iter().any(|(other, _)| other != at && self.options[*other].is_whole()) {
                        let message = "Only one --cli-input- parameter may be specified.";
                        return Err(Failure::Value(message.to_owned()));
                    }
                    let is_json = matches!(self.options[*at].meaning, Meaning::InputJson);
                    let parse = if is_json { input::json } else { input::yaml };
                    whole = Some(whole_input(name, &word(), parse)?);
                    continue;
                }
                Meaning::Skeleton => {
                    invocation.skeleton = Some(skeleton(words.first())?);
                    continue;
                }
            };
            entries.retain(|(key, _)| key != member.name);
            entries.push((member.name.into(), value));
        }
        let wants_input = matches!(invocation.skeleton, Some(Skeleton::Input | Skeleton::InputYaml));
        let optional = whole.is_some() || wants_input;
        invocation.outfile = self.positional(split.rest, &given, optional)?;
        for (key, value) in whole.into_iter().flatten() {
            if !entries.iter().any(|(known, _)| *known == key) {
                entries.push((key, value));
            }
        }
        invocation.paging.by_hand = self
            .operation
            .paginator
            .as_ref()
            .is_some_and(|paginator| entries.iter().any(|(key, _)| steers_pages(paginator, key)));
        let shape = self.operation.input;
        invocation.input = Value::Map(entries);
        if !wants_input {
            validate::validate(shape, &invocation.input)?;
            invocation.input = input::typed(shape, invocation.input, format)?;
        }
        Ok(invocation)
    }

    /// The file of the answer's body, if there is one; no other word may be left over.
    fn positional(&self, mut rest: Vec<String>, given: &[bool], optional: bool) -> Result<Option<String>> {
        let missing = self.known.iter().zip(&self.options).zip(given);
        let mut missing: Vec<_> = missing
            .filter(|((_, option), given)| option.required && !**given && !optional)
            .map(|((known, _), _)| format!("--{}", known.name))
            .collect();
        let place = rest.iter().position(|word| !word.starts_with("--"));
        let outfile = if self.has_outfile() { place.map(|at| rest.remove(at)) } else { None };
        if self.has_outfile() && outfile.is_none() {
            missing.push("outfile".to_owned());
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(Failure::Usage(format!("the following arguments are required: {missing}")));
        }
        if !rest.is_empty() {
            return Err(Failure::Usage(format!("Unknown options: {}", rest.join(", "))));
        }
        Ok(outfile)
    }
}

impl CommandOption {
    /// Whether it brings a whole input.
    fn is_whole(&self) -> bool {
        matches!(self.meaning, Meaning::InputJson | Meaning::InputYaml)
    }
}

/// The input that `--cli-input-json` or `--cli-input-yaml` holds.
fn whole_input(
    option: &str,
    word: &str,
    parse: fn(&str, &str) -> Result<Value>,
) -> Result<Vec<(stagedoor_model::value::Key, Value)>> {
    let loaded = input::load(word).map_err(|message| Failure::parameter(option, message))?;
    let text = match loaded {
        Some(Value::String(text)) => text,
        Some(Value::Blob(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        _ => word.to_owned(),
    };
    match parse(option, &text)? {
        Value::Map(entries) => Ok(entries),
        other => {
            let kind = python::type_name(&other);
            Err(Failure::parameter(option, format!("Invalid type: expecting map, received {kind}")))
        }
    }
}

/// Members of an operation's input.
pub fn members(operation: &'static Operation) -> &'static [Member] {
    match &operation.input.kind {
        Kind::Structure { members, .. } => members,
        _ => &[],
    }
}

fn steers_pages(paginator: &Paginator, member: &str) -> bool {
    paginator.input_token == member || paginator.limit_key == member
}

fn skeleton(word: Option<&String>) -> Result<Skeleton> {
    match word.map(String::as_str) {
        None | Some("input") => Ok(Skeleton::Input),
        Some("yaml-input") => Ok(Skeleton::InputYaml),
        Some("output") => Ok(Skeleton::Output),
        Some(_) => Err(Failure::Usage(
            "argument --generate-cli-skeleton: Invalid choice, valid choices are:\n\ninput | yaml-input | output"
                .to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_model::SERVICES;

    use super::*;
    use crate::globals;

    /// Lines of `service operation [>] option …`, written by `tests/awscli/make.py`: `>` marks an output file, `!` what
    /// must be given.
    const COMMANDS: &str = include_str!("../tests/awscli/commands.txt");

    #[test]
    fn operations_and_options_are_called_as_in_the_aws_cli() {
        for line in COMMANDS.lines() {
            let mut words = line.split_whitespace().peekable();
            let (service, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let service = SERVICES.into_iter().find(|known| known.name == service).expect("one of ours");
            let command = Command::find(service, name).unwrap_or_else(|| panic!("no {line}"));
            assert_eq!(command.has_outfile(), words.next_if_eq(&">").is_some(), "{line}");
            let options: Vec<_> = command.options().collect();
            for word in words {
                let (name, required) = word.strip_suffix('!').map_or((word, false), |name| (name, true));
                let found = options.iter().find(|(known, ..)| *known == name);
                assert_eq!(found.map(|(_, _, required)| *required), Some(required), "{name} of {line}");
            }
        }
    }

    #[test]
    fn no_option_is_taken_for_a_global_one() {
        for service in SERVICES {
            for operation in service.operations {
                for (name, ..) in Command::new(service, operation).options() {
                    let hides = globals::OPTIONS.iter().find(|(global, ..)| global.starts_with(name));
                    assert!(hides.is_none(), "{} --{name}", operation.name);
                }
            }
        }
    }

    fn told(service: &'static Service, line: &[&str]) -> String {
        let command = Command::find(service, line[0]).expect("there is such an operation");
        let words: Vec<_> = line[1..].iter().map(|word| (*word).to_owned()).collect();
        match command.read(&words, BinaryFormat::Base64) {
            Ok(invocation) => serde_json::to_string(&invocation.input).unwrap_or_default(),
            Err(failure) => failure.to_string().trim().lines().last().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn words_become_the_input() {
        let (v1, v2) = (&stagedoor_model::apigateway::SERVICE, &stagedoor_model::apigatewayv2::SERVICE);
        let cases: [(&'static Service, &[&str], &str); 9] = [
            (
                v1,
                &["create-rest-api", "--name", "a", "--tags", "x=1,y=2", "--api-version", "3"],
                r#"{"name":"a","tags":{"x":"1","y":"2"},"version":"3"}"#,
            ),
            (
                v1,
                &[
                    "update-stage",
                    "--rest-api-id",
                    "a",
                    "--stage-name",
                    "b",
                    "--patch-operations",
                    "op=add,path=/x,value=y",
                    "op=remove,path=/z",
                ],
                r#"{"restApiId":"a","stageName":"b","patchOperations":[{"op":"add","path":"/x","value":"y"},{"op":"remove","path":"/z"}]}"#,
            ),
            (
                v2,
                &[
                    "create-api",
                    "--name",
                    "a",
                    "--protocol-type",
                    "HTTP",
                    "--cors-configuration",
                    "AllowOrigins=a,b,MaxAge=3,AllowCredentials=true",
                ],
                r#"{"Name":"a","ProtocolType":"HTTP","CorsConfiguration":{"AllowOrigins":["a","b"],"MaxAge":3,"AllowCredentials":true}}"#,
            ),
            (
                v2,
                &["create-stage", "--api-id", "a", "--stage-name", "b", "--no-auto-deploy"],
                r#"{"ApiId":"a","StageName":"b","AutoDeploy":false}"#,
            ),
            (v1, &["import-rest-api", "--body", "e30="], r#"{"body":"e30="}"#),
            (v1, &["import-rest-api", "--body", "{"], r#"Invalid base64: "{""#),
            (v2, &["get-api"], "stagedoor: error: the following arguments are required: --api-id"),
            (v2, &["get-api", "--api-id", "a", "b"], "stagedoor: error: Unknown options: b"),
            (
                v2,
                &["create-api", "--name", "a", "--protocol-type", "HTTP", "--tags", "{\"a\":1}"],
                "Invalid type for parameter Tags.a, value: 1, type: <class 'int'>, valid types: <class 'str'>",
            ),
        ];
        for (service, line, expected) in cases {
            assert_eq!(told(service, line), expected, "{line:?}");
        }
    }
}
