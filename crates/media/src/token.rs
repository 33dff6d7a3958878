//! From a bearer token to a [`Visitor`]: the join-time checks that need the token, the time and the ledger.

use std::sync::Arc;

use stagedoor_auth::participant_token::{Capabilities, TokenError, verify};

use crate::ledger::Protocol;
use crate::presence::Visitor;
use crate::service::Inner;
use crate::user_agent;
use crate::world::session_id;

/// A visitor and what it may do.
pub struct Bearer {
    pub visitor: Visitor,
    pub capabilities: Capabilities,
}

impl Inner {
    /// Checks a token for the stage that it names.
    pub(crate) fn bearer(&self, token: &str, agent: &str, protocol: Protocol) -> Result<Bearer, TokenError> {
        let claims = verify(token, |kid| self.ledger.public_key(kid), self.world.wall())?;
        let admission = self.ledger.admit(&claims)?;
        let visitor = Visitor {
            stage_arn: Arc::from(claims.resource),
            stage_id: claims.topic,
            participant_id: Arc::from(claims.jti),
            user_id: claims.user_id.unwrap_or_default(),
            attributes: claims.attributes.unwrap_or_default(),
            protocol,
            client: user_agent::client(agent),
            ingest_configuration_arn: None,
            active_session: admission.active_session,
            new_session: session_id(&*self.world),
        };
        Ok(Bearer { visitor, capabilities: claims.capabilities })
    }
}
