use backworks_plugin_sdk::*;
use std::sync::OnceLock;

/// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from this type.
#[derive(PluginConfig)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The keys that are accepted.
    keys: Vec<String>,
    /// The header that has the key, in lower case.
    #[serde(default = "api_key")]
    header: String,
}

fn api_key() -> String {
    "x-api-key".to_owned()
}

/// Takes the same time wherever the texts differ, so that the time does not give the key away.
fn is_same(given: &str, key: &str) -> bool {
    let pairs = given.bytes().zip(key.bytes().cycle());
    let difference = pairs.fold(0, |difference, (a, b)| difference | (a ^ b));
    difference == 0 && given.len() == key.len() && !key.is_empty()
}

impl Config {
    fn check(&self, request: &Request<'_>) -> RequestAction {
        let given = request.header(&self.header).unwrap_or_default();
        let is_known = self
            .keys
            .iter()
            .fold(false, |known, key| known | is_same(given, key));
        if !is_known {
            let detail = "The request has no valid API key.";
            return Reply::problem(401, "Unauthorized", detail)
                .header("www-authenticate", "ApiKey")
                .into();
        }
        Patch::new()
            .remove_header(&self.header)
            .context("authenticated", true)
            .into()
    }
}

#[derive(Default)]
struct KeyCheck {
    config: OnceLock<Config>,
}

#[async_trait]
impl BackworksPlugin for KeyCheck {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &str {
        "Checks API keys."
    }

    fn manifest(&self) -> Manifest {
        Manifest::new()
            .hooks([Hook::BeforeRequest])
            .config::<Config>()
    }

    /// While the plugin does not work, requests are refused instead of passing unchecked.
    fn is_critical(&self) -> bool {
        true
    }

    async fn initialize(&self, config: &Value) -> BackworksResult<()> {
        let config = Config::from_value(config)?;
        self.config
            .set(config)
            .map_err(|_| PluginError::new("initialized twice"))
    }

    async fn before_request(&self, request: &Request<'_>) -> BackworksResult<RequestAction> {
        let config = self
            .config
            .get()
            .ok_or_else(|| PluginError::new("not initialized"))?;
        Ok(config.check(request))
    }
}

export_plugin!(KeyCheck);

#[cfg(test)]
mod tests {
    use super::*;
    use backworks_plugin_sdk::testing::{MockHost, RequestOutcome, TestRequest};

    fn check(request: &TestRequest) -> RequestOutcome {
        let host = MockHost::new();
        let config = json!({ "keys": ["first", "second"] });
        let plugin = host.start::<KeyCheck>(&config).unwrap();
        plugin.before_request(request).unwrap()
    }

    #[test]
    fn removes_a_key_that_is_known() {
        let request = TestRequest::get("/orders").header("x-api-key", "second");
        let patch = json!({
            "headers": { "x-api-key": null },
            "context": { "authenticated": true },
        });
        assert_eq!(check(&request), RequestOutcome::Changed(patch));
    }

    #[test]
    fn refuses_other_keys() {
        let request = TestRequest::get("/orders");
        for request in [
            request.clone().header("x-api-key", "sec"),
            request.clone().header("x-api-key", "third"),
            request,
        ] {
            let RequestOutcome::Answered(answer) = check(&request) else {
                panic!("{request:?} passes")
            };
            assert_eq!(answer.status, 401);
        }
    }
}
