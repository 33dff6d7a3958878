//! Where a call goes and with which key: options before environment before profile before Stagedoor's own defaults.

use stagedoor_auth::sigv4::Key;
use stagedoor_model::Service;

use crate::credentials::{self, Source};
use crate::endpoint;
use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::globals::{Globals, binary_format};
use crate::input::BinaryFormat;
use crate::output::{Format, Times};
use crate::profile::Profile;
use crate::retry::{Mode, Policy};
use crate::tls::Trust;

/// Where a Stagedoor on this machine listens unless told otherwise.
const LOCAL_ENDPOINT: &str = "http://127.0.0.1:4566";
const LOCAL_REGION: &str = "us-east-1";

/// Everything that an invocation needs besides its command.
#[derive(Debug)]
pub struct Settings {
    pub endpoint: String,
    pub region: String,
    /// `None` sends without a signature.
    pub credentials: Option<Credentials>,
    pub output: Format,
    pub times: Times,
    pub binary_format: BinaryFormat,
    /// Whose certificates the endpoint may show.
    pub trust: Trust,
    pub retries: Policy,
    /// The pager's command line; `None` prints directly.
    pub pager: Option<String>,
}

/// Who signs.
#[derive(Clone, Debug)]
pub enum Credentials {
    Static(Key),
    Fetched(Source),
}

impl Settings {
    /// The key that signs; it may have to be fetched.
    ///
    /// # Errors
    /// Those of [`Source::fetch`].
    pub async fn key(&self) -> Result<Option<Key>> {
        match &self.credentials {
            None => Ok(None),
            Some(Credentials::Static(key)) => Ok(Some(key.clone())),
            Some(Credentials::Fetched(source)) => source.fetch(&self.region, &self.trust).await.map(Some),
        }
    }

    /// # Errors
    /// [`Failure::Configuration`] if a profile, credentials or a region is missing or cannot be used.
    pub fn resolve(service: &Service, globals: &Globals, environment: &Environment) -> Result<Self> {
        let profile = Profile::load(globals.profile.as_deref(), environment)?;
        let region = region(globals, environment, &profile);
        let given = endpoint::given(service, globals, environment, &profile)?;
        // Real AWS is called only for a profile that the user named: whoever did not asks for the server at hand.
        let is_aws = given.is_none() && profile.named;
        let region = match region {
            None if is_aws => {
                let message = "You must specify a region. You can also configure your region by running \"aws configure\".";
                return Err(Failure::Configuration(message.to_owned()));
            }
            region => region.unwrap_or_else(|| LOCAL_REGION.to_owned()),
        };
        endpoint::check_region(&region)?;
        let endpoint = given.unwrap_or_else(|| match is_aws {
            true => endpoint::of_aws(service, &region, environment, &profile),
            false => LOCAL_ENDPOINT.to_owned(),
        });
        Ok(Self {
            credentials: match globals.unsigned {
                true => None,
                false => Some(credentials(globals, environment, &profile)?),
            },
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
            trust: trust(globals, environment, &profile),
            retries: retries(environment, &profile)?,
            pager: pager_of(globals, environment, &profile),
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

/// Whoever names a profile means its credentials; whoever names none may call the server at hand with any.
fn credentials(globals: &Globals, environment: &Environment, profile: &Profile) -> Result<Credentials> {
    if globals.profile.is_none()
        && let Some(id) = environment.get("AWS_ACCESS_KEY_ID")
    {
        let token = environment.get("AWS_SESSION_TOKEN").or_else(|| environment.get("AWS_SECURITY_TOKEN"));
        let missing = "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY";
        let secret = environment.get("AWS_SECRET_ACCESS_KEY");
        return static_key(id, secret.ok_or_else(|| Failure::Configuration(missing.to_owned()))?, token);
    }
    if let Some(source) = Source::before_static(environment, profile)? {
        return Ok(Credentials::Fetched(source));
    }
    if let Some(id) = profile.get("aws_access_key_id") {
        let missing = "Partial credentials found in shared-credentials-file, missing: aws_secret_access_key";
        let secret = profile.get("aws_secret_access_key");
        let secret = secret.ok_or_else(|| Failure::Configuration(missing.to_owned()))?;
        return static_key(id, secret, profile.get("aws_session_token"));
    }
    match Source::after_static(environment, profile, profile.named) {
        Some(source) => Ok(Credentials::Fetched(source)),
        None if profile.named => Err(credentials::none_found()),
        None => static_key("test", "test", None),
    }
}

fn static_key(id: &str, secret: &str, token: Option<&str>) -> Result<Credentials> {
    let key = Key { session_token: token.map(str::to_owned), ..Key::long_term(id, secret, "") };
    Ok(Credentials::Static(key))
}

fn retries(environment: &Environment, profile: &Profile) -> Result<Policy> {
    let word = environment.get("AWS_RETRY_MODE").or_else(|| profile.get("retry_mode"));
    let mode = word.map_or(Some(Mode::default()), Mode::parse).ok_or_else(|| {
        Failure::Other(format!(
            "Invalid value provided to \"mode\": \"{}\" must be one of: ('legacy', 'standard', 'adaptive')",
            word.unwrap_or_default()
        ))
    })?;
    let word = environment.get("AWS_MAX_ATTEMPTS").or_else(|| profile.get("max_attempts"));
    let is_new =
        environment.get("AWS_NEW_RETRIES_2026").is_some_and(|word| word.eq_ignore_ascii_case("true"));
    let policy = Policy { is_new, ..Policy::new(mode) };
    let Some(word) = word else { return Ok(policy) };
    match word.trim().parse() {
        Ok(attempts) if attempts > 0 => Ok(Policy { attempts, ..policy }),
        _ => Err(Failure::Other(format!(
            "Value provided to \"max_attempts\": {word} must be an integer greater than or equal to 1."
        ))),
    }
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

fn trust(globals: &Globals, environment: &Environment, profile: &Profile) -> Trust {
    if globals.unverified {
        return Trust::Anyone;
    }
    let file = globals.ca_bundle.as_deref().or_else(|| environment.get("AWS_CA_BUNDLE"));
    let file = file.or_else(|| profile.get("ca_bundle"));
    file.map_or(Trust::System, |file| Trust::File(file.to_owned()))
}

/// The pager alone, whatever the other settings are.
pub fn pager(globals: &Globals, environment: &Environment) -> Option<String> {
    let profile = Profile::load(globals.profile.as_deref(), environment).unwrap_or_default();
    pager_of(globals, environment, &profile)
}

fn pager_of(globals: &Globals, environment: &Environment, profile: &Profile) -> Option<String> {
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
[profile mfa]
role_arn = arn:aws:iam::000000000000:role/x
source_profile = aws
mfa_serial = arn:aws:iam::000000000000:mfa/me
[profile lone]
role_arn = arn:aws:iam::000000000000:role/x
mfa_serial = arn:aws:iam::000000000000:mfa/me
[profile process]
credential_process = /bin/false
[profile empty]
output = text
";

    fn told(globals: &Globals, variables: &[(&str, &str)]) -> String {
        let mut environment = Environment::of([]).with_file("config", FILES);
        environment.set(variables);
        match Settings::resolve(&stagedoor_model::ivs_realtime::SERVICE, globals, &environment) {
            Ok(settings) => {
                let key = match settings.credentials.expect("signed unless told otherwise") {
                    Credentials::Static(key) => key,
                    Credentials::Fetched(source) => return format!("{source:?}"),
                };
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
        let none = Globals::default();
        let named = |name: &str| Globals { profile: Some(name.to_owned()), ..Globals::default() };
        let cases = [
            (told(&named("missing"), &[]), "253 The config profile (missing) could not be found"),
            (
                told(&named("role"), &[("AWS_REGION", "r-1")]),
                "Profile { name: \"role\", method: \"assume-role\" }",
            ),
            (told(&named("mfa"), &[("AWS_REGION", "r-1")]), "Mfa(Role { role: \"arn:aws:iam::000000000000:r"),
            (
                told(&named("lone"), &[("AWS_REGION", "r-1")]),
                "253 Partial credentials found in assume-role, missing: source_profile",
            ),
            (
                told(&named("process"), &[("AWS_REGION", "r-1")]),
                "Profile { name: \"process\", method: \"custom-pro",
            ),
            (told(&named("empty"), &[("AWS_REGION", "r-1")]), "Instance"),
            (
                told(&named("empty"), &[("AWS_REGION", "r-1"), ("AWS_EC2_METADATA_DISABLED", "true")]),
                "253 Unable to locate credentials.",
            ),
            (told(&none, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1")]), "Container"),
            (told(&none, &[("AWS_WEB_IDENTITY_TOKEN_FILE", "token")]), "WebIdentity"),
            (told(&none, &[("AWS_REGION", "no such")]), "255 Provided region_name 'no such' doesn't match"),
            (told(&none, &[("AWS_MAX_ATTEMPTS", "0")]), "255 Value provided to \"max_attempts\": 0 must be"),
            (
                told(&none, &[("AWS_RETRY_MODE", "often")]),
                "255 Invalid value provided to \"mode\": \"often\"",
            ),
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
