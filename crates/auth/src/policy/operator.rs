//! The comparisons of conditions, one value of the policy against one of the request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::arn;
use super::network::Network;
use super::pattern::Pattern;
use super::request::Context;

/// How values are compared; what is negated is said beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    String { ignore_case: bool },
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    IpAddress,
    Arn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A comparison by AWS's name, and whether it is negated; `None` if there is no such operator.
pub(super) fn parse(name: &str) -> Option<(Comparison, bool)> {
    use Comparison::{Arn, Binary, Bool, IpAddress, String, StringLike};
    let exact = String { ignore_case: false };
    let ignoring_case = String { ignore_case: true };
    Some(match name {
        "StringEquals" => (exact, false),
        "StringNotEquals" => (exact, true),
        "StringEqualsIgnoreCase" => (ignoring_case, false),
        "StringNotEqualsIgnoreCase" => (ignoring_case, true),
        "StringLike" => (StringLike, false),
        "StringNotLike" => (StringLike, true),
        "Bool" => (Bool, false),
        "BinaryEquals" => (Binary, false),
        "IpAddress" => (IpAddress, false),
        "NotIpAddress" => (IpAddress, true),
        "ArnEquals" | "ArnLike" => (Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Arn, true),
        _ => {
            let (kind, order): (fn(Order) -> Comparison, &str) = match name.strip_prefix("Numeric") {
                Some(order) => (Comparison::Numeric, order),
                None => (Comparison::Date, name.strip_prefix("Date")?),
            };
            let (order, negated) = ordering(order)?;
            (kind(order), negated)
        }
    })
}

fn ordering(name: &str) -> Option<(Order, bool)> {
    Some(match name {
        "Equals" => (Order::Equal, false),
        "NotEquals" => (Order::Equal, true),
        "LessThan" => (Order::Less, false),
        "LessThanEquals" => (Order::LessOrEqual, false),
        "GreaterThan" => (Order::Greater, false),
        "GreaterThanEquals" => (Order::GreaterOrEqual, false),
        _ => return None,
    })
}

impl Order {
    fn holds<T: PartialOrd>(self, theirs: &T, ours: &T) -> bool {
        match self {
            Self::Equal => theirs == ours,
            Self::Less => theirs < ours,
            Self::LessOrEqual => theirs <= ours,
            Self::Greater => theirs > ours,
            Self::GreaterOrEqual => theirs >= ours,
        }
    }
}

impl Comparison {
    /// Whether `*` and `?` in the policy's value mean anything.
    pub(super) fn has_wildcards(self) -> bool {
        matches!(self, Self::StringLike | Self::Arn)
    }

    /// Whether a value of the policy can ever be compared so: dates, numbers, ranges, texts of booleans.
    pub(super) fn takes(self, text: &str) -> bool {
        text.contains("${")
            || match self {
                Self::Numeric(_) => number(text).is_some(),
                Self::Date(_) => time(text).is_some(),
                Self::IpAddress => Network::parse(text).is_some(),
                Self::Bool => boolean(text).is_some(),
                Self::String { .. } | Self::StringLike | Self::Binary | Self::Arn => true,
            }
    }

    /// Whether the request's value stands to the policy's as this comparison says.
    pub(super) fn holds(self, theirs: &str, ours: &Pattern, context: &Context) -> bool {
        match self {
            Self::String { ignore_case } => ours.matches(theirs, context, ignore_case),
            Self::StringLike | Self::Binary => ours.matches(theirs, context, false),
            Self::Arn => arn::like(ours, theirs, context),
            Self::Numeric(order) => compared(order, number, theirs, ours, context),
            Self::Date(order) => compared(order, time, theirs, ours, context),
            Self::Bool => compared(Order::Equal, boolean, theirs, ours, context),
            Self::IpAddress => {
                let range = ours.text(context).and_then(|text| Network::parse(&text));
                range.zip(theirs.parse().ok()).is_some_and(|(range, address)| range.contains(address))
            }
        }
    }
}

fn compared<T: PartialOrd>(
    order: Order,
    read: fn(&str) -> Option<T>,
    theirs: &str,
    ours: &Pattern,
    context: &Context,
) -> bool {
    let ours = ours.text(context).and_then(|text| read(&text));
    read(theirs).zip(ours).is_some_and(|(theirs, ours)| order.holds(&theirs, &ours))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A date, a time, or seconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    text.parse().ok().or_else(day)
}
