//! APIs as OpenAPI: `ImportRestApi` and `PutRestApi` ([`import`]), `GetExport` ([`export`]).
//!
//! In: a [`document`] is read into a [`plan`] (by [`read`] and what it calls, all pure), which [`apply`] stores. Out:
//! [`write`] makes a document of what a stage serves. Both formats go the same way; only [`document`] and the
//! writers know where they differ.

mod apply;
mod base_path;
mod describe;
mod document;
mod export;
mod extension;
mod import;
mod integrations;
mod models;
mod notes;
mod operations;
mod plan;
mod read;
mod security;
mod write;
mod write_method;

pub use export::{deployed, get_export};
pub use import::{import_rest_api, put_rest_api};
pub use write::version;
