//! Stagedoor's own client of the AWS APIs: it knows what the models say, and nothing of the server.
//!
//! Reading order: [`client`] makes calls. [`run`] is `stagedoor <service> <operation>`, a drop-in for the AWS CLI:
//! `words` and `globals` take the command line apart, `command` makes an operation's input of it (`input`,
//! `shorthand`, `validate`), `settings` say where it goes, `page` asks for all pages, `query` selects from the
//! answer and `output` prints it. Where the versions of the AWS CLI differ, the second one is followed.
//!
//! Besides there are tools that the AWS CLI does not have, one folder each: [`token`] and [`keys`] for participant
//! tokens that are signed here, [`completion`] of words in shells, [`pull`] to copy
//! definitions. They find their server by `connect`.

pub mod client;
mod command;
pub mod completion;
mod connect;
mod credentials;
mod endpoint;
mod environment;
mod failure;
mod globals;
mod help;
mod input;
pub mod keys;
mod malformed;
mod mfa;
mod names;
mod output;
mod page;
mod profile;
mod prompt;
pub mod pull;
mod python;
mod query;
mod redact;
mod retry;
mod run;
mod settings;
mod shorthand;
mod skeleton;
mod tls;
pub mod token;
mod validate;
mod words;

pub use client::{Client, ClientError, Config};
pub use failure::Failure;
pub use output::printed;
pub use run::{is_call, run};
pub use tls::system_certificates;
