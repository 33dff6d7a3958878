//! What an import has to say about a definition that it does not refuse.

/// Remarks in the order in which the definition gave rise to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Members that are valid in OpenAPI and that HTTP APIs do not have.
    pub infos: Vec<String>,
    /// Parts that are wrong and were left out.
    pub warnings: Vec<String>,
}

impl Notes {
    pub fn info(&mut self, text: impl Into<String>) {
        self.infos.push(text.into());
    }

    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}
