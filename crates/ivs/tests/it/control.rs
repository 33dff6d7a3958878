//! The control plane of real-time stages in a test, and sentences that many tests begin with.

use std::ops::{Deref, DerefMut};

use serde_json::{Value as Json, json};
use stagedoor_model::Timestamp;
use stagedoor_state::ivs::presence::{self, Admission, Joining, Present};
use stagedoor_state::{Documents, Result};
use stagedoor_testkit::ControlPlane;
pub(crate) use stagedoor_testkit::control_plane::{REGION, START, TOKEN_KEY_ID as KEY_ID};

pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) struct Control(ControlPlane);

impl Deref for Control {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.0
    }
}

impl DerefMut for Control {
    fn deref_mut(&mut self) -> &mut ControlPlane {
        &mut self.0
    }
}

impl Control {
    pub(crate) fn new() -> Self {
        Self(ControlPlane::new(stagedoor_ivs::dispatch, ACCOUNT))
    }

    /// What the media plane would do.
    pub(crate) fn media<T>(&self, mut f: impl FnMut(&mut Documents<'_>, Timestamp) -> Result<T>) -> T {
        self.documents(|documents| f(documents, self.now()))
    }

    // === Frequent sentences ===

    /// Creates a stage with a chosen id; returns its ARN.
    pub(crate) fn stage(&self, id: &str) -> String {
        self.ok("CreateStage", json!({"tags": {"stagedoor:id": id}}));
        stage_arn(id)
    }

    pub(crate) fn join(&self, who: Present<'_>) {
        let joining = Joining {
            participant_id: who.participant_id.to_owned(),
            user_id: format!("user-{}", who.participant_id),
            ..Joining::default()
        };
        let admission = self.media(|documents, now| {
            presence::join(documents, who.stage_id, who.session_id, joining.clone(), now)
        });
        assert_eq!(admission, Admission::Joined { session_id: who.session_id.to_owned() });
    }

    /// Everybody leaves whom `who` names, and the session ends.
    pub(crate) fn end(&self, who: &[Present<'_>]) {
        for who in who {
            self.media(|documents, now| presence::leave(documents, *who, now));
        }
        let stage_id = who[0].stage_id;
        let end = |documents: &mut Documents<'_>, now| {
            stagedoor_state::ivs::session::end_session(documents, stage_id, now)
        };
        assert_eq!(self.media(end).as_deref(), Some(who[0].session_id));
    }
}

pub(crate) fn stage_arn(id: &str) -> String {
    format!("arn:aws:ivs:{REGION}:{ACCOUNT}:stage/{id}")
}

pub(crate) const SESSION: &str = "st-AAAAAAAAAAAAA";

/// A participant in [`SESSION`] of the stage `s1`.
pub(crate) fn who(participant_id: &str) -> Present<'_> {
    Present { stage_id: "s1", session_id: SESSION, participant_id }
}

/// The member of that name of each item of a list.
pub(crate) fn each<'a>(list: &'a Json, member: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[member].as_str().expect("a string")).collect()
}
