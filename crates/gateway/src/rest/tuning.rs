//! What a stage's method settings say of each method of a deployment: throttle and caching.
//!
//! A method's own settings come before those of `*/*`. Keys are written like `a~1b/GET`, the root is `~1/GET`. A
//! method `ANY` can have settings for each verb, or for all of them (`a/ANY`) with one bucket.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method as Verb;
use stagedoor_api::apigateway as api;
use stagedoor_api::apigateway::UnauthorizedCacheControlHeaderStrategy;

use super::plan::{Deployed, Method};
use crate::cache::ResponseCache;
use crate::execution_log::Detail;
use crate::metrics::Counters;
use crate::observe;
use crate::plans::api::Known;
use crate::routes;
use crate::throttle::{Bucket, Limit, Throttle};

const ALL_METHODS: &str = "*/*";
const ANY: &str = "ANY";
const TTL_SECONDS_DEFAULT: i64 = 300;

/// The verbs that `ANY` stands for; REST APIs have no others.
pub(crate) const VERBS: [Verb; 7] =
    [Verb::DELETE, Verb::GET, Verb::HEAD, Verb::OPTIONS, Verb::PATCH, Verb::POST, Verb::PUT];

/// The settings of all methods of a stage.
#[derive(Default)]
pub(crate) struct Tuning {
    /// By [`Method::index`].
    methods: Vec<OfMethod>,
    /// By key, so that the next plan goes on with them.
    buckets: HashMap<String, Arc<Bucket>>,
    cache: Option<Arc<ResponseCache>>,
    /// Of methods with detailed metrics, by key, so that the next plan goes on with them.
    counters: HashMap<String, Arc<Counters>>,
}

/// By verb; one entry, unless the method is `ANY`.
struct OfMethod(Box<[(Verb, Settings)]>);

/// The settings of one method.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) throttle: Option<Throttle>,
    pub(crate) caching: Option<Caching>,
    /// How much the execution log tells.
    pub(crate) logged: Option<Detail>,
    /// `metricsEnabled`: the method's own figures.
    pub(crate) counters: Option<Arc<Counters>>,
}

/// How the answers of a method are kept.
pub(crate) struct Caching {
    pub(crate) cache: Arc<ResponseCache>,
    pub(crate) ttl: Duration,
    /// Whether a client must be allowed to ask for a fresh answer.
    pub(crate) requires_authorization: bool,
    /// What becomes of one that is not.
    pub(crate) strategy: UnauthorizedCacheControlHeaderStrategy,
}

impl Tuning {
    pub(crate) fn of(deployed: &Deployed, stage: &api::Stage, known: &Known<'_, Self>) -> Self {
        let mut tuning = Self { cache: cache(stage, known), ..Self::default() };
        for (path, verb) in &deployed.methods {
            let verbs = match verb {
                routes::Verb::One(verb) => std::slice::from_ref(verb),
                routes::Verb::Any => &VERBS,
            };
            let any = matches!(verb, routes::Verb::Any).then(|| key(path, ANY));
            let settings = verbs.iter().map(|verb| {
                let keys = [Some(key(path, verb.as_str())), any.clone()];
                (verb.clone(), tuning.settings(keys, verb, stage, known))
            });
            let settings = settings.collect();
            tuning.methods.push(OfMethod(settings));
        }
        tuning
    }

    /// The settings of a method for a request of this verb.
    pub(crate) fn find(&self, method: &Method, verb: &Verb) -> Option<&Settings> {
        let of_method = self.methods.get(method.index)?;
        of_method.0.iter().find(|(known, _)| known == verb).map(|(_, settings)| settings)
    }

    /// `keys` are those of the verb and, if the method is `ANY`, of all its verbs; the first that has settings counts.
    fn settings(
        &mut self,
        keys: [Option<String>; 2],
        verb: &Verb,
        stage: &api::Stage,
        known: &Known<'_, Self>,
    ) -> Settings {
        let of_all = stage.method_settings.as_ref();
        let mut named = keys.iter().flatten();
        let own = named.find_map(|key| Some((key.clone(), of_all?.get(key)?)));
        let [of_verb, _] = keys;
        let (key, own) = own.map_or((of_verb.unwrap_or_default(), None), |(key, own)| (key, Some(own)));
        let Some(setting) = own.or_else(|| of_all?.get(ALL_METHODS)) else { return Settings::default() };
        let limit = Limit::of_method(setting.throttling_rate_limit, setting.throttling_burst_limit);
        let counters = (setting.metrics_enabled == Some(true)).then(|| self.counters(&key, known));
        let throttle = limit.map(|limit| Throttle { limit, bucket: self.bucket(key, known) });
        // Settings for all methods mean only GET; others are cached by their own.
        let cached = setting.caching_enabled == Some(true) && (own.is_some() || *verb == Verb::GET);
        Settings {
            logged: observe::detail(setting),
            counters,
            throttle,
            caching: self.cache.as_ref().filter(|_| cached).and_then(|cache| caching(setting, cache)),
        }
    }

    fn counters(&mut self, key: &str, known: &Known<'_, Self>) -> Arc<Counters> {
        let found = self.and_known(known).find_map(|tuning| tuning.counters.get(key)).cloned();
        let counters = found.unwrap_or_default();
        self.counters.insert(key.to_owned(), Arc::clone(&counters));
        counters
    }

    /// Where buckets and counters go on from: another verb of the same method may have them already.
    fn and_known<'a>(&'a self, known: &Known<'a, Self>) -> impl Iterator<Item = &'a Self> {
        [self].into_iter().chain(known.stage).chain(known.before)
    }

    /// Methods with figures of their own, by the keys of their settings.
    pub(crate) fn detailed(&self) -> impl Iterator<Item = (&str, &Counters)> {
        self.counters.iter().map(|(key, counters)| (key.as_str(), &**counters))
    }

    /// The bucket that the method has already, for another verb, had before, or that the stage of a canary has.
    fn bucket(&mut self, key: String, known: &Known<'_, Self>) -> Arc<Bucket> {
        let found = self.and_known(known).find_map(|tuning| tuning.buckets.get(&key)).cloned();
        let bucket = found.unwrap_or_default();
        self.buckets.insert(key, Arc::clone(&bucket));
        bucket
    }
}

/// The cache of the stage, which its canary shares if it is told to.
fn cache(stage: &api::Stage, known: &Known<'_, Tuning>) -> Option<Arc<ResponseCache>> {
    if stage.cache_cluster_enabled != Some(true) {
        return None;
    }
    let shared = stage.canary_settings.as_ref().is_some_and(|canary| canary.use_stage_cache == Some(true));
    if let Some(stage) = known.stage.filter(|_| shared) {
        return stage.cache.clone();
    }
    let size = stage.cache_cluster_size.unwrap_or(api::CacheClusterSize::V0_5);
    let gigabytes: f64 = size.as_str().parse().unwrap_or(0.5);
    let bytes_max = (gigabytes * f64::from(1 << 30)) as u64;
    let before = known.before.and_then(|before| before.cache.as_ref());
    // A canary that no longer shares the stage's cache begins with an empty one.
    let of_stage = known.stage.and_then(|stage| stage.cache.as_ref());
    let own = before.filter(|before| of_stage.is_none_or(|of_stage| !Arc::ptr_eq(of_stage, before)));
    Some(ResponseCache::carried(own, bytes_max, known.epoch.responses))
}

/// `None` if a method's answers live for no time.
fn caching(setting: &api::MethodSetting, cache: &Arc<ResponseCache>) -> Option<Caching> {
    let seconds = setting.cache_ttl_in_seconds.unwrap_or(TTL_SECONDS_DEFAULT);
    let ttl = Duration::from_secs(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?);
    let strategy = setting.unauthorized_cache_control_header_strategy;
    Some(Caching {
        cache: Arc::clone(cache),
        ttl,
        requires_authorization: setting.require_authorization_for_cache_control != Some(false),
        strategy: strategy.unwrap_or(UnauthorizedCacheControlHeaderStrategy::SucceedWithResponseHeader),
    })
}

/// How patches name a method.
fn key(path: &str, verb: &str) -> String {
    let path = if path == "/" { path } else { path.trim_start_matches('/') };
    format!("{}/{verb}", path.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_named_as_in_patches() {
        assert_eq!(key("/", "GET"), "~1/GET");
        assert_eq!(key("/test", "POST"), "test/POST");
        assert_eq!(key("/a/{b}", "GET"), "a~1{b}/GET");
    }
}
