//! Roles that want an MFA code. It is asked for on the terminal, and what it brought is kept in the files in which
//! the AWS CLI keeps it, so that neither client asks again while it holds.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::error::display::DisplayErrorContext;
use inquire::{Password, PasswordDisplayMode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, Result};
use crate::input::expand_home;
use crate::profile::Profile;

/// Credentials that hold no longer than this are fetched anew, as by the AWS CLI.
const LEAST_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// A profile's role, for which a code of the device `serial` is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    role: String,
    serial: String,
    session_name: Option<String>,
    external_id: Option<String>,
    duration_seconds: Option<i32>,
    asks: Asks,
    /// Where the AWS CLI keeps credentials.
    kept: PathBuf,
}

/// Whose credentials ask for the role.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asks {
    Profile(String),
    /// The profile itself has keys: id and secret.
    Keys(String, String),
}

impl Role {
    /// The role of a profile, if it wants a code.
    ///
    /// # Errors
    /// [`Failure::Configuration`] if it is not said whose credentials ask for it.
    pub fn of(profile: &Profile) -> Result<Option<Self>> {
        let (Some(role), Some(serial)) = (profile.get("role_arn"), profile.get("mfa_serial")) else {
            return Ok(None);
        };
        let text = |key: &str| profile.get(key).map(str::to_owned);
        let keys = text("aws_access_key_id").zip(text("aws_secret_access_key"));
        let asks = match (text("source_profile"), keys) {
            (Some(source), Some((id, secret))) if source == profile.name => Asks::Keys(id, secret),
            (Some(source), _) if source != profile.name => Asks::Profile(source),
            _ => {
                return Err(Failure::Configuration(format!(
                    "Partial credentials found in assume-role, missing: source_profile with credentials of its own, \
                     in the profile {}",
                    profile.name
                )));
            }
        };
        Ok(Some(Self {
            role: role.to_owned(),
            serial: serial.to_owned(),
            session_name: text("role_session_name"),
            external_id: text("external_id"),
            duration_seconds: profile.get("duration_seconds").and_then(|text| text.parse().ok()),
            asks,
            kept: expand_home("~/.aws/cli/cache"),
        }))
    }

    /// The credentials that are kept, or new ones for a code.
    ///
    /// # Errors
    /// [`Failure::Configuration`] without a terminal, [`Failure::Other`] if the role is not given.
    pub async fn fetch(
        &self,
        region: &str,
        client: SharedHttpClient,
        source: &ProviderConfig,
    ) -> Result<Credentials> {
        let file = self.kept.join(format!("{}.json", self.name_of_file()));
        if let Some(kept) = read(&file) {
            return Ok(kept);
        }
        let code = self.ask()?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(client)
            .credentials_provider(self.asking(source))
            .load()
            .await;
        let call = aws_sdk_sts::Client::new(&config)
            .assume_role()
            .role_arn(&self.role)
            .role_session_name(self.session_name())
            .set_external_id(self.external_id.clone())
            .set_duration_seconds(self.duration_seconds)
            .serial_number(&self.serial)
            .token_code(code);
        let answer = call.send().await.map_err(|error| {
            let told = DisplayErrorContext(&error);
            Failure::Other(format!("Error when retrieving credentials from assume-role: {told}"))
        })?;
        let given =
            answer.credentials.ok_or_else(|| Failure::Other("the role came without keys".to_owned()))?;
        let given = json!({"Credentials": {
            "AccessKeyId": given.access_key_id,
            "SecretAccessKey": given.secret_access_key,
            "SessionToken": given.session_token,
            "Expiration": given.expiration.to_string(),
        }});
        // A place where nothing can be kept costs a question the next time, not this call.
        drop(keep(&file, &given));
        credentials(&given).ok_or_else(|| Failure::Other("the role came without keys".to_owned()))
    }

    fn asking(&self, source: &ProviderConfig) -> SharedCredentialsProvider {
        match &self.asks {
            Asks::Profile(name) => SharedCredentialsProvider::new(
                ProfileFileCredentialsProvider::builder().configure(source).profile_name(name).build(),
            ),
            Asks::Keys(id, secret) => {
                SharedCredentialsProvider::new(Credentials::new(id, secret, None, None, "profile"))
            }
        }
    }

    fn ask(&self) -> Result<String> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let message = format!("The role {} wants an MFA code, which needs a terminal", self.role);
            return Err(Failure::Configuration(message));
        }
        let question = format!("Enter MFA code for {}:", self.serial);
        let asked = Password::new(&question).without_confirmation();
        asked.with_display_mode(PasswordDisplayMode::Hidden).prompt().map_err(|_| Failure::Interrupted)
    }

    fn session_name(&self) -> String {
        let made = || format!("stagedoor-session-{}", now().as_second());
        self.session_name.clone().unwrap_or_else(made)
    }

    /// What botocore calls the file: the SHA-1 of what is asked, printed as Python prints JSON.
    fn name_of_file(&self) -> String {
        let asked = [
            ("DurationSeconds", self.duration_seconds.map(Value::from)),
            ("ExternalId", self.external_id.clone().map(Value::from)),
            ("RoleArn", Some(Value::from(self.role.clone()))),
            ("RoleSessionName", self.session_name.clone().map(Value::from)),
            ("SerialNumber", Some(Value::from(self.serial.clone()))),
        ];
        let asked = asked.into_iter().filter_map(|(name, value)| Some(format!("\"{name}\": {}", value?)));
        let text = format!("{{{}}}", asked.collect::<Vec<_>>().join(", "));
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "credentials hold until a time of this machine's clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Credentials that are kept and hold for a while.
fn read(file: &Path) -> Option<Credentials> {
    let kept: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let ends = kept["Credentials"]["Expiration"].as_str()?.replace("UTC", "Z");
    let ends: Timestamp = ends.parse().ok()?;
    if ends.duration_since(now()) < LEAST_LIFE {
        return None;
    }
    credentials(&kept)
}

fn credentials(kept: &Value) -> Option<Credentials> {
    let kept: &Map<String, Value> = kept["Credentials"].as_object()?;
    let text = |name: &str| kept.get(name)?.as_str().map(str::to_owned);
    let (id, secret) = (text("AccessKeyId")?, text("SecretAccessKey")?);
    Some(Credentials::new(id, secret, text("SessionToken"), None, "assume-role"))
}

/// Writes a file that nobody else can read.
fn keep(file: &Path, given: &Value) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(given.to_string().as_bytes())
}
