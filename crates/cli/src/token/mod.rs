//! `stagedoor token create`: a participant token, signed here with a private key, without asking any server.
//!
//! <https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/getting-started-distribute-tokens.html>

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use stagedoor_auth::participant_token::{self, Capabilities, Claims, VERSION};
use stagedoor_model::Value;

use crate::connect::{input, text};
use crate::failure::{Failure, Result};
use crate::keys::file;
use crate::output;

/// Characters of a participant id that nobody chose, as many as AWS's own have.
const ID_CHARS: usize = 12;
const ID_ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Minutes that a token lives unless told: AWS's default.
const MINUTES: u32 = 720;
const MINUTES_MAX: i64 = 20_160;
const LOCAL: &str = "http://127.0.0.1:4566";

/// Participant tokens that are signed here
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a participant token from a private key, offline, and print it
    Create(Box<Create>),
}

#[derive(Args, Debug)]
struct Create {
    /// ARN of the stage
    #[arg(long, value_name = "ARN")]
    stage: String,
    /// File of the private key (P-384, PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// ARN of the imported public key [default: as `stagedoor keys` noted it in the file]
    #[arg(long, value_name = "ARN")]
    key_arn: Option<String>,
    /// The application's name for the participant, at most 128 characters
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// What other participants are shown, as NAME=VALUE, or one JSON object; at most 1 KB
    #[arg(long, value_name = "ATTRIBUTE", num_args = 1..)]
    attributes: Vec<String>,
    /// What the participant may do [default: PUBLISH SUBSCRIBE]
    #[arg(long, value_name = "CAPABILITY", num_args = 1.., ignore_case = true)]
    capabilities: Vec<Capability>,
    /// Minutes until the token ends, at most 20160
    #[arg(long, value_name = "MINUTES", default_value_t = MINUTES,
          value_parser = clap::value_parser!(u32).range(1..=MINUTES_MAX))]
    duration: u32,
    /// The participant's id: 1 to 64 letters, digits, - and _ [default: chosen at random]
    #[arg(long, value_name = "ID")]
    participant_id: Option<String>,
    /// The server that the stage is at, for the two addresses below
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL", default_value = LOCAL)]
    endpoint_url: String,
    /// The stage's events endpoint, as get-stage answers it [default: that of --endpoint-url]
    #[arg(long, value_name = "URL")]
    events_url: Option<String>,
    /// The stage's WHIP endpoint, as get-stage answers it [default: that of --endpoint-url]
    #[arg(long, value_name = "URL")]
    whip_url: Option<String>,
    /// "text" prints the token alone, "json" in the form of create-participant-token
    #[arg(long, value_enum, default_value = "text")]
    output: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Capability {
    #[value(name = "PUBLISH")]
    Publish,
    #[value(name = "SUBSCRIBE")]
    Subscribe,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Text,
    Json,
}

/// Runs the command and gives what it prints.
///
/// # Errors
/// A key that cannot be read, or claims that no server would take.
pub fn run(arguments: Arguments, now: jiff::Timestamp) -> Result<String> {
    let Command::Create(create) = arguments.command;
    let key = file::read(&create.key)?;
    let kid = create.key_arn.clone().or(key.arn).ok_or_else(|| {
        Failure::Other(format!(
            "{} does not say as what its public key was imported: import it (stagedoor keys import --key {}) \
             or give --key-arn",
            create.key.display(),
            create.key.display(),
        ))
    })?;
    if !kid.starts_with("arn:") {
        return Err(Failure::Other(format!("{kid:?} is not the ARN of a public key")));
    }
    let claims = claims(&create, now.as_second())?;
    let token = participant_token::issue(&claims, &key.pair, &kid)
        .map_err(|error| Failure::Other(format!("no token can be made: {error}")))?;
    Ok(match create.output {
        Form::Text => token + "\n",
        Form::Json => output::json(&shown(&create, claims, token)),
    })
}

fn claims(create: &Create, now: i64) -> Result<Claims> {
    let allows = |capability| create.capabilities.is_empty() || create.capabilities.contains(&capability);
    let origin = create.endpoint_url.trim_end_matches('/');
    let attributes = attributes(&create.attributes)?;
    Ok(Claims {
        exp: now + i64::from(create.duration) * 60,
        iat: now,
        jti: create.participant_id.clone().map_or_else(random_id, Ok)?,
        resource: create.stage.clone(),
        topic: create.stage.rsplit('/').next().unwrap_or_default().to_owned(),
        events_url: create
            .events_url
            .clone()
            .unwrap_or_else(|| format!("{}/events", origin.replacen("http", "ws", 1))),
        whip_url: create.whip_url.clone().unwrap_or_else(|| format!("{origin}/whip")),
        capabilities: Capabilities {
            allow_publish: allows(Capability::Publish),
            allow_subscribe: allows(Capability::Subscribe),
        },
        version: VERSION.to_owned(),
        user_id: create.user_id.clone(),
        attributes: (!attributes.is_empty()).then_some(attributes),
    })
}

/// `NAME=VALUE` words (several in one by commas, as in the AWS CLI's shorthand), or one JSON object.
fn attributes(words: &[String]) -> Result<BTreeMap<String, String>> {
    if let [only] = words
        && only.trim_start().starts_with('{')
    {
        return serde_json::from_str(only)
            .map_err(|error| Failure::Other(format!("--attributes is no JSON object of texts: {error}")));
    }
    let pairs = words.iter().flat_map(|word| word.split(','));
    pairs
        .map(|pair| {
            let (name, value) =
                pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                    Failure::Other(format!("--attributes: {pair:?} is not of the form NAME=VALUE"))
                })?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// In the form in which CreateParticipantToken answers.
fn shown(create: &Create, claims: Claims, token: String) -> Value {
    let expires = jiff::Timestamp::from_second(claims.exp).unwrap_or_default().to_string();
    let attributes = claims.attributes.map(|attributes| {
        Value::Map(attributes.into_iter().map(|(name, value)| (name.into(), text(value))).collect())
    });
    let allowed =
        [(claims.capabilities.allow_publish, "PUBLISH"), (claims.capabilities.allow_subscribe, "SUBSCRIBE")];
    let capabilities = allowed.into_iter().filter(|(allowed, _)| *allowed).map(|(_, name)| text(name));
    let all = [
        ("attributes", attributes.unwrap_or_default()),
        ("capabilities", Value::List(capabilities.collect())),
        ("duration", Value::Int(create.duration.into())),
        ("expirationTime", text(expires)),
        ("participantId", text(claims.jti)),
        ("token", text(token)),
        ("userId", claims.user_id.map_or(Value::Null, text)),
    ];
    let Value::Map(mut entries) = input(all) else { return Value::Null };
    entries.retain(|(_, value)| !value.is_null());
    input([("participantToken", Value::Map(entries))])
}

/// Letters and digits, each as likely as any other.
fn random_id() -> Result<String> {
    let mut id = String::new();
    let mut bytes = [0; 2 * ID_CHARS];
    while id.len() < ID_CHARS {
        getrandom::fill(&mut bytes).map_err(|error| Failure::Other(error.to_string()))?;
        let letters = bytes.iter().filter_map(|byte| ID_ALPHABET.get(usize::from(byte >> 2)));
        id.extend(letters.take(ID_CHARS - id.len()).map(|letter| char::from(*letter)));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use stagedoor_auth::es384::KeyPair;

    use super::*;

    const STAGE: &str = "arn:aws:ivs:us-east-1:000000000000:stage/AbCdEf123456";
    const KEY: &str = "arn:aws:ivs:us-east-1:000000000000:public-key/AbCdEf123456";

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn create(key: &std::path::Path, words: &[&str]) -> Result<String> {
        let key = key.to_string_lossy();
        let line = ["token", "create", "--stage", STAGE, "--key", &key, "--endpoint-url", "http://h:1"];
        let line = Line::try_parse_from(line.iter().chain(words)).expect("a valid line");
        run(line.arguments, jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn tokens_are_taken_by_who_knows_the_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        let pair = KeyPair::generate();
        file::create(&path, &pair).expect("a new file");
        assert!(create(&path, &[]).expect_err("no ARN yet").to_string().contains("keys import"));
        file::note_arn(&path, KEY).expect("noted");
        let words = ["--user-id", "ada", "--attributes", "a=1,b=2", "c=3", "--capabilities", "publish"];
        let token = create(&path, &words).expect("a token");
        let lookup = |kid: &str| (kid == KEY).then(|| pair.public_key());
        let claims = participant_token::verify(token.trim(), lookup, jiff::Timestamp::UNIX_EPOCH);
        let claims = claims.expect("valid");
        assert_eq!((claims.exp, claims.jti.len(), claims.topic.as_str()), (43_200, 12, "AbCdEf123456"));
        assert_eq!(
            (claims.events_url.as_str(), claims.whip_url.as_str()),
            ("ws://h:1/events", "http://h:1/whip")
        );
        assert_eq!(claims.attributes.map(|all| all.len()), Some(3));
        assert!(claims.capabilities.allow_publish && !claims.capabilities.allow_subscribe);
        let json = create(&path, &["--output", "json", "--participant-id", "me"]).expect("a token");
        assert!(json.contains(r#""participantId": "me""#), "{json}");
        for wrong in [["--attributes", "a"], ["--participant-id", "a b"], ["--key-arn", "mine"]] {
            assert!(create(&path, &wrong).is_err(), "{wrong:?}");
        }
    }
}
