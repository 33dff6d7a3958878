//! The table of `integrationSubtype`s: whose they are and which parameters they take.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html>

/// One `integrationSubtype`.
#[derive(Debug)]
pub(super) struct Subtype {
    pub(super) name: &'static str,
    pub(super) service: &'static str,
    pub(super) required: &'static [&'static str],
    optional: &'static [&'static str],
    pub(super) shape: Shape,
}

/// How the service takes its parameters.
#[derive(Debug)]
pub(super) enum Shape {
    /// A JSON protocol: version and `X-Amz-Target`.
    Json(&'static str, &'static str),
    /// The query protocol of SQS: the action.
    Sqs(&'static str),
    EventBridge,
    AppConfig,
}

/// Where the service is, if not in the API's own region.
pub(super) const REGION: &str = "Region";

const SUBTYPES: [Subtype; 10] = [
    Subtype {
        name: "EventBridge-PutEvents",
        service: "events",
        required: &["Detail", "DetailType", "Source"],
        optional: &["Time", "EventBusName", "Resources", REGION, "TraceHeader"],
        shape: Shape::EventBridge,
    },
    Subtype {
        name: "SQS-SendMessage",
        service: "sqs",
        required: &["QueueUrl", "MessageBody"],
        optional: &[
            "DelaySeconds",
            "MessageAttributes",
            "MessageDeduplicationId",
            "MessageGroupId",
            "MessageSystemAttributes",
            REGION,
        ],
        shape: Shape::Sqs("SendMessage"),
    },
    Subtype {
        name: "SQS-ReceiveMessage",
        service: "sqs",
        required: &["QueueUrl"],
        optional: &[
            "AttributeNames",
            "MaxNumberOfMessages",
            "MessageAttributeNames",
            "ReceiveRequestAttemptId",
            "VisibilityTimeout",
            "WaitTimeSeconds",
            REGION,
        ],
        shape: Shape::Sqs("ReceiveMessage"),
    },
    Subtype {
        name: "SQS-DeleteMessage",
        service: "sqs",
        required: &["QueueUrl", "ReceiptHandle"],
        optional: &[REGION],
        shape: Shape::Sqs("DeleteMessage"),
    },
    Subtype {
        name: "SQS-PurgeQueue",
        service: "sqs",
        required: &["QueueUrl"],
        optional: &[REGION],
        shape: Shape::Sqs("PurgeQueue"),
    },
    Subtype {
        name: "AppConfig-GetConfiguration",
        service: "appconfig",
        required: &["Application", "Environment", "Configuration", "ClientId"],
        optional: &["ClientConfigurationVersion", REGION],
        shape: Shape::AppConfig,
    },
    Subtype {
        name: "Kinesis-PutRecord",
        service: "kinesis",
        required: &["StreamName", "Data", "PartitionKey"],
        optional: &["SequenceNumberForOrdering", "ExplicitHashKey", REGION],
        shape: Shape::Json("1.1", "Kinesis_20131202.PutRecord"),
    },
    Subtype {
        name: "StepFunctions-StartExecution",
        service: "states",
        required: &["StateMachineArn"],
        optional: &["Name", "Input", REGION],
        shape: Shape::Json("1.0", "AWSStepFunctions.StartExecution"),
    },
    Subtype {
        name: "StepFunctions-StartSyncExecution",
        service: "sync-states",
        required: &["StateMachineArn"],
        optional: &["Name", "Input", REGION, "TraceHeader"],
        shape: Shape::Json("1.0", "AWSStepFunctions.StartSyncExecution"),
    },
    Subtype {
        name: "StepFunctions-StopExecution",
        service: "states",
        required: &["ExecutionArn"],
        optional: &["Cause", "Error", REGION],
        shape: Shape::Json("1.0", "AWSStepFunctions.StopExecution"),
    },
];

impl Subtype {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        SUBTYPES.iter().find(|known| known.name == name)
    }

    /// The names of all parameters.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }
}
