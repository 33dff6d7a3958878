//! The layout of a composition: always stored complete.

use stagedoor_api::ivs_realtime::{
    GridConfiguration, GridShown, LayoutConfiguration, LayoutShown, PipBehavior, PipConfiguration,
    PipPosition, VideoAspectRatio, VideoFillMode,
};
use stagedoor_state::Result;

use crate::messages;

/// Pixels between the tiles of a grid.
const GRID_GAP_DEFAULT: i64 = 2;

/// The whole layout that a request means: a grid unless it wants a picture in the picture.
///
/// # Errors
/// ValidationException if it wants both.
pub(crate) fn complete(given: Option<LayoutConfiguration>) -> Result<LayoutShown> {
    let LayoutConfiguration { grid, pip } = given.unwrap_or_default();
    match (grid, pip) {
        (Some(_), Some(_)) => Err(messages::two_layouts()),
        (None, Some(pip)) => Ok(LayoutShown { grid: None, pip: Some(complete_pip(pip)) }),
        (grid, None) => Ok(LayoutShown { grid: Some(complete_grid(grid.unwrap_or_default())), pip: None }),
    }
}

/// An unset fill mode is shown as an empty string: it differs between the featured tile and the others.
fn complete_grid(given: GridConfiguration) -> GridShown {
    let fill = given.video_fill_mode.map_or("", VideoFillMode::as_str);
    GridShown {
        featured_participant_attribute: Some(given.featured_participant_attribute.unwrap_or_default()),
        grid_gap: given.grid_gap.or(Some(GRID_GAP_DEFAULT)),
        omit_stopped_video: given.omit_stopped_video.or(Some(false)),
        participant_order_attribute: Some(given.participant_order_attribute.unwrap_or_default()),
        video_aspect_ratio: given.video_aspect_ratio.or(Some(VideoAspectRatio::Video)),
        video_fill_mode: Some(fill.to_owned()),
    }
}

/// Width and height have no default: they follow from the canvas and the participant's picture.
fn complete_pip(given: PipConfiguration) -> PipConfiguration {
    PipConfiguration {
        featured_participant_attribute: Some(given.featured_participant_attribute.unwrap_or_default()),
        grid_gap: given.grid_gap.or(Some(0)),
        omit_stopped_video: given.omit_stopped_video.or(Some(false)),
        participant_order_attribute: Some(given.participant_order_attribute.unwrap_or_default()),
        pip_behavior: given.pip_behavior.or(Some(PipBehavior::Static)),
        pip_offset: given.pip_offset.or(Some(0)),
        pip_participant_attribute: Some(given.pip_participant_attribute.unwrap_or_default()),
        pip_position: given.pip_position.or(Some(PipPosition::BottomRight)),
        video_fill_mode: given.video_fill_mode.or(Some(VideoFillMode::Cover)),
        ..given
    }
}
