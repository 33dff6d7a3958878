//! Names of log destinations, and which sink takes their lines. Pure.

use std::fmt;
use std::path::PathBuf;

/// A log group or delivery stream, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    arn: String,
    pub(super) service: Service,
    pub(super) region: String,
    pub(super) account: String,
    /// Of the log group or delivery stream.
    pub(super) name: String,
}

/// The services that take logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Service {
    Logs,
    Firehose,
}

impl Destination {
    /// `arn:aws:logs:{region}:{account}:log-group:{name}` or `arn:aws:firehose:{region}:{account}:deliverystream/{name}`.
    pub(crate) fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let ("arn", _partition, service) = (parts.next()?, parts.next()?, parts.next()?) else { return None };
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let (service, name) = match service {
            "logs" => {
                let name = resource.strip_prefix("log-group:")?;
                (Service::Logs, name.strip_suffix(":*").unwrap_or(name))
            }
            "firehose" => (Service::Firehose, resource.strip_prefix("deliverystream/")?),
            _ => return None,
        };
        Some(Self {
            arn: arn.to_owned(),
            service,
            region: region.to_owned(),
            account: account.to_owned(),
            name: name.to_owned(),
        })
        .filter(|destination| !destination.name.is_empty())
    }

    /// The log group that a stage's execution log has.
    pub(crate) fn of_execution_log(
        region: &str,
        account: &str,
        api: &str,
        stage: &str,
        is_canary: bool,
    ) -> Self {
        let canary = if is_canary { "/Canary" } else { "" };
        let name = format!("API-Gateway-Execution-Logs_{api}/{stage}{canary}");
        let arn = format!("arn:aws:logs:{region}:{account}:log-group:{name}");
        let (region, account) = (region.to_owned(), account.to_owned());
        Self { arn, service: Service::Logs, region, account, name }
    }

    /// Whether a pattern, in which `*` stands for anything, means this destination.
    pub(super) fn matches(&self, pattern: &str) -> bool {
        matches(pattern.as_bytes(), self.arn.as_bytes())
    }

    /// The file of this destination below the directory of logs: `{account}/{region}/{name}.log`, in which no part
    /// leads anywhere else.
    pub(super) fn file(&self) -> PathBuf {
        let parts = [self.account.as_str(), &self.region].into_iter().chain(self.name.split('/'));
        let mut path: PathBuf = parts.filter(|part| !part.is_empty()).map(harmless).collect();
        path.as_mut_os_string().push(".log");
        path
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}

/// A part of a path without what file systems give a meaning to.
fn harmless(part: &str) -> String {
    let allowed =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '#' | '$');
    let text: String = part.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect();
    if text.chars().all(|letter| letter == '.') { "_".repeat(text.len()) } else { text }
}

/// Compares without going back further than the last `*`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut in_text) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, in_text));
                at += 1;
            }
            Some(byte) if *byte == text[in_text] => (at, in_text) = (at + 1, in_text + 1),
            _ => match retry.as_mut() {
                Some((after, from)) => {
                    *from += 1;
                    (at, in_text) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_log_groups_and_streams() {
        let parse = |arn| Destination::parse(arn).map(|found| (found.service, found.name));
        assert_eq!(
            parse("arn:aws:logs:eu-west-1:1:log-group:/a/b"),
            Some((Service::Logs, "/a/b".to_owned()))
        );
        assert_eq!(parse("arn:aws:logs:eu-west-1:1:log-group:a:*"), Some((Service::Logs, "a".to_owned())));
        let stream = "arn:aws:firehose:eu-west-1:1:deliverystream/amazon-apigateway-x";
        assert_eq!(parse(stream), Some((Service::Firehose, "amazon-apigateway-x".to_owned())));
        for wrong in ["", "arn:aws:logs:r:1:log-group:", "arn:aws:sqs:r:1:x", "logs"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn files_stay_below_their_directory() {
        let file = |name: &str| {
            let arn = format!("arn:aws:logs:eu-west-1:1:log-group:{name}");
            Destination::parse(&arn).expect("a log group").file().display().to_string()
        };
        assert_eq!(file("orders"), "1/eu-west-1/orders.log");
        assert_eq!(file("/aws/x"), "1/eu-west-1/aws/x.log");
        assert_eq!(file("../../etc/passwd"), "1/eu-west-1/__/__/etc/passwd.log");
        assert_eq!(file("a\0b:c"), "1/eu-west-1/a_b_c.log");
    }

    #[test]
    fn patterns_choose() {
        let arn = "arn:aws:logs:eu-west-1:1:log-group:orders-live";
        let destination = Destination::parse(arn).expect("a log group");
        for (pattern, expected) in [
            (arn, true),
            ("*", true),
            ("arn:aws:logs:*:log-group:orders-*", true),
            ("*live", true),
            ("*liv", false),
            ("", false),
            ("arn:aws:logs:*:log-group:orders", false),
        ] {
            assert_eq!(destination.matches(pattern), expected, "{pattern}");
        }
    }
}
