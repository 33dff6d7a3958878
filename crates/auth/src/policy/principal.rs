//! The `Principal` of a statement: whom it is about.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use serde_json::Value;

use super::document::{Malformed, texts};
use super::request::Principal;

/// Whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Everyone,
    These(Vec<One>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum One {
    /// `*` under `AWS`, which everyone is too, anonymous callers included.
    Anyone,
    /// Everybody of an account, written as its id or as its root user's ARN.
    Account(String),
    Arn(String),
    /// A service, an identity provider: nobody who signs requests here.
    Other,
}

impl Named {
    pub(super) fn parse(member: &Value) -> Result<Self, Malformed> {
        if member.as_str() == Some("*") {
            return Ok(Self::Everyone);
        }
        let kinds = member.as_object().ok_or(Malformed("Principal is neither \"*\" nor an object"))?;
        let mut named = Vec::new();
        for (kind, values) in kinds {
            for value in texts(values)? {
                named.push(match kind.as_str() {
                    "AWS" => One::parse(&value),
                    "Service" | "Federated" | "CanonicalUser" => One::Other,
                    _ => return Err(Malformed("Principal has an unknown kind")),
                });
            }
        }
        Ok(Self::These(named))
    }

    pub(super) fn includes(&self, principal: Option<&Principal>) -> bool {
        match self {
            Self::Everyone => true,
            Self::These(named) => named.iter().any(|one| one.is(principal)),
        }
    }
}

impl One {
    fn parse(text: &str) -> Self {
        let account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if text == "*" {
            return Self::Anyone;
        }
        if account {
            return Self::Account(text.to_owned());
        }
        match text.strip_suffix(":root").and_then(|arn| arn.rsplit_once("::")) {
            Some((_, account)) => Self::Account(account.to_owned()),
            None => Self::Arn(text.to_owned()),
        }
    }

    fn is(&self, principal: Option<&Principal>) -> bool {
        match (self, principal) {
            (Self::Anyone, _) => true,
            (Self::Account(account), Some(principal)) => *account == principal.account,
            (Self::Arn(arn), Some(principal)) => *arn == principal.arn,
            (Self::Account(_) | Self::Arn(_), None) | (Self::Other, _) => false,
        }
    }
}
