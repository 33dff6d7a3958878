//! What happened to participants, as `ListParticipantEvents` shows it.

use stagedoor_api::ivs_realtime as api;
use stagedoor_model::Timestamp;

use super::notice;
use super::presence::Present;
use super::replica;
use super::replication::Replication;
use crate::document::Kind;
use crate::{Documents, Result};

/// Something that happened to a participant. Ids: `[stage, session, participant, place]`, where place is the
/// event's time in microseconds as 16 hexadecimal digits and a counter of 4, which makes it unique and sorted.
impl Kind for api::Event {
    const KIND: &'static str = "ivs-event";
}

/// What an event says besides its time and participant.
#[derive(Clone, Copy, Debug)]
pub(super) struct What<'a> {
    pub(super) name: api::EventName,
    pub(super) code: Option<api::EventErrorCode>,
    pub(super) remote: Option<&'a str>,
    /// The one that started or stopped.
    pub(super) replication: Option<&'a Replication>,
    /// The previous and the new one of an exchange.
    pub(super) tokens: Option<(&'a api::ExchangedParticipantToken, &'a api::ExchangedParticipantToken)>,
}

impl From<api::EventName> for What<'_> {
    fn from(name: api::EventName) -> Self {
        Self { name, code: None, remote: None, replication: None, tokens: None }
    }
}

/// Appends an event to those of one participant. Whether a replica is concerned goes by the other participant if
/// there is one.
pub(super) fn append(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    what: What<'_>,
    now: Timestamp,
) -> Result<()> {
    let concerned = [who.stage_id, who.session_id, what.remote.unwrap_or(who.participant_id)];
    let concerned = documents.get::<api::Participant>(&concerned)?;
    let event = api::Event {
        name: Some(what.name),
        participant_id: Some(who.participant_id.to_owned()),
        event_time: Some(now),
        error_code: what.code,
        remote_participant_id: what.remote.map(str::to_owned),
        replica: Some(concerned.as_ref().is_some_and(replica::is_replica)),
        destination_stage_arn: what.replication.map(|one| one.destination_stage_arn.clone()),
        destination_session_id: what.replication.map(|one| one.destination_session_id.clone()),
        previous_token: what.tokens.map(|(previous, _)| previous.clone()),
        new_token: what.tokens.map(|(_, new)| new.clone()),
    };
    let place = free_place::<api::Event>(documents, &who.ids(), now)?;
    documents.put(&[who.stage_id, who.session_id, who.participant_id, &place], &event)?;
    notice::tell(documents, who, &event, concerned.as_ref(), now)
}

/// The first place at `now` that none of the documents below `parent` has. After 65,536 in one microsecond the next
/// microsecond is as good.
pub(super) fn free_place<T: Kind>(
    documents: &mut Documents<'_>,
    parent: &[&str],
    now: Timestamp,
) -> Result<String> {
    let mut micros = u64::try_from(now.as_micros()).unwrap_or(0);
    let mut counter = 0_u16;
    loop {
        let place = format!("{micros:016x}{counter:04x}");
        if !documents.exists::<T>(&[parent, &[&place]].concat())? {
            return Ok(place);
        }
        let (next, wrapped) = counter.overflowing_add(1);
        counter = next;
        micros += u64::from(wrapped);
    }
}

/// A participant's events with their places, oldest first.
pub fn of(documents: &mut Documents<'_>, who: Present<'_>) -> Result<Vec<(String, api::Event)>> {
    let events = documents.list::<api::Event>(&[who.stage_id, who.session_id, who.participant_id])?;
    Ok(events.into_iter().map(|(ids, event)| (ids.concat(), event)).collect())
}

/// A place turned around, so that the newest event sorts first.
pub fn newest_first(place: &str) -> String {
    let turned = |digit: char| digit.to_digit(16).and_then(|value| char::from_digit(15 - value, 16));
    place.chars().filter_map(turned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turned_places_sort_the_other_way() {
        let old = format!("{:016x}{:04x}", 1_704_067_200_000_000_u64, 0);
        let newer = format!("{:016x}{:04x}", 1_704_067_200_000_000_u64, 1);
        let newest = format!("{:016x}{:04x}", 1_704_067_200_000_001_u64, 0);
        assert!(old < newer && newer < newest);
        assert!(newest_first(&newest) < newest_first(&newer) && newest_first(&newer) < newest_first(&old));
    }
}
