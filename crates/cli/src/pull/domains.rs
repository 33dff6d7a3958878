//! Domain names that lead to copied APIs, with their mappings and routing rules; and what never can be copied.

use stagedoor_model::{Value, apigatewayv2};

use super::Pull;
use super::document::{fitting, set, text};
use super::report::Did;
use crate::failure::Result;

const V1: &str = "apigateway";
const V2: &str = "apigatewayv2";

impl Pull {
    /// Domains with a mapping to one of the APIs, or all.
    pub(super) async fn domain_names(&mut self, apis: &[&String], all: bool) -> Result<()> {
        for domain in self.from.list(V2, "GetDomainNames", vec![]).await? {
            let name = text(&domain, "DomainName");
            let mappings = self.from.list_of(V2, "GetApiMappings", &[("DomainName", name)]).await?;
            let leads = |mapping: &&Value| all || apis.iter().any(|api| text(mapping, "ApiId") == *api);
            let mappings: Vec<&Value> = mappings.iter().filter(leads).collect();
            if mappings.is_empty() && !all {
                continue;
            }
            let what = format!("domain name {name}");
            if self.to.find(V2, "GetDomainName", &[("DomainName", name)]).await?.is_some() {
                self.report.add(Did::Unchanged, what, "its own settings are left as they are");
            } else {
                let input = fitting(&apigatewayv2::SERVICE, "CreateDomainName", &domain);
                match self.to.call(V2, "CreateDomainName", input).await {
                    Ok(_) => self.report.add(Did::Created, what, "certificates stay where they are"),
                    Err(failure) => {
                        self.report.failed(what, &failure);
                        continue;
                    }
                }
            }
            self.mappings(name, &mappings).await?;
            self.routing_rules(name).await?;
        }
        Ok(())
    }

    async fn mappings(&mut self, domain: &str, mappings: &[&Value]) -> Result<()> {
        let there = self.to.list_of(V2, "GetApiMappings", &[("DomainName", domain)]).await?;
        for mapping in mappings {
            let key = text(mapping, "ApiMappingKey");
            let what = format!("domain name {domain}, mapping {key:?}");
            let mut input = fitting(&apigatewayv2::SERVICE, "CreateApiMapping", mapping);
            set(&mut input, "DomainName", domain);
            let known = there.iter().find(|there| text(there, "ApiMappingKey") == key);
            let place =
                |mapping: &Value| (text(mapping, "ApiId").to_owned(), text(mapping, "Stage").to_owned());
            let (did, done) = match known {
                Some(known) if place(known) == place(mapping) => continue,
                Some(known) => {
                    set(&mut input, "ApiMappingId", text(known, "ApiMappingId"));
                    (Did::Updated, self.to.call(V2, "UpdateApiMapping", input).await)
                }
                None => (Did::Created, self.to.call(V2, "CreateApiMapping", input).await),
            };
            match done {
                Ok(_) => self.report.add(did, what, ""),
                Err(failure) => self.report.failed(what, &failure),
            }
        }
        Ok(())
    }

    async fn routing_rules(&mut self, domain: &str) -> Result<()> {
        let source = self.from.list_of(V2, "ListRoutingRules", &[("DomainName", domain)]).await?;
        if source.is_empty() {
            return Ok(());
        }
        let there = self.to.list_of(V2, "ListRoutingRules", &[("DomainName", domain)]).await?;
        for rule in &source {
            if there.iter().any(|there| there.get("Priority") == rule.get("Priority")) {
                continue;
            }
            let mut input = fitting(&apigatewayv2::SERVICE, "CreateRoutingRule", rule);
            set(&mut input, "DomainName", domain);
            let what = format!("domain name {domain}, a routing rule");
            match self.to.call(V2, "CreateRoutingRule", input).await {
                Ok(_) => self.report.add(Did::Created, what, ""),
                Err(failure) => self.report.failed(what, &failure),
            }
        }
        Ok(())
    }

    /// Tells what an account has that stays there.
    pub(super) async fn left_out(&mut self) {
        let kinds = [
            (
                V1,
                "GetClientCertificates",
                "client certificate",
                "clientCertificateId",
                "its private key stays at AWS",
            ),
            (V2, "ListPortals", "portal", "PortalId", "portals are not copied"),
            (V2, "ListPortalProducts", "portal product", "PortalProductId", "portals are not copied"),
        ];
        for (service, list, what, id, why) in kinds {
            for thing in self.from.list(service, list, vec![]).await.unwrap_or_default() {
                self.report.add(
                    Did::Note,
                    format!("{what} {}", text(&thing, id)),
                    format!("stays behind: {why}"),
                );
            }
        }
    }
}
