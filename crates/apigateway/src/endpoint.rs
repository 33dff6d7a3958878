//! The endpoint configuration of an API: one endpoint type, and how addresses, VPC endpoints and it depend on each
//! other.

use stagedoor_api::apigateway::{EndpointConfiguration, EndpointType, IpAddressType, Op, RestApi};
use stagedoor_state::Result;

use crate::messages;
use crate::patch::Change;

/// What a new API gets, with what was not said filled in.
pub fn configured(given: Option<EndpointConfiguration>) -> Result<EndpointConfiguration> {
    let mut endpoint = given.unwrap_or_default();
    let types = endpoint.types.get_or_insert_with(|| vec![EndpointType::Edge]);
    let default = if types.as_slice() == [EndpointType::Private] {
        IpAddressType::Dualstack
    } else {
        IpAddressType::Ipv4
    };
    endpoint.ip_address_type.get_or_insert(default);
    endpoint.vpc_endpoint_ids = endpoint.vpc_endpoint_ids.filter(|ids| !ids.is_empty());
    check(&endpoint)?;
    Ok(endpoint)
}

/// The rules between the members, after any change.
pub fn check(endpoint: &EndpointConfiguration) -> Result<()> {
    let endpoint_type = match endpoint.types.as_deref().unwrap_or_default() {
        [] => return Err(messages::no_endpoint_type()),
        [one] => *one,
        _ => return Err(messages::several_endpoint_types()),
    };
    if endpoint_type == EndpointType::Private {
        return match endpoint.ip_address_type {
            Some(IpAddressType::Ipv4) => Err(messages::private_is_dualstack()),
            _ => Ok(()),
        };
    }
    match &endpoint.vpc_endpoint_ids {
        Some(_) => Err(messages::vpc_endpoints_are_private()),
        None => Ok(()),
    }
}

// === Patches ===

/// `/endpointConfiguration/types/{}`, where the token is the old type or its place in the list.
pub fn patch_type(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let endpoint = of(api);
    let types = endpoint.types.get_or_insert_default();
    let token = change.token(0);
    let place = match token.parse::<usize>() {
        Ok(place) => (place < types.len()).then_some(place),
        Err(_) => types.iter().position(|old| old.as_str() == token),
    };
    let named =
        |text: Option<&str>| text.and_then(EndpointType::parse).ok_or_else(messages::bad_endpoint_type);
    match change.op {
        Op::Remove => {
            types.remove(place.ok_or_else(messages::bad_endpoint_type)?);
            return Ok(());
        }
        Op::Add => types.push(named(change.value.or(Some(&token)))?),
        _ => {
            let new = named(change.value)?;
            match place {
                Some(place) => types[place] = new,
                None => *types = vec![new],
            }
        }
    }
    if types.contains(&EndpointType::Private) {
        endpoint.ip_address_type = Some(IpAddressType::Dualstack);
    }
    Ok(())
}

/// `/endpointConfiguration/ipAddressType`
pub fn patch_ip_address_type(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let new = change.value.and_then(IpAddressType::parse).ok_or_else(messages::bad_ip_address_type)?;
    of(api).ip_address_type = Some(new);
    Ok(())
}

/// `/endpointConfiguration/vpcEndpointIds`, with one id as the value.
pub fn patch_vpc_endpoint_ids(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let endpoint = of(api);
    let mut ids = endpoint.vpc_endpoint_ids.take().unwrap_or_default();
    let id = change.value_or_empty();
    ids.retain(|old| *old != id);
    if change.op == Op::Add {
        ids.push(id);
    }
    endpoint.vpc_endpoint_ids = Some(ids).filter(|ids| !ids.is_empty());
    Ok(())
}

fn of(api: &mut RestApi) -> &mut EndpointConfiguration {
    api.endpoint_configuration.get_or_insert_default()
}
