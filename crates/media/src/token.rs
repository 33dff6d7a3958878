//! From a bearer token to a [`Visitor`]: the join-time checks that need the token, the time and the ledger.

use std::sync::Arc;

use stagedoor_auth::participant_token::{Claims, TokenError, verify};

use crate::ledger::Protocol;
use crate::presence::Visitor;
use crate::service::Inner;
use crate::user_agent;
use crate::world::session_id;

/// A visitor and the token that it has shown.
pub struct Bearer {
    pub visitor: Visitor,
    pub claims: Claims,
    /// Whether the token was signed with a customer's own key, which has an ARN.
    pub self_signed: bool,
}

impl Inner {
    /// Checks a token for the stage that it names.
    pub(crate) fn bearer(&self, token: &str, agent: &str, protocol: Protocol) -> Result<Bearer, TokenError> {
        let mut self_signed = false;
        let lookup = |kid: &str| {
            self_signed = kid.starts_with("arn:");
            self.ledger.public_key(kid)
        };
        let claims = verify(token, lookup, self.world.wall())?;
        let admission = self.ledger.admit(&claims)?;
        let visitor = Visitor {
            stage_arn: Arc::from(claims.resource.as_str()),
            stage_id: claims.topic.clone(),
            participant_id: Arc::from(claims.jti.as_str()),
            user_id: claims.user_id.clone().unwrap_or_default(),
            attributes: claims.attributes.clone().unwrap_or_default(),
            issued: claims.iat,
            protocol,
            client: user_agent::client(agent),
            ingest_configuration_arn: None,
            stands_for: None,
            active_session: admission.active_session,
            new_session: session_id(&*self.world),
        };
        Ok(Bearer { visitor, claims, self_signed })
    }
}
