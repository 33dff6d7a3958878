//! Where a call goes and with which key: options before environment before profile before Stagedoor's own defaults.

use stagedoor_auth::sigv4::Key;
use stagedoor_model::Service;

use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::globals::{Globals, binary_format};
use crate::input::BinaryFormat;
use crate::output::{Format, Times};
use crate::profile::Profile;

/// Where a Stagedoor on this machine listens unless told otherwise.
const LOCAL_ENDPOINT: &str = "http://127.0.0.1:4566";
const LOCAL_REGION: &str = "us-east-1";

/// Everything that an invocation needs besides its command.
#[derive(Debug)]
pub struct Settings {
    pub endpoint: String,
    pub region: String,
    /// `None` sends without a signature.
    pub key: Option<Key>,
    pub output: Format,
    pub times: Times,
    pub binary_format: BinaryFormat,
    /// File of certificates to trust instead of the system's.
    pub ca_bundle: Option<String>,
    /// The pager's command line; `None` prints directly.
    pub pager: Option<String>,
}

impl Settings {
    /// # Errors
    /// [`Failure::Configuration`] if a profile, credentials or a region is missing or cannot be used.
    pub fn resolve(service: &Service, globals: &Globals, environment: &Environment) -> Result<Self> {
        let profile = Profile::load(globals.profile.as_deref(), environment)?;
        let region = region(globals, environment, &profile);
        let given = endpoint(service, globals, environment, &profile);
        // Real AWS is called only for a profile that the user named: whoever did not asks for the server at hand.
        let is_aws = given.is_none() && profile.named;
        let region = match region {
            None if is_aws => {
                let message = "You must specify a region. You can also configure your region by running \"aws configure\".";
                return Err(Failure::Configuration(message.to_owned()));
            }
            region => region.unwrap_or_else(|| LOCAL_REGION.to_owned()),
        };
        let endpoint = given.unwrap_or_else(|| match is_aws {
            true => aws_endpoint(service, &region),
            false => LOCAL_ENDPOINT.to_owned(),
        });
        Ok(Self {
            key: if globals.unsigned { None } else { Some(key(globals, environment, &profile, is_aws)?) },
            output: format(globals, environment, &profile)?,
            times: if profile.get("cli_timestamp_format") == Some("wire") {
                Times::Wire
            } else {
                Times::Iso8601
            },
            binary_format: match (globals.binary_format, profile.get("cli_binary_format")) {
                (Some(format), _) => format,
                (None, Some(word)) => binary_format(word)?,
                (None, None) => BinaryFormat::default(),
            },
            ca_bundle: ca_bundle(globals, environment, &profile),
            pager: pager(globals, environment, &profile),
            endpoint,
            region,
        })
    }
}

fn region(globals: &Globals, environment: &Environment, profile: &Profile) -> Option<String> {
    let region = globals.region.as_deref();
    let region =
        region.or_else(|| environment.get("AWS_REGION")).or_else(|| environment.get("AWS_DEFAULT_REGION"));
    region.or_else(|| profile.get("region")).map(str::to_owned)
}

/// The endpoint that somebody gave; services go by botocore's service ids.
fn endpoint(
    service: &Service,
    globals: &Globals,
    environment: &Environment,
    profile: &Profile,
) -> Option<String> {
    if globals.endpoint.is_some() {
        return globals.endpoint.clone();
    }
    let ignored = environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let ignored = ignored.or_else(|| profile.get("ignore_configured_endpoint_urls"));
    if ignored.is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        return None;
    }
    let id = service_id(service);
    let variable = format!("AWS_ENDPOINT_URL_{}", id.to_uppercase());
    let of_environment =
        environment.get(&variable).or_else(|| environment.get("AWS_ENDPOINT_URL")).map(str::to_owned);
    of_environment
        .or_else(|| profile.service_endpoint(id))
        .or_else(|| profile.get("endpoint_url").map(str::to_owned))
}

/// The service id in the spelling of variables and `services` sections.
fn service_id(service: &Service) -> &'static str {
    match service.name {
        "apigateway" => "api_gateway",
        "apigatewayv2" => "apigatewayv2",
        "apigatewaymanagementapi" => "apigatewaymanagementapi",
        _ => "ivs_realtime",
    }
}

fn aws_endpoint(service: &Service, region: &str) -> String {
    let host = match service.name {
        "apigateway" | "apigatewayv2" => "apigateway",
        "apigatewaymanagementapi" => "execute-api",
        _ => "ivsrealtime",
    };
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{host}.{region}.amazonaws.com{suffix}")
}

fn key(globals: &Globals, environment: &Environment, profile: &Profile, is_aws: bool) -> Result<Key> {
    if globals.profile.is_none()
        && let Some(id) = environment.get("AWS_ACCESS_KEY_ID")
    {
        let token = environment.get("AWS_SESSION_TOKEN").or_else(|| environment.get("AWS_SECURITY_TOKEN"));
        let missing = "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY";
        let secret = environment.get("AWS_SECRET_ACCESS_KEY");
        return Ok(static_key(id, secret.ok_or_else(|| Failure::Configuration(missing.to_owned()))?, token));
    }
    if let Some(id) = profile.get("aws_access_key_id") {
        let missing = "Partial credentials found in shared-credentials-file, missing: aws_secret_access_key";
        let secret = profile.get("aws_secret_access_key");
        let secret = secret.ok_or_else(|| Failure::Configuration(missing.to_owned()))?;
        return Ok(static_key(id, secret, profile.get("aws_session_token")));
    }
    if let Some(source) = UNSUPPORTED_SOURCES.iter().find(|source| profile.get(source).is_some()) {
        return Err(Failure::Configuration(format!(
            "Profile {} gets its credentials by {source}, which stagedoor does not support: use a profile with \
             aws_access_key_id and aws_secret_access_key, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            profile.name
        )));
    }
    if is_aws {
        let message =
            "Unable to locate credentials. You can configure credentials by running \"aws configure\".";
        return Err(Failure::Configuration(message.to_owned()));
    }
    Ok(static_key("test", "test", None))
}

/// Keys of a profile that make its credentials come from elsewhere.
const UNSUPPORTED_SOURCES: [&str; 7] = [
    "role_arn",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "login_session",
    "credential_process",
    "credential_source",
];

fn static_key(id: &str, secret: &str, token: Option<&str>) -> Key {
    Key { session_token: token.map(str::to_owned), ..Key::long_term(id, secret, "") }
}

fn format(globals: &Globals, environment: &Environment, profile: &Profile) -> Result<Format> {
    let configured = || environment.get("AWS_DEFAULT_OUTPUT").or_else(|| profile.get("output"));
    match (globals.output, configured()) {
        (Some(format), _) => Ok(format),
        (None, Some(word)) => {
            Format::parse(word).ok_or_else(|| Failure::Configuration(format!("Unknown output type: {word}")))
        }
        (None, None) => Ok(Format::default()),
    }
}

fn ca_bundle(globals: &Globals, environment: &Environment, profile: &Profile) -> Option<String> {
    let file = globals.ca_bundle.as_deref().or_else(|| environment.get("AWS_CA_BUNDLE"));
    file.or_else(|| profile.get("ca_bundle")).map(str::to_owned)
}

fn pager(globals: &Globals, environment: &Environment, profile: &Profile) -> Option<String> {
    let command = if globals.no_pager {
        None
    } else if environment.has("AWS_PAGER") {
        environment.get("AWS_PAGER")
    } else {
        profile.get("cli_pager").or_else(|| environment.get("PAGER")).or(Some("less"))
    };
    command.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &str = "
[default]
region = eu-west-1
[profile aws]
region = cn-north-1
aws_access_key_id = AKIA
aws_secret_access_key = secret
aws_session_token = token
[profile role]
role_arn = arn:aws:iam::000000000000:role/x
[profile empty]
output = text
";

    fn told(globals: &Globals, variables: &[(&str, &str)]) -> String {
        let mut environment = Environment::of([]).with_file("config", FILES);
        environment.set(variables);
        match Settings::resolve(&stagedoor_model::ivs_realtime::SERVICE, globals, &environment) {
            Ok(settings) => {
                let key = settings.key.expect("signed unless told otherwise");
                let token = key.session_token.unwrap_or_default();
                format!("{} {} {} {token}", settings.endpoint, settings.region, key.access_key_id)
                    .trim_end()
                    .to_owned()
            }
            Err(failure) => format!("{} {}", failure.exit_code(), failure.to_string().trim()),
        }
    }

    #[test]
    fn real_aws_is_called_only_with_a_named_profile() {
        let none = Globals::default();
        let local = "http://127.0.0.1:4566 eu-west-1 test";
        assert_eq!(told(&none, &[]), local);
        assert_eq!(
            told(&none, &[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")]),
            local.replace("test", "A")
        );
        let aws = Globals { profile: Some("aws".to_owned()), ..Globals::default() };
        let expected = "https://ivsrealtime.cn-north-1.amazonaws.com.cn cn-north-1 AKIA token";
        assert_eq!(told(&aws, &[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")]), expected);
    }

    #[test]
    fn the_nearest_endpoint_wins() {
        let option = Globals { endpoint: Some("http://option".to_owned()), ..Globals::default() };
        let both = [("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_IVS_REALTIME", "http://one")];
        assert_eq!(told(&option, &both), "http://option eu-west-1 test");
        assert_eq!(told(&Globals::default(), &both), "http://one eu-west-1 test");
        assert_eq!(told(&Globals::default(), &both[..1]), "http://all eu-west-1 test");
    }

    #[test]
    fn what_is_missing_is_said() {
        let named = |name: &str| Globals { profile: Some(name.to_owned()), ..Globals::default() };
        let cases = [
            (told(&named("missing"), &[]), "253 The config profile (missing) could not be found"),
            (
                told(&named("role"), &[("AWS_REGION", "r-1")]),
                "253 Profile role gets its credentials by role_arn",
            ),
            (told(&named("empty"), &[("AWS_REGION", "r-1")]), "253 Unable to locate credentials."),
            (told(&named("empty"), &[]), "253 You must specify a region."),
            (
                told(&Globals::default(), &[("AWS_ACCESS_KEY_ID", "A")]),
                "253 Partial credentials found in env",
            ),
        ];
        for (told, expected) in cases {
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
