//! What Amazon EventBridge would be told of stages: an outbox of documents, written in the transaction in which the
//! thing itself is recorded, so that neither can be lost without the other. Who delivers them also deletes them. While
//! there is nowhere to deliver them nothing is written: a target gets what happens from its first start on.
//!
//! <https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/eventbridge.html>

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stagedoor_api::ivs_realtime as api;
use stagedoor_api::ivs_realtime::EventName;
use stagedoor_model::Timestamp;
use stagedoor_store::Transaction;

use super::event;
use super::presence::Present;
use crate::document::{Kind, decode, encode, prefix, store_fault};
use crate::{Documents, Result, arn};

/// An event that waits to be delivered. Ids: `[stage, place]`; the place is that of [`event`], so that those of a
/// stage are in the order of their happening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub detail_type: String,
    pub micros: i64,
    /// The ARN of what it is about.
    pub resource: String,
    pub detail: Map<String, Value>,
    /// Names of the targets that have it already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<String>,
}

impl Kind for Notice {
    const KIND: &'static str = "ivs-notice";
}

/// Notices of one stage that are read at a time at most, so that none keeps the others waiting.
const PER_STAGE_MAX: usize = 32;

/// Puts into the outbox what EventBridge is told of a participant's event, which for many is nothing.
pub(super) fn tell(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    event: &api::Event,
    participant: Option<&api::Participant>,
    now: Timestamp,
) -> Result<()> {
    if !documents.tells() {
        return Ok(());
    }
    let Some(detail) = detail(who, event, participant, now) else { return Ok(()) };
    let notice = Notice {
        detail_type: "IVS Stage Update".to_owned(),
        micros: now.as_micros(),
        resource: arn::ivs(documents.region(), documents.account(), "stage", who.stage_id),
        detail,
        delivered: Vec::new(),
    };
    let place = event::free_place::<Notice>(documents, &[who.stage_id], now)?;
    documents.put(&[who.stage_id, &place], &notice)
}

/// AWS's samples give the time in seconds, and since June 2026 in microseconds, too.
fn detail(
    who: Present<'_>,
    event: &api::Event,
    participant: Option<&api::Participant>,
    now: Timestamp,
) -> Option<Map<String, Value>> {
    let name = match event.name? {
        EventName::PublishStarted => "Participant Published",
        EventName::PublishStopped => "Participant Unpublished",
        EventName::PublishError => "Participant Publish Error",
        EventName::ReplicationStarted => "Participant Replication Start",
        EventName::ReplicationStopped => "Participant Replication End",
        EventName::TokenExchanged => "Token Exchanged",
        _ => return None,
    };
    let of_participant = |read: fn(&api::Participant) -> &Option<String>| {
        participant.and_then(|participant| read(participant).clone()).unwrap_or_default()
    };
    let mut detail = Map::new();
    let mut put = |name: &str, value: Value| _ = detail.insert(name.to_owned(), value);
    put("event_name", name.into());
    put("session_id", who.session_id.into());
    put("event_time", now.whole_seconds().to_string().into());
    put("user_id", of_participant(|participant| &participant.user_id).into());
    put("participant_id", who.participant_id.into());
    match event.name? {
        EventName::ReplicationStarted | EventName::ReplicationStopped => {
            put("destination_stage_arn", event.destination_stage_arn.clone().into());
            put("destination_session_id", event.destination_session_id.clone().into());
        }
        EventName::TokenExchanged => {
            put("previous_token", token(event.previous_token.as_ref()));
            put("new_token", token(event.new_token.as_ref()));
        }
        published_or_not => {
            if published_or_not == EventName::PublishError {
                put("error_code", event.error_code.map(|code| code.to_string()).into());
            } else {
                put("event_time_precise", precise(now).into());
            }
            put("replica", event.replica.unwrap_or(false).into());
            put("source_stage_arn", of_participant(|participant| &participant.source_stage_arn).into());
            put("source_session_id", of_participant(|participant| &participant.source_session_id).into());
        }
    }
    Some(detail)
}

fn token(token: Option<&api::ExchangedParticipantToken>) -> Value {
    let Some(token) = token else { return Value::Null };
    let capabilities: Vec<String> = token.capabilities.iter().flatten().map(ToString::to_string).collect();
    json!({
        "capabilities": capabilities,
        "attributes": token.attributes.clone().unwrap_or_default(),
        "user_id": token.user_id.clone().unwrap_or_default(),
        "expiration_time": token.expiration_time.map(|time| time.whole_seconds().to_string()),
    })
}

/// With all six digits of the microseconds.
fn precise(now: Timestamp) -> String {
    let seconds = now.whole_seconds();
    let fraction = now.as_micros() - seconds.as_micros();
    format!("{}.{fraction:06}Z", seconds.to_string().trim_end_matches('Z'))
}

// === For those who deliver ===

/// The oldest notices that `target` does not have, with their keys, in the order of stages and of time; `max` at
/// most, and a limited number of each stage.
pub fn waiting(transaction: &mut Transaction, target: &str, max: usize) -> Result<Vec<(String, Notice)>> {
    let mut found: Vec<(String, Notice)> = Vec::new();
    let mut of_stage = (String::new(), 0);
    let broken = transaction.visit(&prefix::<Notice>(), |key, document| {
        let stage = key.rsplit_once('/').map_or(key, |(stage, _)| stage);
        if of_stage.0 != stage {
            of_stage = (stage.to_owned(), 0);
        }
        if of_stage.1 == PER_STAGE_MAX {
            return ControlFlow::Continue(());
        }
        match decode::<Notice>(&document.bytes) {
            Ok(notice) if notice.delivered.iter().any(|name| name == target) => {}
            Ok(notice) => {
                of_stage.1 += 1;
                found.push((key.to_owned(), notice));
            }
            Err(fault) => return ControlFlow::Break(Err(fault)),
        }
        if found.len() == max { ControlFlow::Break(Ok(())) } else { ControlFlow::Continue(()) }
    });
    broken.map_err(store_fault)?.unwrap_or(Ok(()))?;
    Ok(found)
}

/// Notes that `target` has what these keys name. What all of `targets` have is deleted.
pub fn note_delivered(
    transaction: &mut Transaction,
    keys: &[String],
    target: &str,
    targets: &[String],
) -> Result<()> {
    for key in keys {
        let Some(document) = transaction.get(key).map_err(store_fault)? else { continue };
        let mut notice: Notice = decode(&document.bytes)?;
        notice.delivered.push(target.to_owned());
        if targets.iter().all(|name| notice.delivered.contains(name)) {
            transaction.delete(key).map_err(store_fault)?;
        } else {
            transaction.put(key, encode(&notice)).map_err(store_fault)?;
        }
    }
    Ok(())
}

/// Keys of notices that nobody waits for any more: those from before `oldest`, and the first of those that are more
/// than `max`; `at_once` at most.
pub fn surplus(
    transaction: &mut Transaction,
    oldest: Timestamp,
    max: usize,
    at_once: usize,
) -> Result<Vec<String>> {
    let (mut count, mut old, mut first) = (0_usize, Vec::new(), Vec::new());
    let broken = transaction.visit(&prefix::<Notice>(), |key, document| {
        count += 1;
        match decode::<Notice>(&document.bytes) {
            Ok(notice) if notice.micros < oldest.as_micros() => old.push(key.to_owned()),
            Ok(_) if first.len() < at_once => first.push(key.to_owned()),
            Ok(_) => {}
            Err(_) => old.push(key.to_owned()),
        }
        if old.len() == at_once { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    broken.map_err(store_fault)?;
    let beyond = count.saturating_sub(max + old.len());
    old.extend(first.into_iter().take(beyond));
    old.truncate(at_once);
    Ok(old)
}

#[cfg(test)]
mod tests {
    use stagedoor_store::Store;

    use super::*;
    use crate::transact::transact;

    const WHO: Present<'_> = Present { stage_id: "s", session_id: "st-1", participant_id: "p" };

    fn event(name: EventName) -> api::Event {
        api::Event { name: Some(name), ..api::Event::default() }
    }

    #[test]
    fn details_are_those_of_the_user_guide() {
        let now = Timestamp::from_micros(1_704_067_200_000_050);
        let participant = api::Participant { user_id: Some("ann".to_owned()), ..Default::default() };
        let told = |event: &api::Event| detail(WHO, event, Some(&participant), now).map(Value::Object);
        assert_eq!(
            told(&event(EventName::PublishStarted)),
            Some(json!({
                "event_name": "Participant Published", "session_id": "st-1", "user_id": "ann", "participant_id": "p",
                "event_time": "2024-01-01T00:00:00Z", "event_time_precise": "2024-01-01T00:00:00.000050Z",
                "replica": false, "source_stage_arn": "", "source_session_id": "",
            }))
        );
        let failed = api::Event {
            error_code: Some(api::EventErrorCode::BFramePresent),
            ..event(EventName::PublishError)
        };
        assert_eq!(
            told(&failed),
            Some(json!({
                "event_name": "Participant Publish Error", "session_id": "st-1", "user_id": "ann",
                "participant_id": "p", "event_time": "2024-01-01T00:00:00Z", "error_code": "B_FRAME_PRESENT",
                "replica": false, "source_stage_arn": "", "source_session_id": "",
            }))
        );
        let replicated = api::Event {
            destination_stage_arn: Some("arn:b".to_owned()),
            destination_session_id: Some("st-2".to_owned()),
            ..event(EventName::ReplicationStarted)
        };
        assert_eq!(
            told(&replicated),
            Some(json!({
                "event_name": "Participant Replication Start", "session_id": "st-1", "user_id": "ann",
                "participant_id": "p", "event_time": "2024-01-01T00:00:00Z",
                "destination_stage_arn": "arn:b", "destination_session_id": "st-2",
            }))
        );
        for silent in [EventName::Joined, EventName::Left, EventName::SubscribeStarted, EventName::JoinError]
        {
            assert_eq!(told(&event(silent)), None, "{silent}");
        }
    }

    #[test]
    fn a_notice_goes_when_every_target_has_it() {
        let store = Store::in_memory().expect("memory suffices");
        let run = |work: &mut dyn FnMut(&mut Transaction) -> Result<usize>| {
            transact(&store, |transaction| work(transaction)).expect("the store works")
        };
        let targets = ["a".to_owned(), "b".to_owned()];
        run(&mut |transaction| {
            let documents = &mut Documents::new(transaction, "1", "eu");
            for second in 0..40 {
                let now = Timestamp::from_seconds(second);
                tell(documents, WHO, &event(EventName::PublishStarted), None, now)?;
            }
            Ok(0)
        });
        let deliver = |target: &str| {
            run(&mut |transaction| {
                let found = waiting(transaction, target, 100)?;
                assert!(found.is_sorted_by_key(|(_, notice)| notice.micros));
                let keys: Vec<String> = found.into_iter().map(|(key, _)| key).collect();
                note_delivered(transaction, &keys, target, &targets)?;
                Ok(keys.len())
            })
        };
        assert_eq!([deliver("a"), deliver("a"), deliver("a")], [32, 8, 0]);
        assert_eq!(deliver("b"), 32);
        let left = |oldest: i64, max: usize| {
            run(&mut |transaction| Ok(surplus(transaction, Timestamp::from_seconds(oldest), max, 100)?.len()))
        };
        assert_eq!([left(0, 100), left(34, 100), left(0, 5), left(34, 5)], [0, 2, 3, 3]);
    }
}
