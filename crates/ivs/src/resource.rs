//! Resources and their ARNs: finding one by its ARN, naming a new one.

use stagedoor_api::ivs_realtime::StageSession;
use stagedoor_model::Timestamp;
use stagedoor_state::arn::{self, Arn};
use stagedoor_state::ivs::{
    Composition, EncoderConfiguration, IngestConfiguration, PublicKey, Stage, StorageConfiguration,
};
use stagedoor_state::tags::{self, Tags};
use stagedoor_state::{Cx, Kind, Result};

use crate::messages;

/// Characters of a random id.
const ID_CHARS: usize = 12;

/// A document that has an ARN.
pub(crate) trait Resource: Kind {
    /// As ARNs call it.
    const TYPE: &'static str;

    fn tags(&mut self) -> &mut Tags;

    /// Whether it exists no more although its document does.
    fn is_forgotten(&self, _now: Timestamp) -> bool {
        false
    }
}

impl Resource for Composition {
    const TYPE: &'static str = "composition";

    fn tags(&mut self) -> &mut Tags {
        &mut self.tags
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        Self::is_forgotten(self, now)
    }
}

macro_rules! resources {
    ($($type:ty => $name:literal),+ $(,)?) => {$(
        impl Resource for $type {
            const TYPE: &'static str = $name;

            fn tags(&mut self) -> &mut Tags {
                &mut self.tags
            }
        }
    )+};
}

resources! {
    Stage => "stage",
    StorageConfiguration => "storage-configuration",
    EncoderConfiguration => "encoder-configuration",
    IngestConfiguration => "ingest-configuration",
    PublicKey => "public-key",
}

/// The resource that an ARN names, and its id.
///
/// # Errors
/// ResourceNotFoundException, also if the ARN is of another account, region or type.
pub(crate) fn existing<T: Resource>(cx: &mut Cx<'_>, arn: &str) -> Result<(String, T)> {
    find(cx, arn)?.ok_or_else(|| messages::not_found(arn))
}

/// The id of the stage that an ARN names, be it that the stage exists or that only its sessions are left.
///
/// # Errors
/// ResourceNotFoundException, also if the ARN is of another account, region or type.
pub(crate) fn stage_with_past(cx: &mut Cx<'_>, arn: &str) -> Result<String> {
    let id = Arn::parse(arn).and_then(|arn| own_id(cx, Stage::TYPE, &arn));
    let id = id.ok_or_else(|| messages::not_found(arn))?;
    let known = cx.exists::<Stage>(&[id])? || cx.count::<StageSession>(&[id])? > 0;
    if known { Ok(id.to_owned()) } else { Err(messages::not_found(arn)) }
}

/// The resource that an ARN names, and its id, if there is one in this account and region.
pub(crate) fn find<T: Resource>(cx: &mut Cx<'_>, arn: &str) -> Result<Option<(String, T)>> {
    let Some(id) = Arn::parse(arn).and_then(|arn| own_id(cx, T::TYPE, &arn)) else { return Ok(None) };
    let document = cx.get::<T>(&[id])?.filter(|document| !document.is_forgotten(cx.now()));
    Ok(document.map(|document| (id.to_owned(), document)))
}

/// Whether an ARN is one of this type in the caller's account and region.
pub(crate) fn is_own(cx: &Cx<'_>, resource_type: &str, arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| own_id(cx, resource_type, &arn).is_some())
}

fn own_id<'a>(cx: &Cx<'_>, resource_type: &str, arn: &Arn<'a>) -> Option<&'a str> {
    let own = (arn.service, arn.region, arn.account) == ("ivs", cx.region(), cx.account());
    if own { arn.id_of(resource_type) } else { None }
}

/// The id and ARN of a new resource: the id that its tags choose, or a random one.
///
/// # Errors
/// ValidationException if the chosen id cannot be one, ConflictException if it is taken.
pub(crate) fn name<T: Resource>(cx: &mut Cx<'_>, tags: &Tags) -> Result<(String, String)> {
    let chosen = tags::chosen_id(Some(tags));
    if chosen.is_none() && tags.contains_key(tags::ID_TAG) {
        return Err(messages::malformed_chosen_id());
    }
    let id = chosen.map_or_else(|| cx.new_ivs_id(ID_CHARS), str::to_owned);
    let arn = arn::ivs(cx.region(), cx.account(), T::TYPE, &id);
    if cx.exists::<T>(&[&id])? { Err(messages::id_taken(&arn)) } else { Ok((id, arn)) }
}
