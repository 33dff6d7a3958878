//! Amazon Resource Names of the services' resources.

/// The parts of `arn:aws:{service}:{region}:{account}:{resource}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        if arn != "arn" || partition != "aws" {
            return None;
        }
        let (service, region, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self { service, region, account, resource })
    }

    /// The id in a resource like `stage/AbCdEfGh1234`, if the resource has that type.
    pub fn id_of(&self, resource_type: &str) -> Option<&'a str> {
        self.resource.strip_prefix(resource_type)?.strip_prefix('/')
    }
}

/// An IVS resource: `arn:aws:ivs:us-east-1:000000000000:stage/AbCdEfGh1234`.
pub fn ivs(region: &str, account: &str, resource_type: &str, id: &str) -> String {
    format!("arn:aws:ivs:{region}:{account}:{resource_type}/{id}")
}

/// An API Gateway resource, which names no account: `arn:aws:apigateway:us-east-1::/restapis/a1b2c3d4e5`.
pub fn apigateway(region: &str, path: &str) -> String {
    format!("arn:aws:apigateway:{region}::{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_makes() {
        let text = ivs("eu-west-1", "123456789012", "stage", "AbC");
        let arn = Arn::parse(&text).expect("well-formed");
        assert_eq!((arn.region, arn.account, arn.id_of("stage")), ("eu-west-1", "123456789012", Some("AbC")));
        assert_eq!(arn.id_of("composition"), None);
        assert_eq!(Arn::parse("arn:aws:ivs"), None);
    }
}
