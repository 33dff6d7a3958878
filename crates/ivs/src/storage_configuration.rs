//! Storage configurations: the buckets that recordings go to.

use stagedoor_api::ivs_realtime::{
    self as api, CreateStorageConfigurationRequest, CreateStorageConfigurationResponse,
    DeleteStorageConfigurationRequest, DeleteStorageConfigurationResponse, GetStorageConfigurationRequest,
    GetStorageConfigurationResponse, ListStorageConfigurationsRequest, ListStorageConfigurationsResponse,
    S3StorageConfiguration, StorageConfigurationSummary,
};
use stagedoor_state::ivs::{Composition, Stage, StorageConfiguration};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{composition, messages, quota, resource, tag};

/// Items on a page when the request does not say, unless the quota is smaller.
const PAGE_DEFAULT: usize = 100;

/// `POST /CreateStorageConfiguration`
///
/// AWS edits the bucket's policy here so that its service may write. Whoever writes recordings for us uses the
/// server's own credentials, so the bucket is not looked at before something is recorded.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_CreateStorageConfiguration.html>
pub fn create_storage_configuration(
    cx: &mut Cx<'_>,
    input: CreateStorageConfigurationRequest,
) -> Result<CreateStorageConfigurationResponse> {
    let tags = tag::checked(input.tags)?;
    quota::check::<StorageConfiguration>(cx, quota::STORAGE_CONFIGURATIONS)?;
    let (id, arn) = resource::name::<StorageConfiguration>(cx, &tags)?;
    let configuration = StorageConfiguration {
        arn,
        name: input.name.unwrap_or_default(),
        tags,
        bucket_name: input.s3.bucket_name,
        created_micros: cx.now().as_micros(),
    };
    cx.put(&[&id], &configuration)?;
    Ok(CreateStorageConfigurationResponse { storage_configuration: Some(show(configuration)) })
}

/// `POST /GetStorageConfiguration`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetStorageConfiguration.html>
pub fn get_storage_configuration(
    cx: &mut Cx<'_>,
    input: GetStorageConfigurationRequest,
) -> Result<GetStorageConfigurationResponse> {
    let (_, configuration) = resource::existing::<StorageConfiguration>(cx, &input.arn)?;
    Ok(GetStorageConfigurationResponse { storage_configuration: Some(show(configuration)) })
}

/// `POST /ListStorageConfigurations`: newest first.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListStorageConfigurations.html>
pub fn list_storage_configurations(
    cx: &mut Cx<'_>,
    input: ListStorageConfigurationsRequest,
) -> Result<ListStorageConfigurationsResponse> {
    let quota = cx.environment.ivs.quotas.storage_configurations;
    let max_results = input.max_results.or(i64::try_from(quota.clamp(1, PAGE_DEFAULT)).ok());
    let request = page::Request { token: input.next_token, max_results };
    let configurations = cx.all::<StorageConfiguration>(&[])?;
    let order = |one: &StorageConfiguration| newest_first(one.created_micros, &one.arn);
    let page = page(cx, &["ListStorageConfigurations"], &request, configurations, order)?;
    let summaries = page.items.into_iter().map(summary).collect();
    Ok(ListStorageConfigurationsResponse { storage_configurations: Some(summaries), next_token: page.next })
}

/// `POST /DeleteStorageConfiguration`: not while a stage or a composition records to it.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_DeleteStorageConfiguration.html>
pub fn delete_storage_configuration(
    cx: &mut Cx<'_>,
    input: DeleteStorageConfigurationRequest,
) -> Result<DeleteStorageConfigurationResponse> {
    let (id, configuration) = resource::existing::<StorageConfiguration>(cx, &input.arn)?;
    let stages = cx.all::<Stage>(&[])?;
    let user = stages.iter().find(|stage| stage.recording.storage_configuration_arn == configuration.arn);
    if let Some(user) = user {
        return Err(messages::in_use(&configuration.arn, &user.arn));
    }
    let uses = |one: &Composition| one.storage_configuration_arns().any(|arn| arn == configuration.arn);
    composition::check_unused(cx, &configuration.arn, uses)?;
    cx.delete::<StorageConfiguration>(&[&id])?;
    Ok(DeleteStorageConfigurationResponse::default())
}

// === Answers ===

fn show(configuration: StorageConfiguration) -> api::StorageConfiguration {
    api::StorageConfiguration {
        arn: Some(configuration.arn),
        name: Some(configuration.name),
        s3: Some(S3StorageConfiguration { bucket_name: configuration.bucket_name }),
        tags: Some(configuration.tags),
    }
}

fn summary(configuration: StorageConfiguration) -> StorageConfigurationSummary {
    let api::StorageConfiguration { arn, name, s3, tags } = show(configuration);
    StorageConfigurationSummary { arn, name, s3, tags }
}
