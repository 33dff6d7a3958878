//! Tests of the embedded back end itself.
