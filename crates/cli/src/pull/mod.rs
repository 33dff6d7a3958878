//! `stagedoor pull`: copies definitions from an AWS account or another Stagedoor into this one, by public operations.
//!
//! Reading order: [`run`] chooses what to copy; `rest`, `http` and `ivs` copy one API or stage with all that it
//! stands on; `plans` and `domains` what stands beside APIs. Each reads both sides, changes what differs and says
//! what it did, so a second pull changes nothing. What cannot be copied is told.

mod api_parts;
mod document;
mod domains;
mod http;
mod ivs;
mod plans;
mod report;
mod rest;
mod rest_stage;
mod side;

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use stagedoor_model::{Service, apigateway, apigatewayv2, ivs_realtime};

use crate::connect::{self, Target};
use crate::failure::{Failure, Result};

use report::Report;
use side::Side;

const SERVICES: [&Service; 3] = [&apigateway::SERVICE, &apigatewayv2::SERVICE, &ivs_realtime::SERVICE];
/// Where definitions go unless told.
const HERE: &str = "http://127.0.0.1:4566";

/// Copy definitions from an AWS account or another Stagedoor into this one
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    from: Target,
    /// Copy one REST API (repeatable)
    #[arg(long, value_name = "ID")]
    rest_api: Vec<String>,
    /// Copy one HTTP or WebSocket API (repeatable)
    #[arg(long, value_name = "ID")]
    api: Vec<String>,
    /// Copy one real-time stage (repeatable)
    #[arg(long, value_name = "ARN")]
    stage: Vec<String>,
    /// Copy everything that the account has in the region
    #[arg(long)]
    all: bool,
    /// The server that the definitions go to
    #[arg(long, value_name = "URL", default_value = HERE)]
    to: String,
    /// Profile for that server [default: the environment's key, or test:test]
    #[arg(long, value_name = "NAME")]
    to_profile: Option<String>,
    /// Region there [default: the same]
    #[arg(long, value_name = "REGION")]
    to_region: Option<String>,
    /// How to tell what was done
    #[arg(long, value_enum, default_value = "text")]
    output: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

/// A copy under way.
struct Pull {
    from: Side,
    to: Side,
    /// Ids and ARNs of the source that have others at the target.
    ids: BTreeMap<String, String>,
    report: Report,
}

/// Copies, and gives what was done and whether everything could be copied.
///
/// # Errors
/// If one of the servers cannot be used at all. What fails in single parts is told in the text.
pub fn run(arguments: Arguments) -> Result<(String, bool)> {
    if !arguments.all
        && arguments.rest_api.is_empty()
        && arguments.api.is_empty()
        && arguments.stage.is_empty()
    {
        return Err(Failure::Other(
            "say what to copy: --rest-api ID, --api ID, --stage ARN or --all".to_owned(),
        ));
    }
    let from = arguments.from.connect(&SERVICES)?;
    let target = Target {
        endpoint_url: Some(arguments.to.clone()),
        profile: arguments.to_profile.clone(),
        region: Some(arguments.to_region.clone().unwrap_or_else(|| from.region.clone())),
        ca_bundle: arguments.from.ca_bundle.clone(),
    };
    let to = target.connect(&SERVICES)?;
    if (from.endpoint.trim_end_matches('/'), &from.region) == (to.endpoint.trim_end_matches('/'), &to.region)
    {
        return Err(Failure::Other(format!(
            "source and target are both {} in {}: name the source with --profile or --endpoint-url",
            from.endpoint, from.region
        )));
    }
    let mut pull =
        Pull { from: Side::new(from), to: Side::new(to), ids: BTreeMap::new(), report: Report::default() };
    connect::in_runtime(pull.everything(&arguments))?;
    let text = match arguments.output {
        Form::Text => pull.report.text(),
        Form::Json => pull.report.json(),
    };
    Ok((text, pull.report.is_complete()))
}

impl Pull {
    async fn everything(&mut self, arguments: &Arguments) -> Result<()> {
        let (mut rest_apis, mut apis) = (arguments.rest_api.clone(), arguments.api.clone());
        if arguments.all {
            rest_apis = side::ids(&self.from.list("apigateway", "GetRestApis", vec![]).await?, "id");
            apis = side::ids(&self.from.list("apigatewayv2", "GetApis", vec![]).await?, "ApiId");
        }
        if !rest_apis.is_empty() || !apis.is_empty() {
            self.vpc_links(arguments.all).await?;
        }
        if arguments.all {
            self.account().await?;
        }
        for id in &rest_apis {
            self.rest_api(id).await?;
        }
        for id in &apis {
            self.api(id).await?;
        }
        let copied: Vec<&String> = rest_apis.iter().chain(&apis).collect();
        if !rest_apis.is_empty() || arguments.all {
            self.usage_plans(&copied, arguments.all).await?;
        }
        if !copied.is_empty() || arguments.all {
            self.domain_names(&copied, arguments.all).await?;
        }
        if arguments.all {
            self.stages(None).await?;
            self.left_out().await;
        } else if !arguments.stage.is_empty() {
            self.stages(Some(&arguments.stage)).await?;
        }
        Ok(())
    }

    /// An id or ARN of the source as it is at the target.
    fn mapped(&self, id: &str) -> String {
        self.ids.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}
