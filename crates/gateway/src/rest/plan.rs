//! What a REST API's deployment is compiled to. Only data; [`super::compile`] makes it.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, Method as Verb, StatusCode};
use stagedoor_auth::policy::Policy;
use stagedoor_vtl::JavaRegex;

use super::gateway_response::GatewayResponses;
use super::payload::Handling;
use super::validator::Validator;
use crate::answer_names::Spelt;
use crate::authorize::Guard;
use crate::backends::Trust;
use crate::fault::GatewayFault;
use crate::integrations::function::Function;
use crate::integrations::service::Place;
use crate::mapping::{Source, Target};
use crate::media_types::MediaTypes;
use crate::plans;
use crate::routes::{self, Tree};
use crate::template::{Passthrough, Template, Templates};
use crate::uri::UriTemplate;

pub(crate) type Api = plans::api::Api<Deployed>;
pub(crate) type Stage = plans::api::Stage<Deployed>;

/// A deployment.
pub(crate) struct Deployed {
    /// `disableExecuteApiEndpoint`: only custom domain names reach it.
    pub(crate) address_disabled: bool,
    /// The first of the endpoint's types.
    pub(crate) endpoint_type: Option<String>,
    /// `binaryMediaTypes`
    pub(crate) binary: MediaTypes,
    /// `minimumCompressionSize`, in bytes: shorter answers are not encoded; `None` encodes none.
    pub(crate) compression_bytes_min: Option<u64>,
    /// `apiKeySource` is `AUTHORIZER`: an authorizer says which API key a request has.
    pub(crate) key_from_authorizer: bool,
    /// Path and verb of every method, by its index.
    pub(crate) methods: Vec<(String, routes::Verb)>,
    pub(crate) routes: Tree<Method>,
    pub(crate) gateway_responses: GatewayResponses,
    /// The resource policy, or why nobody is let in.
    pub(crate) policy: Option<Result<Policy, GatewayFault>>,
}

/// One method of one resource.
#[derive(Debug)]
pub(crate) struct Method {
    /// Its place in [`Deployed::methods`].
    pub(crate) index: usize,
    pub(crate) api_key_required: bool,
    pub(crate) resource_id: String,
    pub(crate) resource_path: String,
    pub(crate) operation_name: Option<String>,
    pub(crate) validator: Option<Validator>,
    pub(crate) cache: CacheKey,
    pub(crate) guard: Guard,
    pub(crate) integration: Integration,
}

/// What answers are kept under where a stage caches them.
#[derive(Debug)]
pub(crate) struct CacheKey {
    /// `cacheNamespace`: methods with the same one share their entries.
    pub(crate) namespace: String,
    /// `cacheKeyParameters`; `None` if one of them cannot be read, and nothing is kept.
    pub(crate) parameters: Option<Vec<Source>>,
}

#[derive(Debug)]
pub(crate) enum Integration {
    Mock(Mock),
    HttpProxy(Outgoing),
    Http(Http),
    AwsProxy(AwsProxy),
    Lambda(Lambda),
    Service(Service),
    /// Every request ends with this fault.
    Refused(GatewayFault),
}

/// `MOCK`.
#[derive(Debug)]
pub(crate) struct Mock {
    pub(crate) templates: BTreeMap<String, MockTemplate>,
    /// Whether a request without a template may hold the status code in its body.
    pub(crate) passthrough: Passthrough,
    pub(crate) handling: Handling,
    pub(crate) responses: Vec<IntegrationResponse>,
}

/// A request template of a `MOCK` integration.
#[derive(Debug)]
pub(crate) enum MockTemplate {
    /// It yields the same every time: this status code, or none.
    Fixed(Result<u16, GatewayFault>),
    Rendered(Template),
}

/// `HTTP`.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) outgoing: Outgoing,
    pub(crate) templates: Templates,
    pub(crate) passthrough: Passthrough,
    pub(crate) handling: Handling,
    pub(crate) responses: Vec<IntegrationResponse>,
}

/// `AWS_PROXY` with a Lambda function.
#[derive(Debug)]
pub(crate) struct AwsProxy {
    pub(crate) function: Function,
    /// `None` is the client's own. Only `POST` works.
    pub(crate) verb: Option<Verb>,
    /// `responseTransferMode` is `STREAM`.
    pub(crate) streams: bool,
}

/// `AWS` with a Lambda function.
#[derive(Debug)]
pub(crate) struct Lambda {
    pub(crate) function: Function,
    /// `None` is the client's own. Only `POST` works.
    pub(crate) verb: Option<Verb>,
    pub(crate) parameters: Vec<(Target, Source)>,
    pub(crate) templates: Templates,
    pub(crate) passthrough: Passthrough,
    pub(crate) handling: Handling,
    pub(crate) responses: Vec<IntegrationResponse>,
}

/// `AWS` with any other service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) place: Place,
    /// The call, as if it went to a host; the service's endpoint takes the host's place.
    pub(crate) http: Http,
}

/// How a backend is called.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) uri: UriTemplate,
    /// `None` is the client's own.
    pub(crate) verb: Option<Verb>,
    pub(crate) parameters: Vec<(Target, Source)>,
    /// What becomes of a body that passes.
    pub(crate) handling: Handling,
    pub(crate) timeout: Duration,
    pub(crate) trust: Trust,
    /// `integrationTarget`: the ARN of a load balancer behind the VPC link.
    pub(crate) target: Option<String>,
    /// `responseTransferMode` is `STREAM`: the answer's length and duration are not limited by the quotas.
    pub(crate) unlimited: bool,
    /// `connectionId` of a `VPC_LINK`, in which stage variables may stand; `None` if the backend is public.
    pub(crate) link: Option<UriTemplate>,
}

/// One integration response.
#[derive(Debug)]
pub(crate) struct IntegrationResponse {
    pub(crate) status: StatusCode,
    /// `None` is the default response.
    pub(crate) pattern: Option<JavaRegex>,
    pub(crate) handling: Handling,
    pub(crate) headers: Vec<(HeaderName, Source)>,
    pub(crate) spelt: Spelt,
    pub(crate) templates: Templates,
}
