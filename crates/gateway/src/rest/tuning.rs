//! What a stage's method settings say of each method of a deployment: throttle and caching.
//!
//! A method's own settings come before those of `*/*`. Keys are written like `a~1b/GET`, the root is `~1/GET`. A
//! method `ANY` can have settings for each verb.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method as Verb;
use stagedoor_api::apigateway as api;

use super::plan::{Deployed, Method};
use crate::plans::api::Known;
use crate::routes;
use crate::throttle::{Bucket, Limit, Throttle};

const ALL_METHODS: &str = "*/*";

/// The verbs that `ANY` stands for.
const VERBS: [Verb; 7] =
    [Verb::DELETE, Verb::GET, Verb::HEAD, Verb::OPTIONS, Verb::PATCH, Verb::POST, Verb::PUT];

/// The settings of all methods of a stage.
#[derive(Default)]
pub(crate) struct Tuning {
    /// By [`Method::index`].
    methods: Vec<OfMethod>,
    /// By key, so that the next plan goes on with them.
    buckets: HashMap<String, Arc<Bucket>>,
}

/// By verb; one entry, unless the method is `ANY`.
struct OfMethod(Box<[(Verb, Settings)]>);

/// The settings of one method.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) throttle: Option<Throttle>,
}

impl Tuning {
    pub(crate) fn of(deployed: &Deployed, stage: &api::Stage, known: &Known<'_, Self>) -> Self {
        let mut tuning = Self::default();
        for (path, verb) in &deployed.methods {
            let verbs = match verb {
                routes::Verb::One(verb) => std::slice::from_ref(verb),
                routes::Verb::Any => &VERBS,
            };
            let settings =
                verbs.iter().map(|verb| (verb.clone(), tuning.settings(path, verb, stage, known))).collect();
            tuning.methods.push(OfMethod(settings));
        }
        tuning
    }

    /// The settings of a method for a request of this verb.
    pub(crate) fn find(&self, method: &Method, verb: &Verb) -> Option<&Settings> {
        let of_method = self.methods.get(method.index)?;
        of_method.0.iter().find(|(known, _)| known == verb).map(|(_, settings)| settings)
    }

    fn settings(&mut self, path: &str, verb: &Verb, stage: &api::Stage, known: &Known<'_, Self>) -> Settings {
        let key = key(path, verb);
        let of_all = stage.method_settings.as_ref();
        let own = of_all.and_then(|all| all.get(&key));
        let Some(setting) = own.or_else(|| of_all?.get(ALL_METHODS)) else { return Settings::default() };
        let limit = Limit::of_method(setting.throttling_rate_limit, setting.throttling_burst_limit);
        Settings { throttle: limit.map(|limit| Throttle { limit, bucket: self.bucket(key, known) }) }
    }

    /// The bucket that the method had before, or that the stage of a canary has.
    fn bucket(&mut self, key: String, known: &Known<'_, Self>) -> Arc<Bucket> {
        let mut tunings = known.stage.into_iter().chain(known.before);
        let bucket = tunings.find_map(|tuning| tuning.buckets.get(&key)).cloned().unwrap_or_default();
        self.buckets.insert(key, Arc::clone(&bucket));
        bucket
    }
}

/// How patches name a method.
fn key(path: &str, verb: &Verb) -> String {
    let path = if path == "/" { path } else { path.trim_start_matches('/') };
    format!("{}/{verb}", path.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_named_as_in_patches() {
        assert_eq!(key("/", &Verb::GET), "~1/GET");
        assert_eq!(key("/test", &Verb::POST), "test/POST");
        assert_eq!(key("/a/{b}", &Verb::GET), "a~1{b}/GET");
    }
}
