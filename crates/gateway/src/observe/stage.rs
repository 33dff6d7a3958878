//! What a stage wants to know of its requests: made with its plan, from its document.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use stagedoor_api::{apigateway, apigatewayv2};

use super::access::is_of_method;
use crate::execution_log::Detail;
use crate::logs::{Destination, Format, Logs, Queue};
use crate::metrics::FiguresOf;
use crate::per_thread::PerThread;
use crate::plans::Owner;

/// A stage as those see it who watch its requests.
pub(crate) struct Observing {
    pub(crate) kind: ApiKind,
    pub(crate) owner: Owner,
    /// The stage's name.
    pub(crate) name: String,
    pub(crate) wanted: Wanted,
    execution: Arc<Destination>,
    /// Those of the access log, of the execution log and of spans; started with the first request.
    queues: OnceLock<[Option<Queue>; 3]>,
}

/// The same, for requests of several threads to hold on to.
pub(crate) struct Watched {
    stage: Arc<Observing>,
    held: PerThread<Arc<Held>>,
}

/// A stage as long as a request to it lasts. How many there are is counted for each thread.
pub(crate) struct Held(Arc<Observing>);

impl Deref for Watched {
    type Target = Observing;

    fn deref(&self) -> &Observing {
        &self.stage
    }
}

impl Deref for Held {
    type Target = Observing;

    fn deref(&self) -> &Observing {
        &self.0
    }
}

impl Watched {
    pub(crate) fn new(kind: ApiKind, owner: &Owner, name: &str, is_canary: bool, wanted: Wanted) -> Self {
        let Owner { account, region, api } = owner;
        let execution = Destination::of_execution_log(region, account, api, name, is_canary);
        let stage = Observing {
            kind,
            owner: owner.clone(),
            name: name.to_owned(),
            wanted,
            execution: Arc::new(execution),
            queues: OnceLock::new(),
        };
        Self { stage: Arc::new(stage), held: PerThread::default() }
    }

    pub(super) fn hold(&self) -> Arc<Held> {
        Arc::clone(self.held.own(|| Arc::new(Held(Arc::clone(&self.stage)))))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiKind {
    Rest,
    Http,
}

/// What a stage's document asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// `accessLogSettings`
    pub(crate) access: Option<Access>,
    /// Whether any method's `loggingLevel` is not `OFF`.
    pub(crate) execution: bool,
    /// `tracingEnabled`
    pub(crate) tracing: bool,
}

/// `accessLogSettings`
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) format: Arc<Format>,
    /// The variables whose values are asked of the method or route, by their indices in the format.
    pub(super) of_method: Arc<[usize]>,
    destination: Arc<Destination>,
}

impl Access {
    /// `None` without a format or a destination that can be.
    fn new(kind: ApiKind, format: Option<&str>, destination: Option<&str>) -> Option<Self> {
        let format = Format::parse(format.filter(|format| !format.is_empty())?);
        let destination = Destination::parse(destination?)?;
        let names = format.names().iter().enumerate();
        let of_method = names.filter(|(_, name)| is_of_method(kind, name)).map(|(index, _)| index).collect();
        Some(Self { format: Arc::new(format), of_method, destination: Arc::new(destination) })
    }

    /// Where among the method's values that of a variable stands.
    pub(super) fn place(&self, index: usize) -> Option<usize> {
        self.of_method.binary_search(&index).ok()
    }
}

/// What a REST API's stage asks for.
pub(crate) fn wanted_of_rest(stage: &apigateway::Stage) -> Wanted {
    let access = stage.access_log_settings.as_ref();
    let access = access
        .and_then(|set| Access::new(ApiKind::Rest, set.format.as_deref(), set.destination_arn.as_deref()));
    let mut settings = stage.method_settings.iter().flatten();
    Wanted {
        access,
        execution: settings.any(|(_, setting)| detail(setting).is_some()),
        tracing: stage.tracing_enabled == Some(true),
    }
}

/// What an HTTP API's stage asks for. They have neither execution logs nor tracing.
pub(crate) fn wanted_of_http(stage: &apigatewayv2::Stage) -> Wanted {
    let access = stage.access_log_settings.as_ref();
    let access = access
        .and_then(|set| Access::new(ApiKind::Http, set.format.as_deref(), set.destination_arn.as_deref()));
    Wanted { access, ..Wanted::default() }
}

/// How much a method's execution log tells; `None` if it has none.
pub(crate) fn detail(setting: &apigateway::MethodSetting) -> Option<Detail> {
    match setting.logging_level.as_deref()? {
        "ERROR" => Some(Detail::Failures),
        "INFO" if setting.data_trace_enabled == Some(true) => Some(Detail::Data),
        "INFO" => Some(Detail::Steps),
        _ => None,
    }
}

impl ApiKind {
    /// What CloudWatch calls the method or route that settings have under this key.
    pub(crate) fn detail(self, key: &str) -> FiguresOf {
        match (self, key.rsplit_once('/')) {
            (Self::Rest, Some((path, method))) => {
                let path = path.replace("~1", "/").replace("~0", "~");
                let resource = if path.starts_with('/') { path } else { format!("/{path}") };
                FiguresOf::Method { resource, method: method.to_owned() }
            }
            _ => FiguresOf::Route { key: key.to_owned() },
        }
    }
}

impl Observing {
    /// The variables of `$context` that all requests to the stage share; `None` if there is none of that name.
    pub(crate) fn context(&self, name: &str) -> Option<String> {
        Some(match name {
            "accountId" => self.owner.account.clone(),
            "apiId" => self.owner.api.clone(),
            "stage" => self.name.clone(),
            _ => return None,
        })
    }

    pub(super) fn start(&self, logs: &Logs) {
        self.queues.get_or_init(|| {
            let Wanted { access, execution, tracing } = &self.wanted;
            [
                access.as_ref().and_then(|access| logs.queue(&access.destination)),
                execution.then(|| logs.queue(&self.execution)).flatten(),
                tracing.then(|| logs.spans()).flatten(),
            ]
        });
    }

    pub(super) fn access_queue(&self) -> Option<&Queue> {
        self.queues.get()?[0].as_ref()
    }

    pub(super) fn execution_queue(&self) -> Option<&Queue> {
        self.queues.get()?[1].as_ref()
    }

    pub(super) fn spans_queue(&self) -> Option<&Queue> {
        self.queues.get()?[2].as_ref()
    }
}
