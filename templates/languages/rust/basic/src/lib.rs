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
    use backworks_plugin_sdk::testing::{MockHost, TestRequest};

    fn twice() -> Value {
        json!({ "greeting": "good day", "repeat": 2 })
    }

    #[test]
    fn greets_as_often_as_configured() {
        let host = MockHost::new();
        let plugin = host.start::<Greeter>(&twice()).unwrap();
        let request = TestRequest::get("/hello/Ada").param("name", "Ada");
        let answer = plugin.process_endpoint(&request).unwrap().unwrap();
        let greetings = json!({ "greetings": ["good day Ada", "good day Ada"] });
        assert_eq!(answer.body, greetings);
    }

    #[test]
    fn does_not_answer_requests_without_a_name() {
        let host = MockHost::new();
        let plugin = host.start::<Greeter>(&twice()).unwrap();
        let request = TestRequest::get("/other");
        assert_eq!(plugin.process_endpoint(&request).unwrap(), None);
    }
}
