//! What is stored of storage and encoder configurations, to which recordings and compositions refer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;

use crate::document::Kind;

/// Where recordings go. Ids: `[storage configuration]`, the last part of its ARN.
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

/// What a composition's video is like. Ids: `[encoder configuration]`, the last part of its ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfiguration {
    pub arn: String,
    pub name: String,
    pub tags: BTreeMap<String, String>,
    /// Always complete: members that the client left out hold their defaults.
    pub video: api::Video,
    pub created_micros: i64,
}

impl Kind for EncoderConfiguration {
    const KIND: &'static str = "ivs-encoder-configuration";
}
