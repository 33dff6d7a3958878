//! `stagedoor keys`: key pairs for participant tokens, and which of them a server knows.

pub mod file;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use stagedoor_auth::es384::{KeyPair, PublicKey};
use stagedoor_model::{Value, ivs_realtime};

use crate::connect::{self, Target, text};
use crate::failure::{Failure, Result};
use crate::output;

const SERVICE: &str = "ivs-realtime";

/// Key pairs that sign participant tokens
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key pair: writes the private key to a new file and prints the public key
    Create {
        /// File of the private key; must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Also import the public key, and note its ARN in the file
        #[arg(long)]
        import: bool,
        /// Name of the imported key
        #[arg(long, requires = "import")]
        name: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Import the public half of a key file to the server, which from then on takes tokens signed with it
    Import {
        /// File of a private or a public key in PEM form
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Name of the imported key
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// List the public keys that the server knows
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Delete a public key from the server: tokens signed with it are no longer taken
    Delete {
        #[arg(value_name = "ARN")]
        arn: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Runs the command and gives what it prints.
///
/// # Errors
/// Files that cannot be read or written; whatever the server refuses.
pub fn run(arguments: Arguments) -> Result<String> {
    match arguments.command {
        Command::Create { out, import, name, target } => {
            let pair = KeyPair::generate();
            file::create(&out, &pair)?;
            if !import {
                return Ok(pair.public_key().to_pem());
            }
            let key = import_key(&pair.public_key(), name, &target)?;
            file::note_arn(&out, arn(&key)?)?;
            Ok(output::json(&key))
        }
        Command::Import { key, name, target } => {
            let (public, is_private) = match file::read(&key) {
                Ok(private) => (private.pair.public_key(), true),
                Err(not_private) => (public_key(&key).ok_or(not_private)?, false),
            };
            let imported = import_key(&public, name, &target)?;
            if is_private {
                file::note_arn(&key, arn(&imported)?)?;
            }
            Ok(output::json(&imported))
        }
        Command::List { target } => {
            let connection = target.connect(&[&ivs_realtime::SERVICE])?;
            let keys = connect::in_runtime(connection.list(SERVICE, "ListPublicKeys", Vec::new()))?;
            Ok(output::json(&connect::input([("publicKeys", Value::List(keys))])))
        }
        Command::Delete { arn, target } => {
            let connection = target.connect(&[&ivs_realtime::SERVICE])?;
            let input = connect::input([("arn", text(arn))]);
            connect::in_runtime(connection.call(SERVICE, "DeletePublicKey", &input))?;
            Ok(String::new())
        }
    }
}

fn public_key(path: &std::path::Path) -> Option<PublicKey> {
    PublicKey::from_pem(&std::fs::read_to_string(path).ok()?).ok()
}

fn import_key(key: &PublicKey, name: Option<String>, target: &Target) -> Result<Value> {
    let connection = target.connect(&[&ivs_realtime::SERVICE])?;
    let name = name.map_or(Value::Null, text);
    let input = connect::input([("publicKeyMaterial", text(key.to_pem())), ("name", name)]);
    let answer = connect::in_runtime(connection.call(SERVICE, "ImportPublicKey", &input))?;
    Ok(answer.get("publicKey").cloned().unwrap_or_default())
}

fn arn(key: &Value) -> Result<&str> {
    let arn = key.get("arn").and_then(Value::as_str);
    arn.ok_or_else(|| Failure::Other("the server's answer names no key".to_owned()))
}
