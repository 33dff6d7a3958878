//! Real-time stages and what they stand on: public keys, storage, encoder and ingest configurations.

use stagedoor_model::value::Key;
use stagedoor_model::{Value, ivs_realtime};

use super::Pull;
use super::document::{Entries, fitting, same, set, text};
use super::report::Did;
use super::rest::tagged;
use crate::failure::Result;

const IVS: &str = "ivs-realtime";

/// A kind of resource: how it is called, and its operations.
struct Kind {
    what: &'static str,
    /// The member that holds it in answers.
    member: &'static str,
    list: &'static str,
    get: &'static str,
    create: &'static str,
    /// `None` if it cannot change.
    update: Option<&'static str>,
}

const KEYS: Kind = Kind {
    what: "public key",
    member: "publicKey",
    list: "ListPublicKeys",
    get: "GetPublicKey",
    create: "ImportPublicKey",
    update: None,
};
const STORAGE: Kind = Kind {
    what: "storage configuration",
    member: "storageConfiguration",
    list: "ListStorageConfigurations",
    get: "GetStorageConfiguration",
    create: "CreateStorageConfiguration",
    update: None,
};
const ENCODERS: Kind = Kind {
    what: "encoder configuration",
    member: "encoderConfiguration",
    list: "ListEncoderConfigurations",
    get: "GetEncoderConfiguration",
    create: "CreateEncoderConfiguration",
    update: None,
};
const STAGES: Kind = Kind {
    what: "stage",
    member: "stage",
    list: "ListStages",
    get: "GetStage",
    create: "CreateStage",
    update: Some("UpdateStage"),
};
const INGESTS: Kind = Kind {
    what: "ingest configuration",
    member: "ingestConfiguration",
    list: "ListIngestConfigurations",
    get: "GetIngestConfiguration",
    create: "CreateIngestConfiguration",
    update: Some("UpdateIngestConfiguration"),
};

impl Pull {
    /// The stages with these ARNs with what they stand on, or everything.
    pub(super) async fn stages(&mut self, arns: Option<&[String]>) -> Result<()> {
        self.kind(&KEYS, |_| true).await?;
        self.kind(&STORAGE, |_| true).await?;
        if arns.is_none() {
            self.kind(&ENCODERS, |_| true).await?;
        }
        let wanted = |arn: &str| arns.is_none_or(|arns| arns.iter().any(|known| known == arn));
        let copied = self.kind(&STAGES, |stage| wanted(text(stage, "arn"))).await?;
        for arn in arns.unwrap_or_default() {
            if !copied.contains(arn) {
                self.report.add(Did::NotCopied, arn.clone(), "the source has no such stage");
            }
        }
        self.kind(&INGESTS, |ingest| arns.is_none() || wanted(text(ingest, "stageArn"))).await?;
        Ok(())
    }

    /// Copies those of a kind that `chosen` wants; their ARNs at the source.
    async fn kind(&mut self, kind: &Kind, chosen: impl Fn(&Value) -> bool) -> Result<Vec<String>> {
        let source = self.from.list(IVS, kind.list, vec![]).await?;
        let target = self.to.list(IVS, kind.list, vec![]).await?;
        let mut copied = Vec::new();
        for summary in source.iter().filter(|summary| chosen(summary)) {
            let arn = text(summary, "arn");
            let there = target.iter().map(|there| text(there, "arn")).find(|there| last(there) == last(arn));
            let what = format!("{} {} {}", kind.what, last(arn), text(summary, "name"));
            match self.resource(kind, arn, there, what.trim_end()).await {
                Ok(here) => {
                    self.ids.insert(arn.to_owned(), here);
                    copied.push(arn.to_owned());
                }
                Err(failure) => self.report.failed(what, &failure),
            }
        }
        Ok(copied)
    }

    /// Copies one; its ARN at the target.
    async fn resource(&mut self, kind: &Kind, arn: &str, there: Option<&str>, what: &str) -> Result<String> {
        let source = inner(self.from.ask(IVS, kind.get, &[("arn", arn)]).await?, kind.member);
        let mut input = fitting(&ivs_realtime::SERVICE, kind.create, &source);
        self.references(&mut input);
        let Some(there) = there else {
            set(&mut input, "tags", tagged(source.get("tags"), last(arn)));
            let made = inner(self.to.call(IVS, kind.create, input).await?, kind.member);
            let here = text(&made, "arn").to_owned();
            let why = if here == arn { String::new() } else { format!("{arn} is {here} here") };
            self.report.add(Did::Created, what, why);
            if kind.member == "ingestConfiguration" {
                self.report.add(Did::Note, what, "has a stream key of its own: encoders must be told");
            }
            self.tags(IVS, "resourceArn", &here, source.get("tags"), made.get("tags")).await?;
            return Ok(here);
        };
        let known = inner(self.to.ask(IVS, kind.get, &[("arn", there)]).await?, kind.member);
        let says = Value::Map(fitting(&ivs_realtime::SERVICE, kind.create, &known));
        let strip = |value: &Value| super::document::without(value, &["tags"]);
        let did = match kind.update {
            _ if same(&strip(&Value::Map(input.clone())), &strip(&says)) => Did::Unchanged,
            Some(update) => {
                let mut changes: Entries = fitting(&ivs_realtime::SERVICE, update, &source);
                self.references(&mut changes);
                set(&mut changes, "arn", there);
                self.to.call(IVS, update, changes).await?;
                Did::Updated
            }
            None => Did::Note,
        };
        let why = if did == Did::Note {
            "differs, and cannot be changed: delete it at the target first"
        } else {
            ""
        };
        self.report.add(did, what, why);
        self.tags(IVS, "resourceArn", there, source.get("tags"), known.get("tags")).await?;
        Ok(there.to_owned())
    }

    /// ARNs within an input, as they are at the target.
    fn references(&self, input: &mut [(Key, Value)]) {
        for (name, value) in input {
            match value {
                Value::String(arn) if name.ends_with("Arn") => *arn = self.mapped(arn),
                Value::Map(entries) => self.references(entries),
                _ => {}
            }
        }
    }
}

fn inner(answer: Value, member: &str) -> Value {
    answer.get(member).cloned().unwrap_or_default()
}

/// The id at the end of an ARN.
fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
