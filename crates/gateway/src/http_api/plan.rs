//! What an HTTP API's deployment is compiled to. Only data; [`super::compile`] makes it.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderValue, Method as Verb, Uri};

use super::parameters::Parameters;
use super::service::Service;
use crate::authorize::Guard;
use crate::fault::GatewayFault;
use crate::integrations::function::Function;
use crate::plans;
use crate::routes::Tree;
use crate::uri::UriTemplate;

pub(crate) type Api = plans::api::Api<Deployed>;
pub(crate) type Stage = plans::api::Stage<Deployed>;

/// A deployment.
pub(crate) struct Deployed {
    /// `disableExecuteApiEndpoint`: only custom domain names reach it.
    pub(crate) address_disabled: bool,
    /// Whether it is a WebSocket API's.
    pub(crate) websocket: bool,
    pub(crate) cors: Option<Cors>,
    /// Keys of all routes, by their index.
    pub(crate) keys: Vec<String>,
    pub(crate) routes: Tree<Route>,
    /// The route `$default`.
    pub(crate) default: Option<Route>,
}

#[derive(Debug)]
pub(crate) struct Route {
    /// Its place in [`Deployed::keys`].
    pub(crate) index: usize,
    /// `GET /pets/{id}` or `$default`.
    pub(crate) key: String,
    /// Preflight requests to routes that are not open are not answered by themselves.
    pub(crate) guard: Guard,
    pub(crate) integration: Integration,
}

#[derive(Debug)]
pub(crate) enum Integration {
    HttpProxy(Outgoing),
    AwsProxy(AwsProxy),
    Service(AwsService),
    /// Every request ends with this fault.
    Refused(GatewayFault),
}

/// `AWS_PROXY` with a Lambda function.
#[derive(Debug)]
pub(crate) struct AwsProxy {
    pub(crate) function: Function,
    pub(crate) format: PayloadFormat,
    pub(crate) parameters: Parameters,
    pub(crate) responses: Responses,
}

/// `responseParameters`, by status code.
pub(crate) type Responses = BTreeMap<u16, Parameters>;

/// `AWS_PROXY` with an `integrationSubtype`.
#[derive(Debug)]
pub(crate) struct AwsService {
    pub(crate) service: Service,
    pub(crate) responses: Responses,
    pub(crate) timeout: Duration,
}

/// `payloadFormatVersion`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayloadFormat {
    V1,
    V2,
}

/// `HTTP_PROXY`.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) uri: UriTemplate,
    /// The same, if it is one without variables.
    pub(crate) fixed: Option<Uri>,
    /// Whether the request's path follows the URI's, as for the route `$default`.
    pub(crate) appends_path: bool,
    /// `None` is the client's own.
    pub(crate) verb: Option<Verb>,
    pub(crate) timeout: Duration,
    /// `None` if the backend is public.
    pub(crate) link: Option<Link>,
    pub(crate) parameters: Parameters,
    pub(crate) responses: Responses,
}

/// `connectionType` is `VPC_LINK`; the URI is then an ARN.
#[derive(Debug)]
pub(crate) struct Link {
    /// `connectionId`
    pub(crate) id: String,
    /// `tlsConfig.serverNameToVerify`
    pub(crate) server_name: Option<String>,
}

/// `corsConfiguration`, as the headers that it becomes.
#[derive(Debug, Default)]
pub(crate) struct Cors {
    /// Origins, `*`, `http://*` or `https://*`.
    pub(crate) origins: Vec<String>,
    pub(crate) credentials: bool,
    pub(crate) methods: Option<HeaderValue>,
    pub(crate) headers: Option<HeaderValue>,
    pub(crate) exposed: Option<HeaderValue>,
    pub(crate) max_age: Option<HeaderValue>,
}
