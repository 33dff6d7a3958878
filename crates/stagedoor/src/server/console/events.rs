//! What the console shows of a stage's participants: the newest events of its newest session.

use std::ops::ControlFlow;

use serde::Serialize;
use stagedoor_state::document::{self, decode, store_fault};
use stagedoor_state::ivs::api;
use stagedoor_state::transact::read;
use stagedoor_state::{Documents, Fault, arn::Arn};
use stagedoor_store::Store;

/// Events shown.
const EVENTS_MAX: usize = 100;

/// A line of the list.
#[derive(Serialize)]
pub struct Line {
    time: String,
    name: String,
    participant: String,
    /// Whom it also concerns, or the error's code.
    about: String,
    #[serde(skip)]
    micros: i64,
}

/// The newest first.
pub fn newest(store: &Store, stage_arn: &str) -> Result<Vec<Line>, Fault> {
    let Some(arn) = Arn::parse(stage_arn) else { return Ok(Vec::new()) };
    let Some(stage_id) = arn.id_of("stage") else { return Ok(Vec::new()) };
    read(store, |transaction| {
        let sessions =
            Documents::new(transaction, arn.account, arn.region).all::<api::StageSession>(&[stage_id])?;
        let newest =
            sessions.into_iter().max_by_key(|session| session.start_time.map(|time| time.as_micros()));
        let Some(session_id) = newest.and_then(|session| session.session_id) else { return Ok(Vec::new()) };
        let below = document::key::<api::Event>(arn.account, arn.region, &[stage_id, &session_id]) + "/";
        let mut lines: Vec<Line> = Vec::new();
        let broken = transaction.visit(&below, |_, found| {
            match decode::<api::Event>(&found.bytes) {
                Ok(event) => lines.push(line(event)),
                Err(fault) => return ControlFlow::Break(fault),
            }
            // What is in memory stays bounded however long the session is.
            if lines.len() >= 2 * EVENTS_MAX {
                keep_newest(&mut lines);
            }
            ControlFlow::Continue(())
        });
        broken.map_err(store_fault)?.map_or(Ok(()), Err)?;
        keep_newest(&mut lines);
        Ok(lines)
    })
}

fn keep_newest(lines: &mut Vec<Line>) {
    lines.sort_by_key(|line| std::cmp::Reverse(line.micros));
    lines.truncate(EVENTS_MAX);
}

fn line(event: api::Event) -> Line {
    let about = event.error_code.map(|code| code.to_string()).or(event.remote_participant_id);
    Line {
        time: event.event_time.map(|time| time.to_string()).unwrap_or_default(),
        name: event.name.map(|name| name.to_string()).unwrap_or_default(),
        participant: event.participant_id.unwrap_or_default(),
        about: about.unwrap_or_default(),
        micros: event.event_time.map_or(0, |time| time.as_micros()),
    }
}
