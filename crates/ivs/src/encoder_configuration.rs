//! Encoder configurations: what the video of a composition is like. They cannot be changed.

use stagedoor_api::ivs_realtime::{
    self as api, CreateEncoderConfigurationRequest, CreateEncoderConfigurationResponse,
    DeleteEncoderConfigurationRequest, DeleteEncoderConfigurationResponse, EncoderConfigurationSummary,
    GetEncoderConfigurationRequest, GetEncoderConfigurationResponse, ListEncoderConfigurationsRequest,
    ListEncoderConfigurationsResponse, Video,
};
use stagedoor_state::ivs::{Composition, EncoderConfiguration};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{composition, messages, quota, resource, tag};

/// Most pixels of a picture: 1920 x 1080 or 1080 x 1920.
const PIXELS_MAX: i64 = 1920 * 1080;
const WIDTH_DEFAULT: i64 = 1280;
const HEIGHT_DEFAULT: i64 = 720;
const FRAMES_PER_SECOND_DEFAULT: f64 = 30.0;
const BITS_PER_SECOND_DEFAULT: i64 = 2_500_000;
/// Items on a page when the request does not say.
const PAGE_DEFAULT: i64 = 100;

/// `POST /CreateEncoderConfiguration`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_CreateEncoderConfiguration.html>
pub fn create_encoder_configuration(
    cx: &mut Cx<'_>,
    input: CreateEncoderConfigurationRequest,
) -> Result<CreateEncoderConfigurationResponse> {
    let tags = tag::checked(input.tags)?;
    let video = complete(input.video.unwrap_or_default())?;
    quota::check::<EncoderConfiguration>(cx, quota::ENCODER_CONFIGURATIONS)?;
    let (id, arn) = resource::name::<EncoderConfiguration>(cx, &tags)?;
    let name = input.name.unwrap_or_default();
    let created_micros = cx.now().as_micros();
    let configuration = EncoderConfiguration { arn, name, tags, video, created_micros };
    cx.put(&[&id], &configuration)?;
    Ok(CreateEncoderConfigurationResponse { encoder_configuration: Some(show(configuration)) })
}

/// `POST /GetEncoderConfiguration`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetEncoderConfiguration.html>
pub fn get_encoder_configuration(
    cx: &mut Cx<'_>,
    input: GetEncoderConfigurationRequest,
) -> Result<GetEncoderConfigurationResponse> {
    let (_, configuration) = resource::existing::<EncoderConfiguration>(cx, &input.arn)?;
    Ok(GetEncoderConfigurationResponse { encoder_configuration: Some(show(configuration)) })
}

/// `POST /ListEncoderConfigurations`: newest first.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListEncoderConfigurations.html>
pub fn list_encoder_configurations(
    cx: &mut Cx<'_>,
    input: ListEncoderConfigurationsRequest,
) -> Result<ListEncoderConfigurationsResponse> {
    let max_results = input.max_results.or(Some(PAGE_DEFAULT));
    let request = page::Request { token: input.next_token, max_results };
    let configurations = cx.all::<EncoderConfiguration>(&[])?;
    let order = |one: &EncoderConfiguration| newest_first(one.created_micros, &one.arn);
    let page = page(cx, &["ListEncoderConfigurations"], &request, configurations, order)?;
    let summaries = page.items.into_iter().map(summary).collect();
    Ok(ListEncoderConfigurationsResponse { encoder_configurations: Some(summaries), next_token: page.next })
}

/// `POST /DeleteEncoderConfiguration`: not while a composition uses it.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_DeleteEncoderConfiguration.html>
pub fn delete_encoder_configuration(
    cx: &mut Cx<'_>,
    input: DeleteEncoderConfigurationRequest,
) -> Result<DeleteEncoderConfigurationResponse> {
    let (id, _) = resource::existing::<EncoderConfiguration>(cx, &input.arn)?;
    let uses = |one: &Composition| one.encoder_configuration_arns().any(|arn| arn == input.arn);
    composition::check_unused(cx, &input.arn, uses)?;
    cx.delete::<EncoderConfiguration>(&[&id])?;
    Ok(DeleteEncoderConfigurationResponse::default())
}

/// The whole video that a request means, by its own members or their defaults.
fn complete(given: Video) -> Result<Video> {
    let width = given.width.unwrap_or(WIDTH_DEFAULT);
    let height = given.height.unwrap_or(HEIGHT_DEFAULT);
    if width % 2 != 0 || height % 2 != 0 {
        return Err(messages::odd_resolution());
    }
    if width * height > PIXELS_MAX {
        return Err(messages::too_many_pixels(PIXELS_MAX));
    }
    Ok(Video {
        bitrate: given.bitrate.or(Some(BITS_PER_SECOND_DEFAULT)),
        framerate: given.framerate.or(Some(FRAMES_PER_SECOND_DEFAULT)),
        height: Some(height),
        width: Some(width),
    })
}

// === Answers ===

fn show(configuration: EncoderConfiguration) -> api::EncoderConfiguration {
    api::EncoderConfiguration {
        arn: Some(configuration.arn),
        name: Some(configuration.name),
        tags: Some(configuration.tags),
        video: Some(configuration.video),
    }
}

fn summary(configuration: EncoderConfiguration) -> EncoderConfigurationSummary {
    EncoderConfigurationSummary {
        arn: Some(configuration.arn),
        name: Some(configuration.name),
        tags: Some(configuration.tags),
    }
}
