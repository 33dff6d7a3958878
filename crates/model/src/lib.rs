//! The AWS service models as static tables, and the values that travel through them.
//!
//! Reading order: [`table`] says what a service, an operation and a shape are; [`value`] holds what a request
//! or an answer carries; [`shape`] turns values into typed structures and back. The modules below those are
//! generated from `models/*.json`. Nothing here knows HTTP: that is `wire`.

pub mod shape;
pub mod table;
pub mod timestamp;
pub mod value;

pub mod apigateway;
pub mod apigatewaymanagementapi;
pub mod apigatewayv2;
pub mod ivs_realtime;

pub use shape::{Mismatch, Shape};
pub use table::{Constraint, Kind, Location, Member, Operation, Paginator, Service, ShapeTable, TimeFormat};
pub use timestamp::Timestamp;
pub use value::Value;

/// Every service that has a table, in the order in which they are documented.
pub static SERVICES: [&Service; 4] =
    [&apigateway::SERVICE, &apigatewayv2::SERVICE, &apigatewaymanagementapi::SERVICE, &ivs_realtime::SERVICE];

#[doc(hidden)]
pub use serde;
