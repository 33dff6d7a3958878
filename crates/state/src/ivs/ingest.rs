//! What is stored of ingest configurations: the stream keys by which RTMP encoders publish.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;

use crate::document::Kind;

/// One RTMP publisher. Ids: `[ingest configuration]`, the last part of its ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IngestConfiguration {
    pub arn: String,
    pub name: String,
    pub tags: BTreeMap<String, String>,
    pub protocol: api::IngestProtocol,
    /// ARN of the stage that it publishes to; empty while it is attached to none.
    pub stage_arn: String,
    pub user_id: String,
    pub attributes: BTreeMap<String, String>,
    /// The participant that it is on every stage, and its key.
    pub credential: Credential,
    /// The two encoders of redundant ingest; empty without it.
    pub redundant: Vec<Credential>,
    /// Whether somebody publishes by it. The media plane's to write.
    pub state: api::IngestConfigurationState,
    pub created_micros: i64,
}

/// A participant's id and the stream key that lets it publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub participant_id: String,
    pub stream_key: String,
}

impl Kind for IngestConfiguration {
    const KIND: &'static str = "ivs-ingest-configuration";
}

impl IngestConfiguration {
    /// Whether somebody publishes by it.
    pub fn is_active(&self) -> bool {
        self.state == api::IngestConfigurationState::Active
    }

    /// Every participant that it can be.
    pub fn participant_ids(&self) -> impl Iterator<Item = &str> {
        let credentials = std::iter::once(&self.credential).chain(&self.redundant);
        credentials.map(|credential| credential.participant_id.as_str())
    }
}
