//! Renders templates where they are asked for as long as that takes no time worth speaking of, and those that take
//! longer on threads that serve no requests, a few at once: a template that never ends holds up nobody but its caller.
//!
//! A template is pure, so that one whose steps were used up can simply begin again.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};
use stagedoor_vtl::{Failure, Limits, Params, RenderError, Rendered, Scope};
use tokio::sync::Semaphore;
use tokio::task;
use tokio::time::timeout;

use crate::template::Velocity;

/// Steps of a rendering on the thread that serves the request: a millisecond or so, many times what templates take
/// that only move some members about. Bytes of the body that are read count as well.
const STEPS_HERE_MAX: u64 = 20_000;
/// How long a rendering waits until there is room for it elsewhere: what an integration may take.
const WAIT_MAX: Duration = Duration::from_secs(29);

/// Room for the renderings that take long. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Renderings {
    room: Arc<Semaphore>,
    wait_max: Duration,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unrendered {
    #[error(transparent)]
    Failed(#[from] RenderError),
    #[error("too many templates take long")]
    NoRoom,
    #[error("the rendering was ended")]
    Ended,
}

impl Default for Renderings {
    /// Half of the processors: the others serve requests.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { room: Arc::new(Semaphore::new(processors.div_ceil(2))), wait_max: WAIT_MAX }
    }
}

impl Renderings {
    /// Renders once, within these limits.
    ///
    /// # Errors
    /// If the rendering fails, or has no room in time.
    pub(crate) async fn render(
        &self,
        velocity: &Arc<Velocity>,
        scope: &Scope<'_>,
        limits: Limits,
    ) -> Result<Rendered, Unrendered> {
        let here = Limits { steps_max: limits.steps_max.min(STEPS_HERE_MAX), ..limits.clone() };
        match velocity.template.render(scope, &here) {
            Err(error) if error.failure == Failure::TooManySteps => {
                // Boxed: few requests come here, all of them would carry the room for it.
                Box::pin(self.elsewhere(Arc::clone(velocity), Kept::of(scope), limits)).await
            }
            outcome => Ok(outcome?),
        }
    }

    async fn elsewhere(
        &self,
        velocity: Arc<Velocity>,
        kept: Kept,
        limits: Limits,
    ) -> Result<Rendered, Unrendered> {
        let room = timeout(self.wait_max, Arc::clone(&self.room).acquire_owned()).await;
        let Ok(Ok(room)) = room else { return Err(Unrendered::NoRoom) };
        let rendered = task::spawn_blocking(move || {
            // Whoever has asked may be gone; the room is free when the thread is.
            let _room = room;
            kept.render(&velocity, &limits)
        });
        Ok(rendered.await.map_err(|_| Unrendered::Ended)??)
    }
}

/// A [`Scope`] that can be taken to another thread.
struct Kept {
    body: String,
    path: Pairs,
    querystring: Pairs,
    header: Pairs,
    context: Option<Map<String, Value>>,
    stage_variables: Pairs,
}

type Pairs = Vec<(String, String)>;

impl Kept {
    fn of(scope: &Scope<'_>) -> Self {
        let owned = |pairs: &[(&str, &str)]| -> Pairs {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        Self {
            body: scope.body.to_owned(),
            path: owned(scope.params.path),
            querystring: owned(scope.params.querystring),
            header: owned(scope.params.header),
            context: scope.context.cloned(),
            stage_variables: owned(scope.stage_variables),
        }
    }

    fn render(&self, velocity: &Velocity, limits: &Limits) -> Result<Rendered, RenderError> {
        let [path, querystring, header, stage_variables] =
            [&self.path, &self.querystring, &self.header, &self.stage_variables].map(borrowed);
        let scope = Scope {
            body: &self.body,
            params: Params { path: &path, querystring: &querystring, header: &header },
            context: self.context.as_ref(),
            stage_variables: &stage_variables,
        };
        velocity.template.render(&scope, limits)
    }
}

fn borrowed(pairs: &Pairs) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;
    use crate::template::Template;

    const LOOPS: &str =
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#set($x=$c)#end#end#end";

    fn velocity(text: &str) -> Arc<Velocity> {
        match Template::of(text) {
            Template::Velocity(velocity) => velocity,
            other => panic!("{other:?}"),
        }
    }

    fn limits(steps_max: u64) -> Limits {
        Limits { steps_max, ..Limits::default() }
    }

    /// A template of many steps sees all that one of few steps sees.
    #[tokio::test]
    async fn what_takes_long_is_rendered_as_what_does_not() {
        let seen = "$input.json('$.a') $input.params('p') $input.params('q') $input.params('h') $context.stage \
                    $stageVariables.s #set($context.responseOverride.status = 201)";
        let long = format!("{seen}#foreach($a in [1..1000])#foreach($b in [1..100])#set($x=$b)#end#end");
        let context = json!({"stage": "prod"});
        let scope = Scope {
            body: r#"{"a": [1]}"#,
            params: Params { path: &[("p", "1")], querystring: &[("q", "2")], header: &[("h", "3")] },
            context: context.as_object(),
            stage_variables: &[("s", "4")],
        };
        let renderings = Renderings::default();
        let few = renderings.render(&velocity(seen), &scope, Limits::default()).await.expect("it renders");
        let many = renderings.render(&velocity(&long), &scope, Limits::default()).await.expect("it renders");
        assert_eq!(few.text.trim(), "[1] 1 2 3 prod 4");
        assert_eq!((many.text.trim(), &many.overrides), (few.text.trim(), &few.overrides));
        assert_eq!(many.overrides.of_response().status, Some(201));
    }

    /// The thread that asks goes on while templates loop, and no more of them loop at once than may.
    #[tokio::test]
    async fn templates_that_never_end_hold_up_nobody() {
        let renderings = Renderings { room: Arc::new(Semaphore::new(1)), wait_max: WAIT_MAX };
        let looping = velocity(LOOPS);
        let once = |steps| {
            let (renderings, looping) = (renderings.clone(), Arc::clone(&looping));
            tokio::spawn(async move { renderings.render(&looping, &Scope::default(), limits(steps)).await })
        };
        let began = Instant::now();
        drop(once(STEPS_HERE_MAX).await);
        let here = began.elapsed();
        let began = Instant::now();
        let loops: Vec<_> = (0..4).map(|_| once(100 * STEPS_HERE_MAX)).collect();
        let mut longest = Duration::ZERO;
        while !loops.iter().all(tokio::task::JoinHandle::is_finished) {
            let before = Instant::now();
            task::yield_now().await;
            longest = longest.max(before.elapsed());
            assert!(renderings.room.available_permits() <= 1);
        }
        for ended in loops {
            let error = ended.await.expect("no panic").expect_err("it does not end");
            assert!(
                matches!(&error, Unrendered::Failed(error) if error.failure == Failure::TooManySteps),
                "{error}"
            );
        }
        // Four times a hundred shares of work were done meanwhile.
        assert!(longest < began.elapsed() / 4, "{longest:?}, of {:?}, a share is {here:?}", began.elapsed());
    }

    #[tokio::test]
    async fn who_finds_no_room_is_told() {
        let renderings = Renderings { room: Arc::new(Semaphore::new(0)), wait_max: Duration::from_millis(1) };
        let error = renderings.render(&velocity(LOOPS), &Scope::default(), Limits::default()).await;
        assert!(matches!(error, Err(Unrendered::NoRoom)), "{error:?}");
    }
}
