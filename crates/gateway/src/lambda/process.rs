//! One process of a function: started, watched, served, and killed with all its children.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

use super::Function;
use super::census::Census;
use super::job::{Job, Returned};
use super::output::Printed;
use super::pool::{Next, Pool};
use super::{output, runtime_api};

/// How long a process may take to ask for its first invocation: AWS's limit, or the function's own if longer.
const INIT_MAX: Duration = Duration::from_secs(10);
/// Connections to one process's Runtime API; more are closed.
const CONNECTIONS_MAX: usize = 16;
/// How long what a process has sent before it ended is read on.
const LAST_WORDS_MAX: Duration = Duration::from_millis(500);
/// How long a killed process is waited for.
const REAP_MAX: Duration = Duration::from_secs(5);

/// What a process is doing, as its Runtime API sees it.
pub(super) struct Process {
    pub(super) pool: Arc<Pool>,
    phase: Mutex<Phase>,
    printed: Arc<Printed>,
    /// When the process is killed unless it gets on.
    deadline: watch::Sender<Option<Instant>>,
}

enum Phase {
    /// Has not asked for an invocation yet; holds what it says of its failure to start.
    Starting(Option<Bytes>),
    Idle,
    Busy(Job),
}

/// How a runtime fails an invocation that asks for the next one instead of answering.
const NO_ANSWER: &str = "without an answer: it asked for the next invocation";

/// Why a process ended.
#[derive(Debug)]
enum End {
    Exited(std::io::Result<ExitStatus>),
    TimedOut,
    Stopped,
    NotStarted(std::io::Error),
}

/// Runs a process from its start to its end.
pub(super) async fn run(pool: Arc<Pool>) {
    let census = Arc::clone(&pool.census);
    let _counted = Census::count(&census.processes);
    let patience = INIT_MAX.max(pool.function.timeout);
    let process = Arc::new(Process {
        pool: Arc::clone(&pool),
        phase: Mutex::new(Phase::Starting(None)),
        printed: Arc::default(),
        deadline: watch::Sender::new(Some(Instant::now() + patience)),
    });
    let started = if census.is_stopped() { Ok(None) } else { start(&pool.function).await.map(Some) };
    let end = match started {
        Ok(Some((listener, child))) => watch_over(&process, &listener, child).await,
        Ok(None) => End::Stopped,
        Err(error) => End::NotStarted(error),
    };
    let function = &pool.function.name;
    match &end {
        End::Stopped => debug!(function, "process ended"),
        end => warn!(function, ?end, "process ended"),
    }
    process.ended(&end, patience);
}

async fn start(function: &Function) -> std::io::Result<(TcpListener, Child)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (program, arguments) =
        function.command.split_first().ok_or_else(|| std::io::Error::other("an empty command"))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&function.environment)
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for (name, value) in RUNTIME_ENVIRONMENT {
        if !function.environment.contains_key(name) {
            command.env(name, value);
        }
    }
    if let Some(directory) = &function.directory {
        command.current_dir(directory);
    }
    #[cfg(unix)]
    command.process_group(0);
    Ok((listener, command.spawn()?))
}

/// The function's memory in MiB: told, not enforced.
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
const DEFAULT_MEMORY: &str = "128";

/// Variables that runtimes read and that a function's own environment may choose.
const RUNTIME_ENVIRONMENT: [(&str, &str); 5] = [
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    (MEMORY, DEFAULT_MEMORY),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "stagedoor"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "stagedoor"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
];

/// Serves a process until it ends or has to be ended; then nothing of it is left.
async fn watch_over(process: &Arc<Process>, listener: &TcpListener, mut child: Child) -> End {
    let group = Group::of(&child);
    let mut connections = JoinSet::new();
    let mut reading = output::read(&process.pool.function.name, &mut child, &process.printed);
    let mut deadline = process.deadline.subscribe();
    let end = loop {
        let at = *deadline.borrow_and_update();
        tokio::select! {
            status = child.wait() => break End::Exited(status),
            () = until(at) => break End::TimedOut,
            _ = deadline.changed() => {}
            () = process.pool.census.until_stopped() => break End::Stopped,
            Some(_) = connections.join_next() => {}
            Ok((stream, _)) = listener.accept() => {
                if connections.len() < CONNECTIONS_MAX {
                    connections.spawn(runtime_api::serve(Arc::clone(process), stream));
                }
            }
        }
    };
    if matches!(end, End::Exited(_)) {
        // It may have answered and ended before its answer was read.
        if let Ok(Ok((stream, _))) = timeout(Duration::ZERO, listener.accept()).await {
            connections.spawn(runtime_api::serve(Arc::clone(process), stream));
        }
        let _ = timeout(LAST_WORDS_MAX, async { while connections.join_next().await.is_some() {} }).await;
    }
    drop(group);
    let _ = timeout(REAP_MAX, child.wait()).await;
    let _ = timeout(LAST_WORDS_MAX, async { while reading.join_next().await.is_some() {} }).await;
    end
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

impl Process {
    /// Waits for an invocation. `None` if the pool is gone.
    pub(super) async fn next(&self) -> Option<Announced> {
        self.give_up();
        let job = match self.pool.next() {
            Next::Now(job) => job,
            Next::Later(job) => job.await.ok()?,
        };
        let deadline = (self.pool.now)() + self.pool.function.timeout;
        let announced = Announced {
            id: job.id.clone(),
            arn: job.arn.clone(),
            trace: job.trace.clone(),
            client_context: job.client_context.clone(),
            payload: job.payload.clone(),
            deadline,
        };
        self.deadline.send_replace(Some(Instant::now() + self.pool.function.timeout));
        self.printed.begin(&job.id, job.tail);
        let before = std::mem::replace(&mut *self.phase(), Phase::Busy(job));
        if let Phase::Busy(job) = before {
            // It has asked twice at the same time.
            let failure = Returned::exited(&job.id, NO_ANSWER);
            job.answer(failure);
        }
        Some(announced)
    }

    /// The result of an invocation; false if it is not the one that the process works on.
    pub(super) async fn finish(&self, id: &str, returned: Returned) -> bool {
        self.printed.settle().await;
        let job = {
            let mut phase = self.phase();
            if !matches!(&*phase, Phase::Busy(job) if job.id == id) {
                return false;
            }
            match std::mem::replace(&mut *phase, Phase::Idle) {
                Phase::Busy(job) => job,
                Phase::Starting(_) | Phase::Idle => return false,
            }
        };
        self.deadline.send_replace(None);
        let tail = self.tail();
        job.answer(Returned { tail, ..returned });
        true
    }

    /// Where the result of an invocation is to be streamed to, once.
    pub(super) fn stream_of(&self, id: &str) -> Option<mpsc::Sender<Bytes>> {
        match &mut *self.phase() {
            Phase::Busy(job) if job.id == id => job.stream.take(),
            _ => None,
        }
    }

    /// What the process says of its failure to start.
    pub(super) fn could_not_start(&self, error: Bytes) {
        if let Phase::Starting(said) = &mut *self.phase() {
            *said = Some(error);
        }
    }

    /// Makes the process idle; what it works on, if anything, has failed.
    fn give_up(&self) {
        let phase = std::mem::replace(&mut *self.phase(), Phase::Idle);
        match phase {
            Phase::Starting(_) => self.pool.is_ready(),
            Phase::Idle => {}
            Phase::Busy(job) => {
                let failure = Returned::exited(&job.id, NO_ANSWER);
                job.answer(failure);
            }
        }
        self.deadline.send_replace(None);
    }

    fn ended(&self, end: &End, patience: Duration) {
        let timeout = self.pool.function.timeout;
        match std::mem::replace(&mut *self.phase(), Phase::Idle) {
            Phase::Starting(said) => self.pool.has_ended(false, |id| match said {
                Some(payload) => Returned::failed(payload),
                None => end.failure(id, patience),
            }),
            Phase::Busy(job) => {
                let failure = end.failure(&job.id, timeout);
                job.answer(Returned { tail: self.tail(), ..failure });
                self.pool.has_ended(true, |id| end.failure(id, timeout));
            }
            Phase::Idle => self.pool.has_ended(true, |id| end.failure(id, timeout)),
        }
    }

    fn tail(&self) -> Option<Bytes> {
        let memory = self.pool.function.environment.get(MEMORY).map_or(DEFAULT_MEMORY, String::as_str);
        self.printed.end(memory)
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An invocation as a process is told of it.
pub(super) struct Announced {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) trace: String,
    pub(super) client_context: Option<String>,
    pub(super) payload: Bytes,
    /// Since 1970-01-01T00:00:00Z.
    pub(super) deadline: Duration,
}

impl End {
    fn failure(&self, id: &str, limit: Duration) -> Returned {
        match self {
            Self::Exited(Ok(status)) if status.success() => Returned::failure(
                "Runtime.ExitError",
                &format!("RequestId: {id} Error: Runtime exited without providing a reason"),
            ),
            Self::Exited(Ok(status)) => Returned::exited(id, &format!("with error: {status}")),
            Self::Exited(Err(error)) => Returned::exited(id, &format!("with error: {error}")),
            Self::TimedOut => Returned::timed_out(id, limit),
            Self::Stopped => Returned::exited(id, "because the server stops"),
            Self::NotStarted(error) => {
                Returned::failure("Runtime.InvalidEntrypoint", &format!("RequestId: {id} Error: {error}"))
            }
        }
    }
}

/// The processes that a command has started, killed when this is dropped.
struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { id: id.and_then(rustix::process::Pid::from_raw) }
    }

    /// Without process groups the command's own process is killed when its handle is dropped.
    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self {}
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self.id {
            // It fails if nothing is left to kill.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}
