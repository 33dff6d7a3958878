//! The AWS services that an HTTP API can call without a Lambda function, and the parameters that each needs.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html>

/// The parameters that must be mapped for a subtype; `None` if there is no such subtype.
pub fn required_parameters(subtype: &str) -> Option<&'static [&'static str]> {
    Some(match subtype {
        "EventBridge-PutEvents" => &["Detail", "DetailType", "Source"],
        "SQS-SendMessage" => &["QueueUrl", "MessageBody"],
        "SQS-ReceiveMessage" | "SQS-PurgeQueue" => &["QueueUrl"],
        "SQS-DeleteMessage" => &["QueueUrl", "ReceiptHandle"],
        "AppConfig-GetConfiguration" => &["Application", "Environment", "Configuration", "ClientId"],
        "Kinesis-PutRecord" => &["StreamName", "Data", "PartitionKey"],
        "StepFunctions-StartExecution" | "StepFunctions-StartSyncExecution" => &["StateMachineArn"],
        "StepFunctions-StopExecution" => &["ExecutionArn"],
        _ => return None,
    })
}
