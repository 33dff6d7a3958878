//! Names of Lambda functions, as integrations spell them. Pure.

use std::fmt;

/// `arn:aws:lambda:{region}:{account}:function:{name}[:{version or alias}]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionArn {
    pub(crate) partition: String,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
}

/// What stands before the function's ARN in the URI of an integration, and what follows it.
const FUNCTIONS: &str = "/functions/";
const INVOCATIONS: [&str; 2] = ["/invocations", "/response-streaming-invocations"];

impl FunctionArn {
    /// From an integration's URI: `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{ARN}/invocations`,
    /// or the function's ARN itself, as HTTP APIs take it too.
    pub(crate) fn of_integration(uri: &str) -> Option<Self> {
        if !is_lambda_service(uri) {
            return Self::parse(uri);
        }
        let (_, rest) = uri.split_once(FUNCTIONS)?;
        Self::parse(INVOCATIONS.iter().find_map(|suffix| rest.strip_suffix(suffix))?)
    }

    /// From what a client of the Invoke API names: a name, `{account}:function:{name}` or an ARN, each perhaps with a
    /// qualifier, which may also stand apart. What is missing is the caller's.
    pub(crate) fn of_invocation(
        text: &str,
        qualifier: Option<&str>,
        account: &str,
        region: &str,
    ) -> Option<Self> {
        let arn = match text.split(':').collect::<Vec<_>>()[..] {
            ["arn", ..] => text.to_owned(),
            [account, "function", ..] => {
                let rest = text.strip_prefix(account)?;
                format!("arn:aws:lambda:{region}:{account}{rest}")
            }
            _ => format!("arn:aws:lambda:{region}:{account}:function:{text}"),
        };
        let mut named = Self::parse(&arn)?;
        match (&named.qualifier, qualifier) {
            (_, None) => {}
            (Some(known), Some(other)) if known != other => return None,
            (_, Some(given)) => named.qualifier = Some(given.to_owned()).filter(|given| is_qualifier(given)),
        }
        Some(named)
    }

    fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ("arn", "lambda", "function") = (*parts.first()?, *parts.get(2)?, *parts.get(5)?) else {
            return None;
        };
        let name = *parts.get(6)?;
        if parts.len() > 8 || !is_name(name) || !parts.get(7).is_none_or(|qualifier| is_qualifier(qualifier))
        {
            return None;
        }
        Some(Self {
            partition: parts[1].to_owned(),
            region: parts[3].to_owned(),
            account: parts[4].to_owned(),
            name: name.to_owned(),
            qualifier: parts.get(7).map(|qualifier| (*qualifier).to_owned()),
        })
    }
}

/// Whether an integration's URI means the Lambda service, whichever function it names.
pub(crate) fn is_lambda_service(uri: &str) -> bool {
    let mut parts = uri.splitn(6, ':');
    let (arn, _, service, _, subject) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    (arn, service, subject) == (Some("arn"), Some("apigateway"), Some("lambda"))
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=140).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_qualifier(text: &str) -> bool {
    text == "$LATEST" || is_name(text)
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, name, qualifier } = self;
        write!(f, "arn:{partition}:lambda:{region}:{account}:function:{name}")?;
        if let Some(qualifier) = qualifier {
            write!(f, ":{qualifier}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_name_functions_in_many_ways() {
        let check = |text: &str, qualifier: Option<&str>, expected: Option<&str>| {
            let found = FunctionArn::of_invocation(text, qualifier, "1", "r").map(|arn| arn.to_string());
            assert_eq!(found.as_deref(), expected, "{text} {qualifier:?}");
        };
        check("pets", None, Some("arn:aws:lambda:r:1:function:pets"));
        check("pets:live", None, Some("arn:aws:lambda:r:1:function:pets:live"));
        check("pets", Some("$LATEST"), Some("arn:aws:lambda:r:1:function:pets:$LATEST"));
        check("2:function:pets", Some("live"), Some("arn:aws:lambda:r:2:function:pets:live"));
        check(
            "arn:aws:lambda:q:2:function:pets:live",
            Some("live"),
            Some("arn:aws:lambda:q:2:function:pets:live"),
        );
        check("pets:live", Some("other"), None);
        for wrong in ["", "a b", "arn:aws:sqs:r:1:x", "a/b", "pets:a:b"] {
            check(wrong, None, None);
        }
    }

    #[test]
    fn functions_are_found_in_uris() {
        let check = |uri: &str, expected: Option<&str>| {
            let found = FunctionArn::of_integration(uri);
            let found = found.map(|arn| format!("{} {} {:?} {arn}", arn.name, arn.region, arn.qualifier));
            assert_eq!(found.as_deref(), expected, "{uri}");
        };
        let (plain, live) = (
            "arn:aws:lambda:eu-west-1:111122223333:function:pets",
            "arn:aws-cn:lambda:r:1:function:a_b:live",
        );
        let around = |arn: &str| {
            format!("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{arn}/invocations")
        };
        check(plain, Some(&format!("pets eu-west-1 None {plain}")));
        check(&around(plain), Some(&format!("pets eu-west-1 None {plain}")));
        check(&around(live), Some(&format!("a_b r Some(\"live\") {live}")));
        check(
            &format!("{plain}:$LATEST"),
            Some(&format!("pets eu-west-1 Some(\"$LATEST\") {plain}:$LATEST")),
        );
        check(
            &format!(
                "arn:aws:apigateway:r:lambda:path/2021-11-15/functions/{plain}/response-streaming-invocations"
            ),
            Some(&format!("pets eu-west-1 None {plain}")),
        );
        for wrong in [
            "",
            "http://h",
            "arn:aws:lambda:r:1:function:",
            "arn:aws:lambda:r:1:layer:x",
            "arn:aws:lambda:r:1:function:x:y:z",
            "arn:aws:lambda:r:1:function:a/b",
            "arn:aws:lambda:r:1:function:x:",
            "arn:aws:sqs:r:1:function:x",
        ] {
            check(wrong, None);
            check(&around(wrong), None);
        }
        assert!(is_lambda_service(&around("x")) && !is_lambda_service("arn:aws:apigateway:r:sqs:path/x"));
    }
}
