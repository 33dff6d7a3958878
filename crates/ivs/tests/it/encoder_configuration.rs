//! Encoder configurations: defaults and limits of a video.

use serde_json::json;

use crate::control::{Control, each};

#[test]
fn a_video_is_completed() {
    let control = Control::new();
    let defaults = json!({"width": 1280, "height": 720, "framerate": 30.0, "bitrate": 2_500_000});
    let cases = [
        (json!({}), defaults.clone()),
        (json!({"video": {}}), defaults),
        (
            json!({"video": {"width": 1080, "height": 1920, "framerate": 59.94, "bitrate": 8_500_000}}),
            json!({"width": 1080, "height": 1920, "framerate": 59.94, "bitrate": 8_500_000}),
        ),
        (
            json!({"video": {"height": 2, "framerate": 1}}),
            json!({"width": 1280, "height": 2, "framerate": 1.0, "bitrate": 2_500_000}),
        ),
    ];
    for (input, video) in cases {
        let created = control.ok("CreateEncoderConfiguration", input);
        let configuration = &created["encoderConfiguration"];
        assert_eq!(configuration["video"], video);
        let arn = configuration["arn"].as_str().expect("an ARN");
        assert!(arn.starts_with("arn:aws:ivs:eu-west-1:123456789012:encoder-configuration/"), "{arn}");
        assert_eq!(configuration, &json!({"arn": arn, "name": "", "tags": {}, "video": video}));
        assert_eq!(control.ok("GetEncoderConfiguration", json!({"arn": arn})), created);
    }
}

#[test]
fn impossible_videos_are_refused() {
    let control = Control::new();
    let odd = "ValidationException 400: The width and height of a video must be even";
    let large =
        "ValidationException 400: The width and height of a video must not make more than 2073600 pixels";
    let cases = [
        (json!({"width": 1279}), odd),
        (json!({"height": 719}), odd),
        (json!({"width": 1920, "height": 1082}), large),
        (json!({"width": 1920, "height": 1920}), large),
    ];
    for (video, error) in cases {
        assert_eq!(control.err("CreateEncoderConfiguration", json!({"video": video})), error);
    }
}

#[test]
fn twenty_are_all_and_none_is_deleted_twice() {
    let control = Control::new();
    for n in 0..20 {
        control.wait(1);
        let input = json!({"name": format!("e{n}"), "tags": {"stagedoor:id": format!("e{n}")}});
        control.ok("CreateEncoderConfiguration", input);
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of encoder configurations is 20";
    assert_eq!(control.err("CreateEncoderConfiguration", json!({})), error);
    let arn = "arn:aws:ivs:eu-west-1:123456789012:encoder-configuration/e19";
    assert_eq!(control.ok("DeleteEncoderConfiguration", json!({"arn": arn})), json!({}));
    let error = format!("ResourceNotFoundException 404: Resource: {arn} not found");
    assert_eq!(control.err("DeleteEncoderConfiguration", json!({"arn": arn})), error);
    assert_eq!(control.err("GetEncoderConfiguration", json!({"arn": arn})), error);
    let all = control.ok("ListEncoderConfigurations", json!({}));
    let newest: Vec<String> = (0..19).rev().map(|n| format!("e{n}")).collect();
    assert_eq!(each(&all["encoderConfigurations"], "name"), newest);
    let summary = json!({"arn": arn.replace("e19", "e18"), "name": "e18", "tags": {"stagedoor:id": "e18"}});
    assert_eq!(all["encoderConfigurations"][0], summary);
    let page = control.ok("ListEncoderConfigurations", json!({"maxResults": 18}));
    let rest = control.ok("ListEncoderConfigurations", json!({"nextToken": page["nextToken"]}));
    assert_eq!(each(&rest["encoderConfigurations"], "name"), ["e0"]);
}
