//! What is stored of the nouns that stages refer to: storage configurations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::Kind;

/// Where recordings go. Ids: `[storage configuration]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageConfiguration {
    pub arn: String,
    pub name: String,
    pub tags: BTreeMap<String, String>,
    pub bucket_name: String,
    pub created_micros: i64,
}

impl Kind for StorageConfiguration {
    const KIND: &'static str = "ivs-storage-configuration";
}
