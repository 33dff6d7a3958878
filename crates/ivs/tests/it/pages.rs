//! Every list of the service: whoever turns its pages sees each item once that was there all the while, and none
//! twice, whatever comes and goes between two pages.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use stagedoor_api::ivs_realtime::ParticipantProtocol;
use stagedoor_auth::es384::KeyPair;
use stagedoor_state::ivs::presence::{self, Present};
use stagedoor_state::ivs::settings::{Carries, Quotas};

use crate::control::{Control, SESSION, stage_arn, who};

/// One list and what fills it. Items are named by numbers.
struct Shelf {
    list: &'static str,
    /// The member of the answer that holds the items, and of an item that ends with its number.
    items: &'static str,
    number: &'static str,
    /// What the list is asked for.
    input: fn() -> Json,
    put: fn(&Control, usize),
    /// For what clients can delete.
    take: Option<fn(&Control, usize)>,
}

fn resource_arn(kind: &str, n: usize) -> String {
    format!("arn:aws:ivs:eu-west-1:123456789012:{kind}/n{n}")
}

fn tags(n: usize) -> Json {
    json!({"stagedoor:id": format!("n{n}")})
}

fn of_stage() -> Json {
    json!({"stageArn": stage_arn("s1")})
}

fn of_session() -> Json {
    json!({"stageArn": stage_arn("s1"), "sessionId": SESSION})
}

const STORAGE: &str = "arn:aws:ivs:eu-west-1:123456789012:storage-configuration/sc";
const ENCODER: &str = "arn:aws:ivs:eu-west-1:123456789012:encoder-configuration/e";

const SHELVES: [Shelf; 10] = [
    Shelf {
        list: "ListStages",
        items: "stages",
        number: "arn",
        input: || json!({}),
        put: |control, n| _ = control.ok("CreateStage", json!({"tags": tags(n)})),
        take: Some(|control, n| _ = control.ok("DeleteStage", json!({"arn": resource_arn("stage", n)}))),
    },
    Shelf {
        list: "ListStorageConfigurations",
        items: "storageConfigurations",
        number: "arn",
        input: || json!({}),
        put: |control, n| {
            control.ok("CreateStorageConfiguration", json!({"s3": {"bucketName": "abc"}, "tags": tags(n)}));
        },
        take: Some(|control, n| {
            control
                .ok("DeleteStorageConfiguration", json!({"arn": resource_arn("storage-configuration", n)}));
        }),
    },
    Shelf {
        list: "ListEncoderConfigurations",
        items: "encoderConfigurations",
        number: "arn",
        input: || json!({}),
        put: |control, n| _ = control.ok("CreateEncoderConfiguration", json!({"tags": tags(n)})),
        take: Some(|control, n| {
            control
                .ok("DeleteEncoderConfiguration", json!({"arn": resource_arn("encoder-configuration", n)}));
        }),
    },
    Shelf {
        list: "ListIngestConfigurations",
        items: "ingestConfigurations",
        number: "arn",
        input: || json!({"filterByState": "INACTIVE"}),
        put: |control, n| {
            control.ok("CreateIngestConfiguration", json!({"ingestProtocol": "RTMPS", "tags": tags(n)}));
        },
        take: Some(|control, n| {
            control.ok("DeleteIngestConfiguration", json!({"arn": resource_arn("ingest-configuration", n)}));
        }),
    },
    Shelf {
        list: "ListPublicKeys",
        items: "publicKeys",
        number: "arn",
        input: || json!({}),
        put: |control, n| {
            let material = KeyPair::generate().public_key().to_pem();
            control.ok("ImportPublicKey", json!({"publicKeyMaterial": material, "tags": tags(n)}));
        },
        take: Some(|control, n| {
            control.ok("DeletePublicKey", json!({"arn": resource_arn("public-key", n)}));
        }),
    },
    Shelf {
        list: "ListCompositions",
        items: "compositions",
        number: "arn",
        input: || json!({"filterByStageArn": stage_arn("s1"), "filterByEncoderConfigurationArn": ENCODER}),
        put: |control, n| {
            let s3 = json!({"storageConfigurationArn": STORAGE, "encoderConfigurationArns": [ENCODER]});
            let input = json!({"stageArn": stage_arn("s1"), "destinations": [{"s3": s3}], "tags": tags(n)});
            control.ok("StartComposition", input);
        },
        take: None,
    },
    Shelf {
        list: "ListStageSessions",
        items: "stageSessions",
        number: "sessionId",
        input: of_stage,
        put: |control, n| {
            let session_id = format!("st-{n:013}");
            let who = Present { session_id: &session_id, ..who("a") };
            control.join(who);
            control.end(&[who]);
        },
        take: None,
    },
    Shelf {
        list: "ListParticipants",
        items: "participants",
        number: "participantId",
        input: of_session,
        put: |control, n| control.join(who(&format!("n{n}"))),
        take: None,
    },
    Shelf {
        list: "ListParticipantEvents",
        items: "events",
        number: "remoteParticipantId",
        input: || json!({"stageArn": stage_arn("s1"), "sessionId": SESSION, "participantId": "a"}),
        put: |control, n| {
            if n == 0 {
                control.join(who("a"));
                // The event of joining names nobody.
                control.media(|documents, _| {
                    documents.delete_all::<stagedoor_api::ivs_realtime::Event>(&["s1"])
                });
            }
            let remote = format!("n{n}");
            control.media(|documents, now| presence::subscribe_started(documents, who("a"), &remote, now));
        },
        take: None,
    },
    Shelf {
        list: "ListParticipantReplicas",
        items: "replicas",
        number: "destinationStageArn",
        input: || json!({"sourceStageArn": stage_arn("s1"), "participantId": "a"}),
        put: |control, n| {
            if n == 0 {
                control.join(who("a"));
                control.media(|documents, now| {
                    presence::publish_started(documents, who("a"), ParticipantProtocol::Whip, now)
                });
            }
            let destination = control.stage(&format!("n{n}"));
            let input = json!({
                "sourceStageArn": stage_arn("s1"), "participantId": "a", "destinationStageArn": destination,
            });
            control.ok("StartParticipantReplication", input);
        },
        take: None,
    },
];

/// A control plane without quotas, with all that shelves are filled with.
fn control(shelf: &Shelf) -> Control {
    let mut control = Control::new();
    control.settings.carries = Carries { compositions: true, replicas: true };
    let quotas: &mut Quotas = &mut control.settings.quotas;
    for (_, quota) in quotas.all() {
        *quota = 1000;
    }
    if shelf.list != "ListStages" {
        control.stage("s1");
    }
    if shelf.list == "ListCompositions" {
        let storage = json!({"s3": {"bucketName": "abc"}, "tags": {"stagedoor:id": "sc"}});
        control.ok("CreateStorageConfiguration", storage);
        control.ok("CreateEncoderConfiguration", json!({"tags": {"stagedoor:id": "e"}}));
    }
    control
}

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Meanwhile {
    Put,
    /// Deletes one of what there is, whichever.
    Take(prop::sample::Index),
    Wait,
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        2 => Just(Meanwhile::Put),
        2 => any::<prop::sample::Index>().prop_map(Meanwhile::Take),
        1 => Just(Meanwhile::Wait),
    ]
}

/// What is on a shelf, and what was there from the first page on.
#[derive(Default)]
struct Stock {
    next: usize,
    present: BTreeSet<usize>,
    throughout: BTreeSet<usize>,
}

impl Stock {
    fn put(&mut self, control: &Control, shelf: &Shelf) {
        (shelf.put)(control, self.next);
        self.present.insert(self.next);
        self.next += 1;
    }

    fn take(&mut self, control: &Control, shelf: &Shelf, which: prop::sample::Index) {
        let Some(take) = shelf.take.filter(|_| !self.present.is_empty()) else { return };
        let n = *which.get(&Vec::from_iter(&self.present));
        take(control, *n);
        let n = *n;
        self.present.remove(&n);
        self.throughout.remove(&n);
    }
}

fn numbers(shelf: &Shelf, answer: &Json) -> Vec<usize> {
    let number = |item: &Json| {
        let text = item[shelf.number].as_str()?;
        let digits = text.rfind(|char: char| !char.is_ascii_digit()).map_or(0, |at| at + 1);
        text[digits..].parse().ok()
    };
    let items = answer[shelf.items].as_array().expect("a list");
    items.iter().map(|item| number(item).unwrap_or_else(|| panic!("{item} has no number"))).collect()
}

/// Turns the pages of a shelf while things happen; the items in the order in which they were seen.
fn turn_pages(
    control: &Control,
    shelf: &Shelf,
    stock: &mut Stock,
    size: usize,
    story: &[Vec<Meanwhile>],
) -> Vec<usize> {
    let mut seen = Vec::new();
    let mut input = (shelf.input)();
    input["maxResults"] = json!(size);
    let mut story = story.iter();
    loop {
        let answer = control.ok(shelf.list, input.clone());
        let page = numbers(shelf, &answer);
        assert!(page.len() <= size, "{answer}");
        seen.extend(page);
        if answer["nextToken"].is_null() {
            return seen;
        }
        input["nextToken"] = answer["nextToken"].clone();
        for happening in story.next().into_iter().flatten() {
            match happening {
                Meanwhile::Put => stock.put(control, shelf),
                Meanwhile::Take(which) => stock.take(control, shelf, *which),
                Meanwhile::Wait => control.wait(1),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_item_is_seen_once(
        times in vec(any::<bool>(), 1..14),
        size in 1_usize..5,
        story in vec(vec(meanwhile(), 0..4), 14),
    ) {
        for shelf in &SHELVES {
            let control = control(shelf);
            let mut stock = Stock::default();
            for later in &times {
                control.wait(i64::from(*later));
                stock.put(&control, shelf);
            }
            stock.throughout = stock.present.clone();
            let seen = turn_pages(&control, shelf, &mut stock, size, &story);
            let distinct: BTreeSet<usize> = seen.iter().copied().collect();
            prop_assert_eq!(distinct.len(), seen.len(), "{} shows something twice: {:?}", shelf.list, seen);
            let missing: Vec<_> = stock.throughout.difference(&distinct).collect();
            prop_assert!(missing.is_empty(), "{} does not show {:?}, but {:?}", shelf.list, missing, seen);
        }
    }
}
