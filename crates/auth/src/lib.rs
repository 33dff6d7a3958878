//! Who is asking: AWS Signature Version 4, ES384 JSON web tokens and participant tokens.
//!
//! Pure: nothing here does I/O or reads a clock; the time comes in as an argument. The one thing that is
//! not a function of its arguments is the random number that every ECDSA key and signature needs, which the
//! cryptographic library draws itself. What a caller may do once known (policies) is not decided here.

pub mod es384;
pub mod jwt;
pub mod participant_token;
pub mod percent;
pub mod sigv4;
