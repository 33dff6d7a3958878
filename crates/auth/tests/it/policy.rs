//! IAM policies, by example and at random.

use proptest::prelude::*;
use serde_json::{Value, json};
use stagedoor_auth::policy::{Context, Decision, Policy, Principal, Request};

const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:abc/dev/GET/pets/1";

fn context(pairs: &[(&str, &str)]) -> Context {
    let mut context = Context::default();
    for (key, value) in pairs {
        context.add(key, *value);
    }
    context
}

fn decide(statements: Value, principal: Option<&Principal>, context: &Context) -> Decision {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    let policy = Policy::parse(&document.to_string()).unwrap_or_else(|error| panic!("{error}: {document}"));
    policy.decide(&Request { action: "execute-api:Invoke", resource: ARN, principal, context })
}

fn allowed_if(condition: Value, pairs: &[(&str, &str)]) -> bool {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    decide(statement, None, &context(pairs)) == Decision::Allow
}

#[test]
fn actions_and_resources() {
    for (members, expected) in [
        (json!({"Action": "execute-api:Invoke", "Resource": "*"}), true),
        (json!({"Action": "EXECUTE-API:invoke", "Resource": "*"}), true),
        (json!({"Action": ["s3:*", "execute-api:*"], "Resource": "*"}), true),
        (json!({"Action": "execute-api:ManageConnections", "Resource": "*"}), false),
        (json!({"NotAction": "s3:*", "Resource": "*"}), true),
        (json!({"NotAction": "execute-api:*", "Resource": "*"}), false),
        (json!({"Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/dev/GET/*"}), true),
        (json!({"Action": "*", "Resource": "arn:aws:execute-api:*:*:abc/*/GET/pets/?"}), true),
        (json!({"Action": "*", "Resource": ["x", "arn:aws:execute-api:*:*:abc/dev/POST/*"]}), false),
        (json!({"Action": "*", "NotResource": "*/POST/*"}), true),
        (json!({"Action": "*", "NotResource": "*/GET/*"}), false),
    ] {
        let mut statement = members.clone();
        statement["Effect"] = "Allow".into();
        let found = decide(statement, None, &Context::default()) == Decision::Allow;
        assert_eq!(found, expected, "{members}");
    }
}

#[test]
fn principals() {
    let alice = Principal {
        account: "111122223333".to_owned(),
        arn: "arn:aws:iam::111122223333:user/alice".to_owned(),
    };
    for (member, named, anonymous) in [
        (json!("*"), true, true),
        (json!({"AWS": "*"}), true, true),
        (json!({"AWS": "111122223333"}), true, false),
        (json!({"AWS": ["arn:aws:iam::111122223333:root"]}), true, false),
        (json!({"AWS": "arn:aws:iam::444455556666:root"}), false, false),
        (json!({"AWS": alice.arn}), true, false),
        (json!({"AWS": "arn:aws:iam::111122223333:user/bob"}), false, false),
        (json!({"Service": "lambda.amazonaws.com"}), false, false),
    ] {
        for (who, expected) in [(Some(&alice), named), (None, anonymous)] {
            let allow = json!({"Effect": "Allow", "Principal": member, "Action": "*", "Resource": "*"});
            assert_eq!(decide(allow, who, &Context::default()) == Decision::Allow, expected, "{member}");
            let other = json!({"Effect": "Allow", "NotPrincipal": member, "Action": "*", "Resource": "*"});
            assert_eq!(decide(other, who, &Context::default()) == Decision::Allow, !expected, "{member}");
        }
    }
}

#[test]
fn conditions() {
    let here = [("aws:SourceIp", "192.0.2.7"), ("aws:UserAgent", "curl/8"), ("n", "7")];
    for (condition, expected) in [
        (json!({"StringEquals": {"aws:useragent": "curl/8"}}), true),
        (json!({"StringEquals": {"aws:UserAgent": ["a", "curl/8"]}}), true),
        (json!({"StringEquals": {"aws:UserAgent": "curl/*"}}), false),
        (json!({"StringEqualsIgnoreCase": {"aws:UserAgent": "CURL/8"}}), true),
        (json!({"StringNotEquals": {"aws:UserAgent": ["a", "curl/8"]}}), false),
        (json!({"StringNotEquals": {"absent": "a"}}), true),
        (json!({"StringEquals": {"absent": "a"}}), false),
        (json!({"StringEqualsIfExists": {"absent": "a"}}), true),
        (json!({"StringLike": {"aws:UserAgent": "c?rl/*"}}), true),
        (json!({"StringNotLike": {"aws:UserAgent": "c*"}}), false),
        (json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]}}), true),
        (json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), false),
        (json!({"NumericLessThan": {"n": 8}}), true),
        (json!({"NumericGreaterThanEquals": {"n": "7.5"}}), false),
        (json!({"NumericNotEquals": {"n": "7"}}), false),
        (json!({"Null": {"absent": true}}), true),
        (json!({"Null": {"n": "true"}}), false),
        (json!({"Null": {"n": "false"}}), true),
        (json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "NumericEquals": {"n": 8}}), false),
    ] {
        assert_eq!(allowed_if(condition.clone(), &here), expected, "{condition}");
    }
    let times = [("t", "2023-11-14T22:13:20Z"), ("b", "TRUE"), ("a", "arn:aws:iam::1:user/x/y")];
    for (condition, expected) in [
        (json!({"DateGreaterThan": {"t": "2023-11-14"}}), true),
        (json!({"DateLessThan": {"t": "1700000000"}}), false),
        (json!({"DateEquals": {"t": 1_700_000_000}}), true),
        (json!({"Bool": {"b": "true"}}), true),
        (json!({"Bool": {"b": false}}), false),
        (json!({"ArnLike": {"a": "arn:aws:iam::*:user/*"}}), true),
        (json!({"ArnLike": {"a": "arn:*:user/x/y"}}), false),
        (json!({"ArnNotEquals": {"a": "arn:aws:iam::2:*"}}), true),
    ] {
        assert_eq!(allowed_if(condition.clone(), &times), expected, "{condition}");
    }
    let many = [("k", "a"), ("k", "b")];
    for (condition, expected) in [
        (json!({"ForAllValues:StringEquals": {"k": ["a", "b", "c"]}}), true),
        (json!({"ForAllValues:StringEquals": {"k": ["a"]}}), false),
        (json!({"ForAllValues:StringEquals": {"absent": "a"}}), true),
        (json!({"ForAnyValue:StringEquals": {"k": ["b"]}}), true),
        (json!({"ForAnyValue:StringEquals": {"absent": "a"}}), false),
        (json!({"ForAnyValue:StringNotEquals": {"k": ["a"]}}), true),
        (json!({"ForAllValues:StringNotEquals": {"k": ["a"]}}), false),
    ] {
        assert_eq!(allowed_if(condition.clone(), &many), expected, "{condition}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for statement in [
        json!({"Effect": "allow", "Action": "*", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*"}),
        json!({"Effect": "Allow", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": 7, "NotAction": 7, "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": {}}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "me"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Sounds": {"a": "b"}}}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"a": "b"}}}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Some:Bool": {"a": "true"}}}),
    ] {
        assert!(Policy::of(&json!({"Statement": statement})).is_err(), "{statement}");
    }
    for text in ["", "[]", "{}", "{\"Statement\": 7}", "{\"Version\": \"2031-01-01\", \"Statement\": []}"] {
        assert!(Policy::parse(text).is_err(), "{text}");
    }
}

/// The plain definition of a wildcard, to compare with.
fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
        (Some((b'?', rest)), Some((_, text))) => naive(rest, text),
        (Some((a, rest)), Some((b, text))) => a == b && naive(rest, text),
        _ => false,
    }
}

proptest! {
    #[test]
    fn wildcards_are_what_they_say(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"k": pattern}},
        });
        let allowed = decide(statement, None, &context(&[("k", &text)])) == Decision::Allow;
        prop_assert_eq!(allowed, naive(pattern.as_bytes(), text.as_bytes()));
    }

    /// Whatever else a policy says, and in whatever order, one denial is a denial; and an operator and its negation
    /// never agree about a value that is there.
    #[test]
    fn denials_win(allows in 0usize..5, at in 0usize..5, value in "[a-c]{1,2}", ours in "[a-c]{1,2}") {
        let mut statements = vec![json!({"Effect": "Allow", "Action": "*", "Resource": "*"}); allows];
        statements.insert(at.min(allows), json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
        prop_assert_eq!(decide(json!(statements), None, &Context::default()), Decision::ExplicitDeny);
        let holds = |operator: &str| allowed_if(json!({operator: {"k": ours}}), &[("k", &value)]);
        prop_assert_ne!(holds("StringEquals"), holds("StringNotEquals"));
        prop_assert_ne!(holds("StringLike"), holds("StringNotLike"));
    }

    #[test]
    fn nothing_panics(text in ".{0,200}", inner in "[\\[\\]{}\":,a-zA-Z*$ ]{0,80}") {
        Policy::parse(&text).ok();
        let document = format!("{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Action\":{inner}}}}}");
        Policy::parse(&document).ok();
    }
}
