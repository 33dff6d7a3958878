//! What authorizers say in the execution log, in API Gateway's words. Without a log nothing is done.

use super::answer::Answer;
use super::denial::Denial;
use crate::execution_log::starred;
use crate::visit::Visit;

pub(super) fn begins(visit: &Visit, authorizer: &str) {
    visit.note(|_| format!("Starting authorizer: {authorizer} for request: {}", visit.request_id_text()));
}

/// What the request says of who it is from.
pub(super) fn identity(visit: &Visit, identities: &[String]) {
    visit.note(|_| format!("Incoming identity: {}", starred(&identities.join(","))));
}

/// What the function returned.
pub(super) fn returned(visit: &Visit, payload: &[u8]) {
    visit.note(|_| format!("Authorizer result body before parsing: {}", String::from_utf8_lossy(payload)));
}

/// Why there is no answer, before the line that says so.
pub(super) fn failed(visit: &Visit, denial: &Denial) {
    if let (Some(log), Denial::Authorizer(why)) = (visit.log.get(), denial) {
        log.write_failure(format!("Execution failed due to configuration error: {why}"));
    }
}

/// The answer is one, whatever it decides.
pub(super) fn succeeded(visit: &Visit, answer: &Answer) {
    visit.note(|_| {
        let principal = answer.principal_id.as_deref().unwrap_or_default();
        format!("Using valid authorizer policy for principal: {}", starred(principal))
    });
    visit.note(|_| "Successfully completed authorizer execution".to_owned());
}
