//! Who is asking: AWS Signature Version 4, JSON web tokens, participant tokens; and what IAM policies say of them.
//!
//! Pure: nothing here does I/O or reads a clock; the time comes in as an argument. The one thing that is
//! not a function of its arguments is the random number that every ECDSA key and signature needs, which the
//! cryptographic library draws itself.

pub mod es384;
pub mod jose;
pub mod jwt;
pub mod participant_token;
pub mod percent;
pub mod policy;
pub mod sigv4;
pub mod turn;
