//! What an import has to say about a definition. Errors refuse it as a whole; warnings name what was left out.
//!
//! The frames are AWS's, as its users report them. Of the texts inside them, those of operations are the ones that
//! the operation itself answers.

use stagedoor_state::{Fault, Result};

use crate::messages;

/// Remarks in the order in which the definition gave rise to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
}

impl Notes {
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// The result's value; its fault becomes an error of the definition, unless it is the server's own.
    pub fn try_to<T>(&mut self, what: &str, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(fault) if is_own(&fault) => Err(fault),
            Err(fault) => {
                self.errors.push(format!("Unable to {what}: {}", fault.message));
                Ok(None)
            }
        }
    }

    /// Refuses the import if there was an error, or a warning and the caller wants none.
    pub fn conclude(&self, fail_on_warnings: bool) -> Result<()> {
        if !self.errors.is_empty() {
            return Err(messages::import_errors(&self.errors));
        }
        match fail_on_warnings && !self.warnings.is_empty() {
            true => Err(messages::import_warnings(&self.warnings)),
            false => Ok(()),
        }
    }
}

fn is_own(fault: &Fault) -> bool {
    fault.status >= 500
}
