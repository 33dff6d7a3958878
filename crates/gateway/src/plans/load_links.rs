//! Reads the VPC links of REST APIs: which load balancers each leads to.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use stagedoor_api::apigateway::VpcLink;
use stagedoor_state::document::{self, Key};
use stagedoor_store::{Result, Transaction};

use super::place::Places;

/// Whether a change of this key changes a link.
pub(super) fn concerned(key: &str) -> bool {
    Key::parse::<VpcLink>(key).is_some()
}

/// Reads all links. There are few, and they change rarely.
pub(super) fn all(transaction: &mut Transaction, places: &Places) -> Result<()> {
    let mut found: HashMap<(String, String), BTreeMap<String, Vec<String>>> =
        places.all().into_iter().map(|(place, _)| (place, BTreeMap::new())).collect();
    transaction.visit::<()>(&document::prefix::<VpcLink>(), |key, document| {
        if let Some(Key { account, region, ids }) = Key::parse::<VpcLink>(key)
            && let Some(id) = ids.into_iter().next()
            && let Ok(link) = document::decode::<VpcLink>(&document.bytes)
        {
            found.entry((account, region)).or_default().insert(id, link.target_arns.unwrap_or_default());
        }
        ControlFlow::Continue(())
    })?;
    for ((account, region), links) in found {
        places.of(&account, &region).links.store(Arc::new(links));
    }
    Ok(())
}
