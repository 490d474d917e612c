use backworks_plugin_sdk::*;
use std::sync::OnceLock;

/// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from this type.
#[derive(PluginConfig)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Members of JSON objects that are removed.
    #[serde(default)]
    remove: Vec<String>,
    /// The value of the header x-served-by.
    #[serde(default = "backworks")]
    served_by: String,
}

fn backworks() -> String {
    "backworks".to_owned()
}

impl Config {
    /// A change is a merge patch: null removes a member, and what the patch does not name stays.
    fn change(&self, response: &Response<'_>) -> BackworksResult<Patch> {
        let patch = Patch::new().header("x-served-by", &self.served_by);
        if response.body().encoding() != BodyEncoding::Json {
            return Ok(patch);
        }
        let body: Value = response.body().json()?;
        let removed = self
            .remove
            .iter()
            .filter(|name| body.get(name.as_str()).is_some());
        let change: Value = removed.map(|name| (name.clone(), Value::Null)).collect();
        if change == json!({}) {
            Ok(patch)
        } else {
            patch.json(&change)
        }
    }
}

#[derive(Default)]
struct Transformer {
    config: OnceLock<Config>,
}

#[async_trait]
impl BackworksPlugin for Transformer {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &str {
        "Changes responses."
    }

    fn manifest(&self) -> Manifest {
        Manifest::new()
            .hooks([Hook::AfterResponse])
            .config::<Config>()
    }

    /// A response that the plugin cannot change is not sent.
    fn is_critical(&self) -> bool {
        true
    }

    async fn initialize(&self, config: &Value) -> BackworksResult<()> {
        let config = Config::from_value(config)?;
        self.config
            .set(config)
            .map_err(|_| PluginError::new("initialized twice"))
    }

    async fn after_response(&self, response: &Response<'_>) -> BackworksResult<ResponseAction> {
        let config = self
            .config
            .get()
            .ok_or_else(|| PluginError::new("not initialized"))?;
        Ok(config.change(response)?.into())
    }
}

export_plugin!(Transformer);

#[cfg(test)]
mod tests {
    use super::*;
    use backworks_plugin_sdk::testing::{MockHost, TestResponse};

    fn change(response: &TestResponse) -> Option<Value> {
        let host = MockHost::new();
        let config = json!({ "remove": ["salary", "notes"], "served_by": "a" });
        let plugin = host.start::<Transformer>(&config).unwrap();
        plugin.after_response(response).unwrap()
    }

    fn json_response(body: &Value) -> TestResponse {
        TestResponse::new(200).json(body).unwrap()
    }

    #[test]
    fn removes_the_members_that_are_there() {
        let response = json_response(&json!({ "id": 1, "salary": 1 }));
        let expected = json!({
            "headers": { "x-served-by": "a" },
            "body_encoding": "json",
            "body": { "salary": null },
        });
        assert_eq!(change(&response), Some(expected));
    }

    #[test]
    fn leaves_other_bodies_as_they_are() {
        let header = json!({ "headers": { "x-served-by": "a" } });
        for response in [
            json_response(&json!({ "id": 1 })),
            json_response(&json!(["salary"])),
            TestResponse::new(200).text("salary"),
        ] {
            assert_eq!(change(&response).as_ref(), Some(&header));
        }
    }
}
