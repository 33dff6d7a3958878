//! Resources, the nodes of an API's tree of paths: `CreateResource`, `GetResource`, `GetResources`,
//! `UpdateResource`, `DeleteResource`.
//!
//! A resource holds its methods; what may be done with those stands in [`crate::method`]. What a tree of paths may
//! look like stands in [`crate::path_tree`].

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    CreateResourceRequest, DeleteResourceRequest, GetResourceRequest, GetResourcesRequest, Method, Op,
    Resource, Resources, UpdateResourceRequest,
};
use stagedoor_state::{Cx, Result};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::path_tree::PathTree;
use crate::{listing, messages, quota, rest_api};

/// Characters of a resource's id; the root's is longer.
pub const ID_LENGTH: usize = 6;

/// `POST /restapis/{restapi_id}/resources/{parent_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateResource.html>
pub fn create_resource(cx: &mut Cx<'_>, input: CreateResourceRequest) -> Result<Resource> {
    let api = input.rest_api_id.as_str();
    let parent = existing(cx, api, &input.parent_id)?;
    let resources = cx.all(&[api])?;
    quota::check_count(cx, quota::RESOURCES, resources.len())?;
    let tree = PathTree::new(resources);
    let id = cx.new_id(ID_LENGTH);
    let path = tree.place(&id, &parent, &input.path_part)?;
    let resource = Resource {
        id: Some(id.clone()),
        parent_id: Some(input.parent_id),
        path_part: Some(input.path_part),
        path: Some(path),
        resource_methods: None,
    };
    cx.put(&[api, &id], &resource)?;
    Ok(resource)
}

/// `GET /restapis/{restapi_id}/resources/{resource_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetResource.html>
pub fn get_resource(cx: &mut Cx<'_>, input: GetResourceRequest) -> Result<Resource> {
    let resource = existing(cx, &input.rest_api_id, &input.resource_id)?;
    Ok(answered(resource, input.embed.as_deref()))
}

/// `GET /restapis/{restapi_id}/resources`, sorted by path; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetResources.html>
pub fn get_resources(cx: &mut Cx<'_>, input: GetResourcesRequest) -> Result<Resources> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let resources = cx.all::<Resource>(&[api])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |resource: &Resource| resource.path.clone().unwrap_or_default();
    let page = listing::page(cx, &format!("resources {api}"), resources, order, &wish)?;
    let items = page.items.into_iter().map(|resource| answered(resource, input.embed.as_deref())).collect();
    Ok(Resources { items: Some(items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}/resources/{resource_id}`: renames or moves a resource, and all below it with it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateResource.html>
pub fn update_resource(cx: &mut Cx<'_>, input: UpdateResourceRequest) -> Result<Resource> {
    let api = input.rest_api_id.as_str();
    let resource = existing(cx, api, &input.resource_id)?;
    let old = Placed { tree: PathTree::new(cx.all(&[api])?), resource };
    let mut new = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    for moved in new.tree.replace(new.resource.clone()) {
        cx.put(&[api, moved.id.as_deref().unwrap_or_default()], &moved)?;
    }
    Ok(answered(new.resource, None))
}

/// `DELETE /restapis/{restapi_id}/resources/{resource_id}`: the resource and all below it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteResource.html>
pub fn delete_resource(cx: &mut Cx<'_>, input: DeleteResourceRequest) -> Result<()> {
    let api = input.rest_api_id.as_str();
    let resource = existing(cx, api, &input.resource_id)?;
    if resource.parent_id.is_none() {
        return Err(messages::root_deleted());
    }
    for doomed in PathTree::new(cx.all(&[api])?).subtree(&input.resource_id) {
        cx.delete::<Resource>(&[api, &doomed])?;
    }
    Ok(())
}

/// The resource of that id. An unknown API is answered like an unknown resource.
pub fn existing(cx: &mut Cx<'_>, api: &str, id: &str) -> Result<Resource> {
    cx.get(&[api, id])?.ok_or_else(messages::no_resource)
}

/// Stores the root that every API has.
pub fn put_root(cx: &mut Cx<'_>, api: &str, id: &str) -> Result<()> {
    let root = Resource { id: Some(id.to_owned()), path: Some("/".to_owned()), ..Resource::default() };
    cx.put(&[api, id], &root)
}

/// Stores copies of all resources of the API `from`, with ids of their own.
pub fn clone_all(cx: &mut Cx<'_>, from: &str, to: &str, root: &str) -> Result<()> {
    let originals = cx.all::<Resource>(&[from])?;
    let mut ids = BTreeMap::new();
    for original in &originals {
        let id = if original.parent_id.is_none() { root.to_owned() } else { cx.new_id(ID_LENGTH) };
        ids.insert(original.id.clone().unwrap_or_default(), id);
    }
    for mut copy in originals {
        let renamed = |id: &mut Option<String>| {
            if let Some(new) = id.as_ref().and_then(|old| ids.get(old)) {
                *id = Some(new.clone());
            }
        };
        renamed(&mut copy.id);
        renamed(&mut copy.parent_id);
        for method in copy.resource_methods.iter_mut().flat_map(BTreeMap::values_mut) {
            if let Some(integration) = &mut method.method_integration {
                // A resource's id is the default name of its part of the cache.
                renamed(&mut integration.cache_namespace);
            }
        }
        cx.put(&[to, copy.id.as_deref().unwrap_or_default()], &copy)?;
    }
    Ok(())
}

/// Methods are named only, unless `embed` asks for them.
fn answered(mut resource: Resource, embed: Option<&[String]>) -> Resource {
    let whole = embed.is_some_and(|embed| embed.iter().any(|embed| embed == "methods"));
    let methods = resource.resource_methods.as_mut();
    if let Some(methods) = methods.filter(|_| !whole) {
        methods.values_mut().for_each(|method| *method = Method::default());
    }
    resource.resource_methods = resource.resource_methods.filter(|methods| !methods.is_empty());
    resource
}

// === Patches ===

/// A resource on the move and the tree it moves in, which still has the resource as it was.
#[derive(Clone)]
struct Placed {
    tree: PathTree,
    resource: Resource,
}

const PATCHES: Table<Placed> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ROWS: &[Row<Placed>] = &[
    Row { path: "/parentId", ops: &[Op::Replace], apply: patch_parent_id },
    Row { path: "/pathPart", ops: &[Op::Replace], apply: patch_path_part },
];

fn patch_parent_id(placed: &mut Placed, change: &Change<'_>) -> Result<()> {
    if placed.resource.parent_id.is_none() {
        return Err(messages::root_stays("parentId"));
    }
    placed.resource.parent_id = change.value.map(str::to_owned);
    placed.settle()
}

fn patch_path_part(placed: &mut Placed, change: &Change<'_>) -> Result<()> {
    if placed.resource.parent_id.is_none() {
        return Err(messages::root_stays("pathPart"));
    }
    placed.resource.path_part = Some(change.value_or_empty());
    placed.settle()
}

impl Placed {
    fn settle(&mut self) -> Result<()> {
        let Resource { id, parent_id, path_part, .. } = &self.resource;
        let parent =
            parent_id.as_deref().and_then(|id| self.tree.get(id)).ok_or_else(messages::no_resource)?;
        let (id, path_part) = (id.as_deref().unwrap_or_default(), path_part.as_deref().unwrap_or_default());
        self.resource.path = Some(self.tree.place(id, parent, path_part)?);
        Ok(())
    }
}
