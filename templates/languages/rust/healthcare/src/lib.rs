mod message;

use backworks_plugin_sdk::*;
use message::Message;
use std::sync::OnceLock;

/// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from this type.
#[derive(PluginConfig)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Segments that a message must have.
    #[serde(default)]
    required: Vec<String>,
    /// The longest message that is read.
    #[serde(default = "hundred")]
    max_segments: u16,
}

fn hundred() -> u16 {
    100
}

#[derive(Default)]
struct Reader {
    config: OnceLock<Config>,
}

#[async_trait]
impl BackworksPlugin for Reader {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &str {
        "Reads HL7 v2 messages."
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
        Ok(answer(request, config).into())
    }
}

fn answer(request: &Request<'_>, config: &Config) -> Reply {
    let refusal = |detail: &str| Reply::problem(422, "Unprocessable Content", detail);
    let text = match request.body().text() {
        Ok(text) => text,
        Err(error) => return refusal(&error.to_string()),
    };
    let message = match Message::parse(&text, config.max_segments.into()) {
        Ok(message) => message,
        Err(detail) => return refusal(&detail),
    };
    let body = json!({
        "ack": message.acknowledge(&config.required),
        "control_id": message.header(9),
        "segments": message.segments().collect::<Vec<Value>>(),
        "type": message.header(8),
    });
    Reply::json(&body).unwrap_or_else(|error| refusal(&error.to_string()))
}

export_plugin!(Reader);
