use backworks_plugin_sdk::*;
use std::sync::OnceLock;

/// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from this type.
#[derive(PluginConfig)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The word before the name.
    #[serde(default = "hello")]
    greeting: String,
    /// How many greetings.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 5))]
    repeat: usize,
}

fn hello() -> String {
    "hello".to_owned()
}

fn once() -> usize {
    1
}

impl Config {
    fn answer(&self, request: &Request<'_>) -> BackworksResult<EndpointAction> {
        let Some(name) = request.param("name") else {
            return Ok(EndpointAction::Pass); // the request is not for this plugin
        };
        if name.len() > 64 {
            let detail = "The name has more than 64 bytes.";
            return Ok(Reply::problem(400, "Bad Request", detail).into());
        }
        let greeting = format!("{} {name}", self.greeting);
        let greetings = vec![greeting; self.repeat];
        Ok(Reply::json(&json!({ "greetings": greetings }))?.into())
    }
}

#[derive(Default)]
struct Greeter {
    config: OnceLock<Config>,
}

#[async_trait]
impl BackworksPlugin for Greeter {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &str {
        "Greets people."
    }

    fn manifest(&self) -> Manifest {
        Manifest::new()
            .hooks([Hook::ProcessEndpoint])
            .config::<Config>()
    }

    async fn initialize(&self, config: &Value) -> BackworksResult<()> {
        let config = Config::from_value(config)?;
        self.config
            .set(config)
            .map_err(|_| PluginError::new("initialized twice"))
    }

    async fn process_endpoint(&self, request: &Request<'_>) -> BackworksResult<EndpointAction> {
        let config = self
            .config
            .get()
            .ok_or_else(|| PluginError::new("not initialized"))?;
        config.answer(request)
    }
}

export_plugin!(Greeter);

#[cfg(test)]
mod tests {
    use super::*;

    fn request(params: Value) -> String {
        json!({
            "id": "test", "method": "GET", "path": "/hello", "route": null, "params": params,
            "query": {}, "headers": {}, "remote": null, "context": {},
            "body_encoding": "text", "body": null,
        })
        .to_string()
    }

    fn answer(params: Value) -> EndpointAction {
        let config = Config::from_value(&json!({ "greeting": "good day", "repeat": 2 })).unwrap();
        config
            .answer(&Request::from_json(&request(params)).unwrap())
            .unwrap()
    }

    #[test]
    fn greets_as_often_as_configured() {
        let greetings = json!({ "greetings": ["good day Ada", "good day Ada"] });
        let expected = Reply::json(&greetings).unwrap().into();
        assert_eq!(answer(json!({ "name": "Ada" })), expected);
    }

    #[test]
    fn does_not_answer_requests_without_a_name() {
        assert_eq!(answer(json!({})), EndpointAction::Pass);
    }
}
