//! How much of everything of REST APIs there may be.

/// How much an account may have in a region, or an API, plan or key of it. The defaults are those of AWS.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    pub regional_apis: usize,
    pub edge_apis: usize,
    pub private_apis: usize,
    /// Without the root.
    pub resources_per_api: usize,
    pub stages_per_api: usize,
    pub authorizers_per_api: usize,
    pub documentation_parts_per_api: usize,
    pub api_keys: usize,
    pub usage_plans: usize,
    pub usage_plans_per_key: usize,
    pub method_throttles_per_stage: usize,
    pub client_certificates: usize,
    pub vpc_links: usize,
    /// Public ones.
    pub domain_names: usize,
    pub private_domain_names: usize,
    pub access_associations: usize,
    /// Of a resource policy as it is given, in characters.
    pub policy_length: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            regional_apis: 600,
            edge_apis: 120,
            private_apis: 600,
            resources_per_api: 300,
            stages_per_api: 10,
            authorizers_per_api: 10,
            documentation_parts_per_api: 2000,
            api_keys: 10_000,
            usage_plans: 300,
            usage_plans_per_key: 10,
            method_throttles_per_stage: 20,
            client_certificates: 60,
            vpc_links: 20,
            domain_names: 120,
            private_domain_names: 50,
            access_associations: 100,
            policy_length: 8192,
        }
    }
}

impl Quotas {
    /// Every quota's name, as operators write it, with its value.
    pub fn all(&mut self) -> [(&'static str, &mut usize); 17] {
        [
            ("regional-apis", &mut self.regional_apis),
            ("edge-apis", &mut self.edge_apis),
            ("private-apis", &mut self.private_apis),
            ("resources-per-api", &mut self.resources_per_api),
            ("stages-per-api", &mut self.stages_per_api),
            ("authorizers-per-api", &mut self.authorizers_per_api),
            ("documentation-parts-per-api", &mut self.documentation_parts_per_api),
            ("api-keys", &mut self.api_keys),
            ("usage-plans", &mut self.usage_plans),
            ("usage-plans-per-key", &mut self.usage_plans_per_key),
            ("method-throttles-per-stage", &mut self.method_throttles_per_stage),
            ("client-certificates", &mut self.client_certificates),
            ("vpc-links", &mut self.vpc_links),
            ("domain-names", &mut self.domain_names),
            ("private-domain-names", &mut self.private_domain_names),
            ("access-associations", &mut self.access_associations),
            ("policy-length", &mut self.policy_length),
        ]
    }

    /// Sets the quota of that name; false if there is none.
    pub fn set(&mut self, name: &str, max: usize) -> bool {
        let found = self.all().into_iter().find(|(known, _)| *known == name);
        found.map(|(_, quota)| *quota = max).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_set_by_name() {
        let mut quotas = Quotas::default();
        assert!(quotas.set("api-keys", 7) && !quotas.set("api_keys", 8));
        assert_eq!(quotas, Quotas { api_keys: 7, ..Quotas::default() });
    }
}
