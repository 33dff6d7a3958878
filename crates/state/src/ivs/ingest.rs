//! What is stored of ingest configurations: the stream keys by which RTMP encoders publish.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;

use super::presence::{self, Present};
use crate::arn::Arn;
use crate::document::Kind;
use crate::{Documents, Result};

/// One RTMP publisher. Ids: `[ingest configuration]`, the last part of its ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IngestConfiguration {
    pub arn: String,
    pub name: String,
    pub tags: BTreeMap<String, String>,
    pub protocol: api::IngestProtocol,
    /// Whether RTMP without TLS is allowed although the protocol is RTMPS.
    #[serde(default)]
    pub insecure: bool,
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

    /// Whether RTMP without TLS is allowed.
    pub fn allows_insecure(&self) -> bool {
        self.insecure || self.protocol == api::IngestProtocol::Rtmp
    }

    /// Every key and the participant that it stands for.
    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        std::iter::once(&self.credential).chain(&self.redundant)
    }

    /// Every participant that it can be.
    pub fn participant_ids(&self) -> impl Iterator<Item = &str> {
        self.credentials().map(|credential| credential.participant_id.as_str())
    }
}

/// Notes that one of a configuration's participants has begun to publish, or has stopped. It is active while any of
/// them publishes. A configuration that has been deleted stays so.
pub(super) fn note_publication(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    arn: &str,
    publishes: bool,
) -> Result<()> {
    let Some(id) = Arn::parse(arn).and_then(|arn| arn.id_of("ingest-configuration")) else { return Ok(()) };
    let Some(mut configuration) = documents.get::<IngestConfiguration>(&[id])? else { return Ok(()) };
    let mut active = publishes;
    for participant_id in configuration.participant_ids().filter(|other| *other != who.participant_id) {
        active = active || presence::is_publishing(documents, Present { participant_id, ..who })?;
    }
    let state =
        if active { api::IngestConfigurationState::Active } else { api::IngestConfigurationState::Inactive };
    if configuration.state == state {
        return Ok(());
    }
    configuration.state = state;
    documents.put(&[id], &configuration)
}
