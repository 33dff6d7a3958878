//! Exchange of participant tokens: a participant goes on under a new one, without leaving. What the new token no longer
//! allows ends at once.
//!
//! Only tokens that were signed with a customer's own key can be exchanged
//! (<https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/broadcast-mobile-token-exchange.html>).

use stagedoor_auth::participant_token::{Claims, TokenError};

use crate::ledger::{Grant, Protocol};
use crate::service::Inner;
use crate::token::Bearer;

/// Why a token was not taken; the participant goes on under the one that it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{0}")]
    Token(#[from] TokenError),
    #[error("only tokens that were signed with an imported public key's pair can be exchanged")]
    NotSelfSigned,
    #[error("the new token has another {0}")]
    Changed(&'static str),
    #[error("the participant has left the stage")]
    Gone,
}

impl Inner {
    /// Puts a new token in the place of the one that `bearer` has.
    pub(crate) fn exchange(&self, bearer: &mut Bearer, token: &str) -> Result<(), Refused> {
        let new = self.bearer(token, "", Protocol::Unknown)?;
        if !bearer.self_signed || !new.self_signed {
            return Err(Refused::NotSelfSigned);
        }
        if let Some(changed) = changed(&bearer.claims, &new.claims) {
            return Err(Refused::Changed(changed));
        }
        let previous = Grant::of(&bearer.claims);
        let close = self.change(|presence, moment| {
            presence.exchange(&bearer.visitor, previous, Grant::of(&new.claims), moment)
        });
        self.close(close.ok_or(Refused::Gone)?);
        bearer.visitor.user_id = new.visitor.user_id;
        bearer.visitor.attributes = new.visitor.attributes;
        bearer.visitor.issued = new.visitor.issued;
        bearer.claims = new.claims;
        Ok(())
    }
}

/// What must be as it was, and is not.
fn changed(old: &Claims, new: &Claims) -> Option<&'static str> {
    let same = [
        ("topic", &old.topic, &new.topic),
        ("resource", &old.resource, &new.resource),
        ("jti", &old.jti, &new.jti),
        ("whip_url", &old.whip_url, &new.whip_url),
        ("events_url", &old.events_url, &new.events_url),
    ];
    same.iter().find(|(_, old, new)| old != new).map(|(name, ..)| *name)
}

impl Grant {
    pub(crate) fn of(claims: &Claims) -> Grant {
        Grant {
            capabilities: claims.capabilities,
            user_id: claims.user_id.clone().unwrap_or_default(),
            attributes: claims.attributes.clone().unwrap_or_default(),
            issued: claims.iat,
            expires: claims.exp,
        }
    }
}
