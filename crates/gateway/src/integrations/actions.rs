//! How actions of AWS services are called: by which protocol, and under which name or version.
//!
//! The names come from AWS's public service models, where they are `endpointPrefix`, `targetPrefix`, `jsonVersion` and
//! `apiVersion`. What has both protocols is asked by the one that API Gateway was seen to speak.

/// How the actions of a service are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Prefix of `X-Amz-Target`, and version of the JSON protocol.
    Json(&'static str, &'static str),
    /// `Version` of the query protocol.
    Query(&'static str),
}

/// The protocol of a service as integrations name it; `None` if it is not known.
pub(super) fn of(service: &str) -> Option<Protocol> {
    let json = JSON.binary_search_by_key(&service, |(name, ..)| name).map(|at| JSON[at]);
    if let Ok((_, target, version)) = json {
        return Some(Protocol::Json(target, version));
    }
    let query = QUERY.binary_search_by_key(&service, |(name, _)| name).map(|at| QUERY[at]);
    query.ok().map(|(_, version)| Protocol::Query(version))
}

/// Service, target prefix, version of the protocol; sorted.
const JSON: [(&str, &str, &str); 149] = [
    ("acm", "CertificateManager", "1.1"),
    ("acm-pca", "ACMPrivateCA", "1.1"),
    ("aco-automation", "ComputeOptimizerAutomationService", "1.0"),
    ("agreement-marketplace", "AWSMPCommerceService_v20200301", "1.0"),
    ("airflow-serverless", "AmazonMWAAServerless", "1.0"),
    ("aoss", "OpenSearchServerless", "1.0"),
    ("api.ecr", "AmazonEC2ContainerRegistry_V20150921", "1.1"),
    ("api.ecr-public", "SpencerFrontendService", "1.1"),
    ("api.pricing", "AWSPriceListService", "1.1"),
    ("api.sagemaker", "SageMaker", "1.1"),
    ("api.tunneling.iot", "IoTSecuredTunneling", "1.1"),
    ("application-autoscaling", "AnyScaleFrontendService", "1.1"),
    ("applicationinsights", "EC2WindowsBarleyService", "1.1"),
    ("apprunner", "AppRunner", "1.0"),
    ("appstream2", "PhotonAdminProxyService", "1.1"),
    ("arc-region-switch", "ArcRegionSwitch", "1.0"),
    ("athena", "AmazonAthena", "1.1"),
    ("autoscaling-plans", "AnyScaleScalingPlannerFrontendService", "1.1"),
    ("b2bi", "B2BI", "1.0"),
    ("backup-gateway", "BackupOnPremises_v20210101", "1.0"),
    ("bcm-dashboards", "AWSBCMDashboardsService", "1.0"),
    ("bcm-data-exports", "AWSBillingAndCostManagementDataExports", "1.1"),
    ("bcm-pricing-calculator", "AWSBCMPricingCalculator", "1.0"),
    ("bcm-recommended-actions", "AWSBillingAndCostManagementRecommendedActions", "1.0"),
    ("bedrock-data-automation-runtime", "AmazonBedrockKeystoneRuntimeService", "1.1"),
    ("billing", "AWSBilling", "1.0"),
    ("budgets", "AWSBudgetServiceGateway", "1.1"),
    ("cassandra", "KeyspacesService", "1.0"),
    ("cassandra-streams", "KeyspacesStreams", "1.0"),
    ("ce", "AWSInsightsIndexService", "1.1"),
    ("cloud9", "AWSCloud9WorkspaceManagementService", "1.1"),
    ("cloudcontrolapi", "CloudApiService", "1.0"),
    ("cloudhsm", "CloudHsmFrontendService", "1.1"),
    ("cloudhsmv2", "BaldrApiService", "1.1"),
    ("cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "1.1"),
    ("codebuild", "CodeBuild_20161006", "1.1"),
    ("codecommit", "CodeCommit_20150413", "1.1"),
    ("codeconnections", "com.amazonaws.codeconnections.CodeConnections_20231201", "1.0"),
    ("codedeploy", "CodeDeploy_20141006", "1.1"),
    ("codepipeline", "CodePipeline_20150709", "1.1"),
    ("codestar-connections", "com.amazonaws.codestar.connections.CodeStar_connections_20191201", "1.0"),
    ("cognito-identity", "AWSCognitoIdentityService", "1.1"),
    ("cognito-idp", "AWSCognitoIdentityProviderService", "1.1"),
    ("comprehend", "Comprehend_20171127", "1.1"),
    ("comprehendmedical", "ComprehendMedical_20181030", "1.1"),
    ("compute-optimizer", "ComputeOptimizerService", "1.0"),
    ("config", "StarlingDoveService", "1.1"),
    ("controlplane.payment-cryptography", "PaymentCryptographyControlPlane", "1.0"),
    ("cost-optimization-hub", "CostOptimizationHubService", "1.0"),
    ("cur", "AWSOrigamiServiceGatewayService", "1.1"),
    ("datapipeline", "DataPipeline", "1.1"),
    ("datasync", "FmrsService", "1.1"),
    ("dax", "AmazonDAXV3", "1.1"),
    ("devicefarm", "DeviceFarm_20150623", "1.1"),
    ("directconnect", "OvertureService", "1.1"),
    ("discovery", "AWSPoseidonService_V2015_11_01", "1.1"),
    ("dms", "AmazonDMSv20160101", "1.1"),
    ("ds", "DirectoryService_20150416", "1.1"),
    ("dynamodb", "DynamoDB_20120810", "1.0"),
    ("ec2-instance-connect", "AWSEC2InstanceConnectService", "1.1"),
    ("ecs", "AmazonEC2ContainerServiceV20141113", "1.1"),
    ("elasticmapreduce", "ElasticMapReduce", "1.1"),
    ("entitlement.marketplace", "AWSMPEntitlementService", "1.1"),
    ("events", "AWSEvents", "1.1"),
    ("evs", "AmazonElasticVMwareService", "1.0"),
    ("firehose", "Firehose_20150804", "1.1"),
    ("fms", "AWSFMS_20180101", "1.1"),
    ("forecast", "AmazonForecast", "1.1"),
    ("forecastquery", "AmazonForecastRuntime", "1.1"),
    ("frauddetector", "AWSHawksNestServiceFacade", "1.1"),
    ("freetier", "AWSFreeTierService", "1.0"),
    ("fsx", "AWSSimbaAPIService_v20180301", "1.1"),
    ("gamelift", "GameLift", "1.1"),
    ("globalaccelerator", "GlobalAccelerator_V20180706", "1.1"),
    ("glue", "AWSGlue", "1.1"),
    ("health", "AWSHealth_20160804", "1.1"),
    ("healthlake", "HealthLake", "1.0"),
    ("identitystore", "AWSIdentityStore", "1.1"),
    ("ingest.timestream", "Timestream_20181101", "1.0"),
    ("inspector", "InspectorService", "1.1"),
    ("interconnect", "Interconnect", "1.0"),
    ("invoicing", "Invoicing", "1.0"),
    ("iotfleetwise", "IoTAutobahnControlPlane", "1.0"),
    ("iotthingsgraph", "IotThingsGraphFrontEndService", "1.1"),
    ("kendra", "AWSKendraFrontendService", "1.1"),
    ("kendra-ranking", "AWSKendraRerankingFrontendService", "1.0"),
    ("kinesis", "Kinesis_20131202", "1.1"),
    ("kinesisanalytics", "KinesisAnalytics_20150814", "1.1"),
    ("kms", "TrentService", "1.1"),
    ("license-manager", "AWSLicenseManager", "1.1"),
    ("lightsail", "Lightsail_20161128", "1.1"),
    ("logs", "Logs_20140328", "1.1"),
    ("lookoutequipment", "AWSLookoutEquipmentFrontendService", "1.0"),
    ("machinelearning", "AmazonML_20141212", "1.1"),
    ("mail-manager", "MailManagerSvc", "1.0"),
    ("marketplacecommerceanalytics", "MarketplaceCommerceAnalytics20150701", "1.1"),
    ("mediastore", "MediaStore_20170901", "1.1"),
    ("memory-db", "AmazonMemoryDB", "1.1"),
    ("metering.marketplace", "AWSMPMeteringService", "1.1"),
    ("mgh", "AWSMigrationHub", "1.1"),
    ("migrationhub-config", "AWSMigrationHubMultiAccountService", "1.1"),
    ("mturk-requester", "MTurkRequesterServiceV20170117", "1.1"),
    ("network-firewall", "NetworkFirewall_20201112", "1.0"),
    ("odb", "Odb", "1.0"),
    ("organizations", "AWSOrganizationsV20161128", "1.1"),
    ("osm", "OpenSearchMemory", "1.0"),
    ("partnercentral-account", "PartnerCentralAccount", "1.0"),
    ("partnercentral-benefits", "PartnerCentralBenefitsService", "1.0"),
    ("partnercentral-channel", "PartnerCentralChannel", "1.0"),
    ("partnercentral-selling", "AWSPartnerCentralSelling", "1.0"),
    ("pcs", "AWSParallelComputingService", "1.0"),
    ("personalize", "AmazonPersonalize", "1.1"),
    ("pi", "PerformanceInsightsv20180227", "1.1"),
    ("proton", "AwsProton20200720", "1.0"),
    ("query.timestream", "Timestream_20181101", "1.0"),
    ("redshift-data", "RedshiftData", "1.1"),
    ("redshift-serverless", "RedshiftServerless", "1.1"),
    ("rekognition", "RekognitionService", "1.1"),
    ("route53-recovery-cluster", "ToggleCustomerAPI", "1.0"),
    ("route53domains", "Route53Domains_v20140515", "1.1"),
    ("route53resolver", "Route53Resolver", "1.1"),
    ("secretsmanager", "secretsmanager", "1.1"),
    ("servicecatalog", "AWS242ServiceCatalogService", "1.1"),
    ("servicediscovery", "Route53AutoNaming_v20170314", "1.1"),
    ("servicequotas", "ServiceQuotasV20190624", "1.1"),
    ("shield", "AWSShield_20160616", "1.1"),
    ("sms-voice", "PinpointSMSVoiceV2", "1.0"),
    ("snowball", "AWSIESnowballJobManagementService", "1.1"),
    ("ssm-contacts", "SSMContacts", "1.1"),
    ("sso", "SWBExternalService", "1.1"),
    ("states", "AWSStepFunctions", "1.0"),
    ("storagegateway", "StorageGateway_20130630", "1.1"),
    ("streams.dynamodb", "DynamoDBStreams_20120810", "1.0"),
    ("support", "AWSSupport_20130415", "1.1"),
    ("swf", "SimpleWorkflowService", "1.0"),
    ("tagging", "ResourceGroupsTaggingAPI_20170126", "1.1"),
    ("textract", "Textract", "1.1"),
    ("timestream-influxdb", "AmazonTimestreamInfluxDB", "1.0"),
    ("transcribe", "Transcribe", "1.1"),
    ("transfer", "TransferService", "1.1"),
    ("translate", "AWSShineFrontendService_20170701", "1.1"),
    ("verifiedpermissions", "VerifiedPermissions", "1.0"),
    ("voiceid", "VoiceID", "1.0"),
    ("waf", "AWSWAF_20150824", "1.1"),
    ("waf-regional", "AWSWAF_Regional_20161128", "1.1"),
    ("wafv2", "AWSWAF_20190729", "1.1"),
    ("workmail", "WorkMailService", "1.1"),
    ("workspaces", "WorkspacesService", "1.1"),
    ("workspaces-instances", "EUCMIFrontendAPIService", "1.0"),
];

/// Service, version of its API; sorted. SQS, Systems Manager and CloudWatch speak JSON too.
const QUERY: [(&str, &str); 18] = [
    ("autoscaling", "2011-01-01"),
    ("cloudformation", "2010-05-15"),
    ("cloudsearch", "2013-01-01"),
    ("ec2", "2016-11-15"),
    ("elasticache", "2015-02-02"),
    ("elasticbeanstalk", "2010-12-01"),
    ("elasticloadbalancing", "2015-12-01"),
    ("email", "2010-12-01"),
    ("iam", "2010-05-08"),
    ("importexport", "2010-06-01"),
    ("monitoring", "2010-08-01"),
    ("rds", "2014-10-31"),
    ("redshift", "2012-12-01"),
    ("sdb", "2009-04-15"),
    ("sns", "2010-03-31"),
    ("sqs", "2012-11-05"),
    ("ssm", "2014-11-06"),
    ("sts", "2011-06-15"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found() {
        assert!(JSON.is_sorted_by_key(|(name, ..)| name) && QUERY.is_sorted_by_key(|(name, _)| name));
        for (service, expected) in [
            ("dynamodb", Some(Protocol::Json("DynamoDB_20120810", "1.0"))),
            ("ecs", Some(Protocol::Json("AmazonEC2ContainerServiceV20141113", "1.1"))),
            ("comprehend", Some(Protocol::Json("Comprehend_20171127", "1.1"))),
            ("sqs", Some(Protocol::Query("2012-11-05"))),
            ("ssm", Some(Protocol::Query("2014-11-06"))),
            ("sns", Some(Protocol::Query("2010-03-31"))),
            ("nothing", None),
        ] {
            assert_eq!(of(service), expected, "{service}");
        }
    }
}
