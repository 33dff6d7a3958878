//! Ordered documents with revisions: optimistic transactions, a change feed, interchangeable back ends.
